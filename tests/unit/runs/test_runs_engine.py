"""Run folders: killed at any moment and resumed, failing, used by two at once."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from seedcorn.errors import DataError
from seedcorn.files import writing_whole
from seedcorn.input_files import digest_of_folder
from seedcorn.runs import Context, Run, Stage, open_run, read_record

TWO_STAGES = """
import sys, time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from seedcorn.runs import Stage, open_run

pause_in = sys.argv[2]

@dataclass(frozen=True)
class Letters:
    letter: str
    @property
    def counts(self):
        return {"n_in": 3, "n_kept": 3, "n_rejected": 0}
    def save(self, folder):
        for i in range(3):
            (folder / f"{self.letter}{i}.txt").write_text(self.letter * 1000)
            if pause_in == f"{self.letter}{i}":
                print("paused", flush=True)
                time.sleep(60)
    @classmethod
    def load(cls, folder):
        return cls(next(folder.glob("*0.txt")).name[0])

class First(Stage[Letters]):
    stage_name: ClassVar[str] = "first"
    def __call__(self, *, context):
        return Letters("a")

class Second(Stage[Letters]):
    stage_name: ClassVar[str] = "second"
    def __call__(self, first, *, context):
        return Letters("b")

with open_run(Path(sys.argv[1]), random_seed=1, resolved_config="a: 1\\n") as run:
    run.do(Second(), run.do(First()))
