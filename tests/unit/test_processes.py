"""Tasks in processes beside this one: in their order, each once, and none is left when one fails or is killed."""

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor
from functools import partial
from multiprocessing import active_children

import pytest

from seedcorn.errors import DataError
from seedcorn.processes import in_processes


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
