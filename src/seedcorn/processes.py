"""Processes that end with the one that started them, and work that they do beside it."""

import contextlib
import functools
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import active_children, get_context, parent_process
from multiprocessing.process import BaseProcess
from typing import TypeVar, cast

from seedcorn.errors import SeedcornError
from seedcorn.progress import ProgressMode, showing_progress, shown_progress

Made = TypeVar("Made")
AlsoMade = TypeVar("AlsoMade")


@contextlib.contextmanager
def beside(work: Callable[[], object]) -> Iterator[None]:
    """Do ``work`` in a process of its own during the block, and wait for it at the end; an error in the block ends it.

    What it leaves on disk is all that comes of it: errors that a user can mend are not told.
    """
    process = get_context("spawn").Process(target=_do, args=(work, *shown_progress()))
    with _interrupts_ignored():  # as the process does from its first moment: it ends with this one
        process.start()
    try:
        yield
        process.join()
    finally:
        process.kill()
        process.join()


def in_processes(tasks: Sequence[Callable[[], Made]], *, n_processes: int) -> list[Made]:
    """Return what each of ``tasks`` makes, in their order: the first made here, the others beside it.

    ``n_processes`` work at a time, this one among them; with more than one, tasks and what they make are sent from one
    to the other. Processes wait for further tasks until this one ends. The first error ends all.
    """
    if min(n_processes, len(tasks)) <= 1:
        return [task() for task in tasks]
    first, *others = tasks
    waiting = _waiting_workers(min(n_processes - 1, len(others)))
    try:
        futures = waiting.submit(others)
        made = [first()]
        taken_over = {i: others[i]() for i in reversed(range(len(others))) if futures[i].cancel()}
        return made + [taken_over[i] if i in taken_over else future.result() for i, future in enumerate(futures)]
    except BaseException as error:
        _waiting_workers.cache_clear()
        waiting.end()
        if isinstance(error, BrokenExecutor):
            found = "a process beside this one was killed, perhaps for want of memory"
            raise BrokenExecutor(f"{found}; with one thread the same command goes on where it stopped") from error
        raise


def with_another(here: Callable[[], Made], there: Callable[[], AlsoMade], *, n_processes: int) -> tuple[Made, AlsoMade]:
    """Return what both make, ``there`` beside this process where there may be two; see ``in_processes``."""
    tasks: list[Callable[[], Made | AlsoMade]] = [here, there]
    made, also_made = in_processes(tasks, n_processes=n_processes)
    return cast("Made", made), cast("AlsoMade", also_made)


@dataclass(frozen=True)
class _Workers:
    """Processes and those of them that have begun, which it ends at once when it is told to."""

    executor: ProcessPoolExecutor
    begun: list[BaseProcess] = field(default_factory=list)

    def submit(self, tasks: Sequence[Callable[[], Made]]) -> list[Future[Made]]:
        """Hand the tasks over; they begin in this order."""
        before = set(active_children())
        with _interrupts_ignored():  # as the processes do from their first moment: they end with this one
            futures = [self.executor.submit(task) for task in tasks]
        self.begun.extend(child for child in active_children() if child not in before)
        return futures

    def end(self) -> None:
        """Kill what was begun."""
        for process in self.begun:
            process.kill()
            process.join()
        self.executor.shutdown(wait=False, cancel_futures=True)


def _new_workers(n_workers: int) -> _Workers:
    """Return processes in each of which libraries use one thread."""
    return _Workers(ProcessPoolExecutor(n_workers, mp_context=get_context("spawn"), initializer=_begin))


_waiting_workers = functools.cache(_new_workers)


@contextlib.contextmanager
def worker_processes(n_workers: int) -> Iterator[_Workers]:
    """Yield processes that end with the block, when it fails at once."""
    workers = _new_workers(n_workers)
    try:
        yield workers
    except BaseException:
        workers.end()
        raise
    workers.executor.shutdown()


def _begin() -> None:
    os.environ["OMP_NUM_THREADS"] = "1"  # no library that asks for it is loaded yet
    end_with_parent()


def _do(work: Callable[[], object], mode: ProgressMode, source: str) -> None:
    end_with_parent()
    shown = ProgressMode.SILENT if mode is ProgressMode.BAR else mode  # two bars would write over each other
    with contextlib.suppress(SeedcornError, OSError, MemoryError), showing_progress(shown, source=source):
        work()


@contextlib.contextmanager
def _interrupts_ignored() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():  # signals come to the main thread only
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def end_with_parent() -> None:
    """See to it that this process does not outlive one that is killed: half a result counts for nothing."""

    def wait() -> None:
        parent = parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
