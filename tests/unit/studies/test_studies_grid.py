"""Cells of a study in processes."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor
from pathlib import Path

import pytest

from seedcorn.errors import DataError
from seedcorn.progress import ProgressMode, showing_progress
from seedcorn.studies.grid import make_cells

SLOW_STUDY = """
import os, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from slow_cells import slow_cell
from seedcorn.studies.grid import make_cells
if __name__ == "__main__":
    make_cells(slow_cell, [sys.argv[1] + "/a", sys.argv[1] + "/b"], what="cells", n_workers=2)
"""
SLOW_CELL = """
import os, time
from pathlib import Path
def slow_cell(path):
    Path(path).write_text(str(os.getpid()))
    time.sleep(300)
"""


def double(cell: int) -> int:
    return 2 * cell


def fail(cell: int) -> int:
    raise ValueError(f"cell {cell}")


@pytest.mark.parametrize("n_workers", [1, 2])
def test_cells_come_back_in_order(n_workers: int) -> None:
    assert make_cells(double, [3, 1, 2], what="cells", n_workers=n_workers) == [6, 2, 4]


def test_a_failure_ends_the_study() -> None:
    with pytest.raises(ValueError, match="cell"):
        make_cells(fail, [1, 2], what="cells", n_workers=2)


def killed_once(folder: str) -> str:
    mark = Path(folder) / "was here"
    if not mark.exists():
        mark.write_text("", "utf-8")
        os.kill(os.getpid(), signal.SIGKILL)
    return "made"


def always_killed(cell: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def wrong(cell: int) -> None:
    raise DataError(wanted="a seed", found="none", where="seed.jsonl:3", fix="Add one.")


def endless_beside_a_failure(cell: int) -> None:
    if cell == 0:
        raise ValueError("cell 0")
    time.sleep(300)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_a_killed_worker_is_named_and_its_cell_made_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with showing_progress(ProgressMode.LINES):
        assert make_cells(killed_once, [str(tmp_path)], what="cells", n_workers=2) == ["made"]
    assert f"killed while making {tmp_path}" in capsys.readouterr().err
    with pytest.raises(BrokenExecutor, match="killed while making 7 or 8, perhaps"):
        make_cells(always_killed, [7, 8, 9], what="cells", n_workers=2)


def test_what_the_user_got_wrong_crosses_the_border_as_itself() -> None:
    with pytest.raises(DataError) as caught:
        make_cells(wrong, [1, 2], what="cells", n_workers=2)
    assert str(caught.value) == "seed.jsonl:3: wanted a seed, found none. Add one."


def test_a_failure_does_not_wait_for_the_other_cells() -> None:
    before = time.monotonic()
    with pytest.raises(ValueError, match="cell 0"):
        make_cells(endless_beside_a_failure, [0, 1, 2, 3], what="cells", n_workers=2)
    assert time.monotonic() - before < 200


def wait_until(condition, *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def is_running(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc")
def test_workers_do_not_outlive_a_killed_study(tmp_path: Path) -> None:
    (tmp_path / "slow_cells.py").write_text(SLOW_CELL, "utf-8")
    (tmp_path / "study.py").write_text(SLOW_STUDY, "utf-8")
    study = subprocess.Popen([sys.executable, str(tmp_path / "study.py"), str(tmp_path)])
    marks = [tmp_path / "a", tmp_path / "b"]
    assert wait_until(lambda: all(m.exists() and m.read_text("utf-8") for m in marks), seconds=60)
    workers = [int(m.read_text("utf-8")) for m in marks]
    assert all(is_running(pid) for pid in workers)
    study.kill()
    study.wait()
    assert wait_until(lambda: not any(is_running(pid) for pid in workers), seconds=30)
