"""Processes that end with the one that started them, and work that one of them does beside it."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from multiprocessing import get_context, parent_process

from seedcorn.errors import SeedcornError
from seedcorn.progress import ProgressMode, showing_progress, shown_progress


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
