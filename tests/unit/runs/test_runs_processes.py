"""A stage made ahead: done when it is asked for, with the same bytes; what fails there fails again where it is seen."""

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import active_children
from pathlib import Path
from typing import ClassVar, Self

import pytest

from seedcorn.errors import DataError
from seedcorn.input_files import digest_of_folder
from seedcorn.runs import Context, Run, Stage
from seedcorn.runs.processes import in_processes


@dataclass(frozen=True)
class Process:
    """The process that made it, and whether it had what it needs."""

    number: int

    @property
    def counts(self) -> dict[str, int]:
        return {}

    def save(self, folder: Path) -> None:
        (folder / "number").write_text(str(self.number), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        return cls(int((folder / "number").read_text("utf-8")))


class Zero(Stage[Process]):
    stage_name: ClassVar[str] = "zero"

    def __call__(self, *, context: Context) -> Process:
        return Process(0)


class OwnProcess(Stage[Process]):
    stage_name: ClassVar[str] = "own"

    add: int = 0

    def __call__(self, zero: Process, *, context: Context) -> Process:
        return Process(os.getpid() + zero.number + self.add)


class Refused(Stage[Process]):
    stage_name: ClassVar[str] = "refused"

    def __call__(self, *, context: Context) -> Process:
        raise DataError(wanted="anything", found="nothing")


class Endless(Stage[Process]):
    stage_name: ClassVar[str] = "endless"

    def __call__(self, *, context: Context) -> Process:
        time.sleep(600)
        return Process(0)


@pytest.fixture(autouse=True)
def _two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


def test_it_is_made_in_another_process_and_found_done(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run = Run(folder=tmp_path, random_seed=1, n_threads=2, starts_processes=True)
    zero = run.do(Zero())
    with run.ahead(OwnProcess(), zero):
        between = run.do(Zero(), name="between")
    made = run.do(OwnProcess(), zero)
    assert made.value.number != os.getpid()
    assert between.value.number == 0
    assert (tmp_path / "seconds.json").read_text("utf-8").count(":") == 3
    with run.ahead(OwnProcess(), zero):
        assert digest_of_folder(made.folder) == made.record.output_digest
    assert run.do(OwnProcess(), zero).value == made.value
    with run.ahead(OwnProcess(add=1), zero):
        pass
    assert run.do(OwnProcess(add=1), zero).value != made.value
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("n_threads", "starts_processes"), [(1, True), (2, False)])
def test_else_nothing_is_made_ahead(tmp_path: Path, n_threads: int, starts_processes: bool) -> None:
    run = Run(folder=tmp_path, random_seed=1, n_threads=n_threads, starts_processes=starts_processes)
    zero = run.do(Zero())
    with run.ahead(OwnProcess(), zero):
        pass
    assert run.do(OwnProcess(), zero).value.number == os.getpid()


def test_what_fails_ahead_fails_again_where_it_is_seen(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run = Run(folder=tmp_path, random_seed=1, n_threads=2, starts_processes=True)
    with run.ahead(Refused()):
        pass
    with pytest.raises(DataError, match="nothing"):
        run.do(Refused())
    assert capfd.readouterr().err == ""


def _number_and_process(number: int) -> tuple[int, int]:
    if number == 0:  # long enough for the other process to have begun, or what it has not begun is done here
        time.sleep(1)
    return number, os.getpid()


def _refuse() -> tuple[int, int]:
    raise DataError(wanted="anything", found="nothing")


def test_tasks_are_done_here_and_beside_in_their_order() -> None:
    tasks = [partial(_number_and_process, i) for i in range(7)]
    numbers, processes = zip(*in_processes(tasks, n_processes=2), strict=True)
    assert numbers == tuple(range(7))
    assert processes[0] == os.getpid() != processes[1]
    assert len(set(processes)) == 2
    assert {process for _, process in in_processes(tasks, n_processes=1)} == {os.getpid()}
    assert in_processes(tasks[:1], n_processes=4) == [(0, os.getpid())]


def _torch_threads() -> int:
    torch = pytest.importorskip("torch")
    return int(torch.get_num_threads())


def _wait_until_none_is_left() -> None:
    """Fail when a process is left: one that was killed may be noticed by another thread a moment later."""
    for _ in range(100):
        if not active_children():
            return
        time.sleep(0.1)
    raise AssertionError(active_children())


def _die() -> tuple[int, int]:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0, 0


def test_a_process_that_is_killed_is_told_and_others_take_its_place() -> None:
    with pytest.raises(BrokenExecutor, match="with one thread the same command goes on"):
        in_processes([partial(_number_and_process, 0), _die], n_processes=2)
    _wait_until_none_is_left()
    again = in_processes([partial(_number_and_process, i) for i in range(2)], n_processes=2)
    assert [number for number, _ in again] == [0, 1]


def test_processes_wait_for_further_tasks() -> None:
    tasks = [partial(_number_and_process, i) for i in range(2)]
    first, second = (in_processes(tasks, n_processes=2) for _ in range(2))
    assert first == second


def test_libraries_use_one_thread_in_each_process_beside() -> None:
    assert in_processes([int, _torch_threads], n_processes=2) == [0, 1]


@pytest.mark.parametrize("failing", [0, 2])
def test_the_first_task_that_fails_ends_all(failing: int) -> None:
    tasks: list[Callable[[], tuple[int, int]]] = [partial(_number_and_process, i) for i in range(3)]
    tasks[failing] = _refuse
    with pytest.raises(DataError, match="nothing"):
        in_processes(tasks, n_processes=2)
    _wait_until_none_is_left()


def test_an_error_in_the_block_does_not_wait_for_it(tmp_path: Path) -> None:
    def fail(run: Run) -> None:
        with run.ahead(Endless()):
            run.do(Refused())

    with pytest.raises(DataError, match="nothing"):
        fail(Run(folder=tmp_path, random_seed=1, n_threads=2, starts_processes=True))
    assert not (tmp_path / "endless").exists()
