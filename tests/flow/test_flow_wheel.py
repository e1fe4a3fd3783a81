"""The installed package, outside the checkout: it has all its files and runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(folder), str(REPOSITORY)], check=True)
    wheel = next(folder.glob("seedcorn-*.whl"))
    subprocess.run([*pip, "install", "--no-deps", "--target", str(folder / "site"), str(wheel)], check=True)
    return folder / "site"


def outside(installed: Path, tmp_path: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    command = [sys.executable, "-m", "seedcorn", *arguments]
    found = subprocess.run(
        command, check=True, capture_output=True, text=True, encoding="utf-8", cwd=tmp_path, env=environment
    )
    return found.stdout


def test_the_wheel_has_its_version_its_configurations_and_its_types(installed: Path, tmp_path: Path) -> None:
    import seedcorn

    assert outside(installed, tmp_path, "--version").strip() == seedcorn.__version__
    assert (installed / "seedcorn" / "py.typed").exists()
    config = installed / "seedcorn" / "configs" / "intent-builtin.yaml"
    assert "to be run" in outside(installed, tmp_path, "intent", str(config), "--dry-run")


def test_the_wheel_reads_and_writes_corpora(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "wake me up", "intent": "alarm"}\n', "utf-8")
    outside(installed, tmp_path, "data", "convert", "in.jsonl", "-o", "out.csv")
    assert "wake me up" in (tmp_path / "out.csv").read_text("utf-8")