"""


def run_two_stages(folder: Path, pause_in: str = "") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", TWO_STAGES, str(folder), pause_in], stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )


def stage_bytes(folder: Path) -> dict[str, bytes]:
    files = (p for p in folder.rglob("*") if p.is_file() and p.name not in ("seconds.json", ".lock"))
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}


def test_checkpoints_that_a_kill_left_beside_a_finished_stage_go(tmp_path: Path) -> None:
    assert run_two_stages(tmp_path).wait() == 0
    wanted = stage_bytes(tmp_path)
    record = read_record(tmp_path / "first")
    assert record is not None
    left = tmp_path / ".first.checkpoints" / record.fingerprint[:16]
    left.mkdir(parents=True)
    (left / "weights").write_bytes(b"1")
    assert run_two_stages(tmp_path).wait() == 0
    assert stage_bytes(tmp_path) == wanted


def test_a_run_killed_in_any_stage_ends_with_the_same_bytes(tmp_path: Path) -> None:
    assert run_two_stages(tmp_path / "straight").wait() == 0
    for pause_in in ("a1", "b0", "b2"):
        folder = tmp_path / pause_in
        process = run_two_stages(folder, pause_in)
        assert process.stdout is not None
        assert process.stdout.readline() == "paused\n"
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert run_two_stages(folder).wait() == 0
        assert stage_bytes(folder) == stage_bytes(tmp_path / "straight")


@dataclass(frozen=True)
class Number:
    number: int

    @property
    def counts(self) -> dict[str, int]:
        return {"n": self.number}

    def save(self, folder: Path) -> None:
        (folder / "number.txt").write_text(str(self.number), "utf-8")
        if self.number < 0:
            raise OSError(28, "Error writing bytes to file")

    @classmethod
    def load(cls, folder: Path) -> Self:
        return cls(int((folder / "number.txt").read_text("utf-8")))


class Give(Stage[Number]):
    """Give a number, or how many checkpoints there were; ``other`` is another fingerprint."""

    stage_name: ClassVar[str] = "give"
    number: int = 1
    other: bool = False

    def __call__(self, *, context: Context) -> Number:
        with context.working_folder() as folder:
            n_found = len(list(folder.iterdir()))
            (folder / "step1").write_text("x", "utf-8")
            if STOP:
                raise KeyboardInterrupt
        return Number(self.number or n_found)


STOP: list[bool] = []


def test_a_file_that_merely_exists_does_not_count_as_done(tmp_path: Path) -> None:
    (tmp_path / "give").mkdir()
    (tmp_path / "give" / "number.txt").write_text("7", "utf-8")
    assert Run(folder=tmp_path, random_seed=1).do(Give()).value == Number(1)


def test_a_failing_stage_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left on device") as raised:
        Run(folder=tmp_path, random_seed=1).do(Give(number=-1))
    assert raised.value.filename == str(tmp_path / "give")
    assert read_record(tmp_path / "give") is None
    assert not (tmp_path / "give").exists()
    assert list(tmp_path.glob(".*.partial")) == []


def test_checkpoints_survive_an_interruption_and_vanish_when_done(tmp_path: Path) -> None:
    run = Run(folder=tmp_path, random_seed=1)
    STOP.append(True)
    with pytest.raises(KeyboardInterrupt):
        run.do(Give(number=0))
    STOP.clear()
    assert run.do(Give(number=0)).value == Number(1)
    assert run.do(Give(number=0, other=True)).value == Number(0)


def test_a_folder_with_other_things_is_never_taken_for_a_run(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious", "utf-8")
    with (
        pytest.raises(DataError, match="something else there"),
        open_run(tmp_path, random_seed=1, resolved_config=""),
    ):
        pass


def test_two_processes_cannot_use_one_run_folder(tmp_path: Path) -> None:
    with (
        open_run(tmp_path / "r", random_seed=1, resolved_config=""),
        pytest.raises(DataError, match="another seedcorn process"),
        open_run(tmp_path / "r", random_seed=1, resolved_config=""),
    ):
        pass


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    with pytest.raises(OSError, match="No space left on device: .*a.txt"), writing_whole(target) as partial:
        write_half(partial)
    assert list(tmp_path.iterdir()) == []


def test_the_digest_of_a_folder_depends_on_names_and_bytes_only(tmp_path: Path) -> None:
    for name, order in (("one", "ab"), ("two", "ba")):
        (tmp_path / name).mkdir()
        for file in order:
            (tmp_path / name / file).write_text(file, "utf-8")
    assert digest_of_folder(tmp_path / "one") == digest_of_folder(tmp_path / "two")
    (tmp_path / "two" / "a").write_text("changed", "utf-8")
    assert digest_of_folder(tmp_path / "one") != digest_of_folder(tmp_path / "two")


def write_half(path: Path) -> None:
    path.write_text("half", encoding="utf-8")
    raise OSError(28, "Error writing bytes to file")


@dataclass(frozen=True)
class Threads:
    numbers: list[int]

    @property
    def counts(self) -> dict[str, int]:
        return {"most": max(self.numbers, default=1)}

    def save(self, folder: Path) -> None:
        (folder / "threads.json").write_text(json.dumps(self.numbers), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        return cls(json.loads((folder / "threads.json").read_text("utf-8")))


class CountThreads(Stage[Threads]):
    """How many threads linear algebra has."""

    stage_name: ClassVar[str] = "threads"

    def __call__(self, *, context: Context) -> Threads:
        np.ones((4, 4)) @ np.ones((4, 4))
        return Threads([pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"])


def test_no_number_depends_on_the_threads_of_linear_algebra(tmp_path: Path) -> None:
    with threadpool_limits(3, user_api="blas"):
        found = Run(folder=tmp_path, random_seed=1).do(CountThreads())
        assert set(found.value.numbers) == {1}


def test_a_result_that_was_changed_and_can_still_be_read_is_refused(tmp_path: Path) -> None:
    run = Run(folder=tmp_path, random_seed=1)
    run.do(Give(number=3))
    (tmp_path / "give" / "number.txt").write_text("4", "utf-8")
    with pytest.raises(DataError, match="other bytes than were written"):
        _ = run.do(Give(number=3)).value


def test_a_damaged_result_or_record_is_told_in_one_line(tmp_path: Path) -> None:
    run = Run(folder=tmp_path, random_seed=1)
    run.do(Give(number=3))
    (tmp_path / "give" / "number.txt").write_text("x", "utf-8")
    with pytest.raises(DataError, match=r"the result of the stage 'give'.*Remove this folder"):
        _ = run.do(Give(number=3)).value
    (tmp_path / "give" / "record.json").write_text('{"stage": 5}', "utf-8")
    with pytest.raises(DataError, match="damaged"):
        run.do(Give(number=3))
