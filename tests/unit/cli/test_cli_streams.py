"""Standard streams that are closed, full or of another encoding: the right exit code, and no traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a shell that closes streams")


def shell(command: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", f"{sys.executable} -m seedcorn {command}"],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.jsonl").write_text('{"text": "\u091a\u093e\u092f", "intent": "caf\u00e9"}\n', "utf-8")
    return tmp_path


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_closed_streams_change_nothing_but_what_is_shown(folder: Path, closed: str) -> None:
    assert shell(f"data convert a.jsonl -o b.tsv {closed}", folder).returncode == 0
    assert (folder / "b.tsv").read_text("utf-8").count("\n") == 2
    wrong = shell(f"data check missing.jsonl {closed}", folder)
    assert wrong.returncode == 2
    assert "Traceback" not in wrong.stderr


def test_text_is_read_from_a_closed_stream_as_nothing(folder: Path) -> None:
    found = shell("lm estimate -o m.arpa <&-", folder)
    assert found.returncode == 2
    assert "Traceback" not in found.stderr


def test_an_ascii_terminal_shows_escapes(folder: Path) -> None:
    found = shell("data check a.jsonl --json", folder, PYTHONIOENCODING="ascii", PYTHONUTF8="0", LC_ALL="C")
    assert (found.returncode, found.stderr) == (0, "")
    assert '"n_rows": 1' in found.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device")
def test_a_full_output_is_told(folder: Path) -> None:
    found = shell("data check a.jsonl >/dev/full", folder)
    assert found.returncode == 1
    assert "No space left" in found.stderr


def test_corpora_are_read_from_pipes_of_any_format(folder: Path) -> None:
    """Under no name that tells the format, compressed, and more than one at a time; nothing of it is left."""
    (folder / "a.csv").write_text("text;intent\nplay jazz;music\n", "utf-8")
    (folder / "tmp").mkdir()
    reading = "mkfifo others && (cat a.jsonl >others &) && gzip -c a.csv | "
    command = f"{sys.executable} -m seedcorn data contamination /dev/stdin --evaluation others -o kept.jsonl --quiet"
    found = subprocess.run(
        ["sh", "-c", reading + command],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder / "tmp")},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert (found.returncode, found.stderr) == (0, "")
    assert (folder / "kept.jsonl").read_text("utf-8") == '{"text": "play jazz", "intent": "music"}\n'
    assert list((folder / "tmp").iterdir()) == []
