"""The cells of a study, several at a time."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
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
    with ProcessPoolExecutor(n_workers, mp_context=get_context("spawn")) as workers:
        futures = [workers.submit(function, cell) for cell in cells]
        for finished in track(as_completed(futures), what, total=len(cells)):
            finished.result()  # the first failure ends the study, not the last
        return [future.result() for future in futures]
