"""The cells of a study, several at a time."""

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context, parent_process
from typing import TypeVar

from seedcorn.progress import track

Cell = TypeVar("Cell")
Made = TypeVar("Made")


def make_cells(function: Callable[[Cell], Made], cells: Sequence[Cell], *, what: str, n_workers: int) -> list[Made]:
    """Return ``function`` of each of ``cells``, in their order, ``n_workers`` at a time, each in a process of its own.

    One worker makes them here. More need a function that can be sent to a process; it shows no progress there.
    """
    if n_workers == 1:
        return [function(cell) for cell in track(cells, what, total=len(cells))]
    context = get_context("spawn")
    with ProcessPoolExecutor(n_workers, mp_context=context, initializer=_end_with_the_study) as workers:
        futures = [workers.submit(function, cell) for cell in cells]
        for finished in track(as_completed(futures), what, total=len(cells)):
            finished.result()  # the first failure ends the study, not the last
        return [future.result() for future in futures]


def _end_with_the_study() -> None:
    """See to it that this worker does not outlive a study that is killed: half a cell counts for nothing."""

    def wait() -> None:
        study = parent_process()
        if study is not None:
            study.join()
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
