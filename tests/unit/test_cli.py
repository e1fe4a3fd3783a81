import subprocess
import sys
from pathlib import Path

import pytest

from seedcorn.cli import run


def test_importing_seedcorn_and_its_command_line_loads_nothing_heavy() -> None:
    heavy = ("torch", "sklearn", "transformers", "numba", "altair", "ray", "scipy", "pyarrow")
    code = (
        "import sys, seedcorn, seedcorn.cli\n"
        f"loaded = [m for m in {heavy!r} if m in sys.modules]\n"
        "sys.exit(','.join(loaded) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_help_and_version_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    assert "Commands" in capsys.readouterr().out
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.count(".") == 2


def test_wrong_usage_is_exit_code_2_without_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["no-such-command"]) == 2
    assert run(["intent", "/no/such/config.yaml"]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_an_interruption_is_exit_code_130_and_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("seedcorn.config.load_config", interrupted)
    (tmp_path / "c.yaml").write_text("name: a\n", "utf-8")
    assert run(["intent", str(tmp_path / "c.yaml")]) == 130
    assert capsys.readouterr().err == "seedcorn: interrupted; the same command goes on where it stopped\n"
