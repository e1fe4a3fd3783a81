"""Processes that end with the one that started them, and work that they do beside it."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import active_children, get_context, parent_process
from typing import TypeVar

from seedcorn.errors import SeedcornError
from seedcorn.progress import ProgressMode, showing_progress, shown_progress

Made = TypeVar("Made")


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
    to the other. The first error ends all.
    """
    if min(n_processes, len(tasks)) <= 1:
        return [task() for task in tasks]
    first, *others = tasks
    with worker_processes(min(n_processes - 1, len(others))) as workers:
        futures = [workers.submit(task) for task in others]
        made = [first()]
        taken_over = {i: others[i]() for i in reversed(range(len(others))) if futures[i].cancel()}
        return made + [taken_over[i] if i in taken_over else future.result() for i, future in enumerate(futures)]


@contextlib.contextmanager
def worker_processes(n_workers: int) -> Iterator[ProcessPoolExecutor]:
    """Yield processes that end with the block, when it fails at once; libraries use one thread in each."""
    before = {child.pid for child in active_children()}
    workers = ProcessPoolExecutor(n_workers, mp_context=get_context("spawn"), initializer=_begin)
    try:
        yield workers
    except BaseException:
        for child in active_children():
            if child.pid not in before:
                child.kill()
                child.join()
        workers.shutdown(wait=False, cancel_futures=True)
        raise
    workers.shutdown()


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
