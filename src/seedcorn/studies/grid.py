"""The cells of a study, several at a time."""

from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, as_completed
from functools import partial
from typing import TypeVar

from seedcorn.processes import Made, worker_processes
from seedcorn.progress import say, track

Cell = TypeVar("Cell")

N_ATTEMPTS = 2


def make_cells(function: Callable[[Cell], Made], cells: Sequence[Cell], *, what: str, n_workers: int) -> list[Made]:
    """Return ``function`` of each of ``cells``, in their order, ``n_workers`` at a time, each in a process of its own.

    One worker makes them here. More need a function that can be sent to a process; it shows no progress there. Cells
    whose process is killed are made again once, then BrokenExecutor names them. Any other error ends all workers.
    """
    if n_workers == 1:
        return [function(cell) for cell in track(cells, what, total=len(cells))]
    made: dict[int, Made] = {}
    for attempt in range(1, N_ATTEMPTS + 1):
        try:
            _make_in_processes(function, cells, made, what=what, n_workers=n_workers)
            break
        except BrokenExecutor as error:
            # Cells are begun in their order, so those under way are the first that are not made.
            under_way = [str(cells[i]) for i in range(len(cells)) if i not in made][:n_workers]
            found = f"a worker process was killed while making {' or '.join(under_way)}, perhaps for want of memory"
            if attempt == N_ATTEMPTS:
                raise BrokenExecutor(
                    f"{found}; with fewer --workers the same command goes on where it stopped"
                ) from error
            say(f"{what}: {found}; making what is left again")
    return [made[i] for i in range(len(cells))]


def _make_in_processes(
    function: Callable[[Cell], Made], cells: Sequence[Cell], made: dict[int, Made], *, what: str, n_workers: int
) -> None:
    """Add to ``made`` the cells that are not in it."""
    with worker_processes(n_workers) as workers:
        missing = [i for i in range(len(cells)) if i not in made]
        cell_of = dict(zip(workers.submit([partial(function, cells[i]) for i in missing]), missing, strict=True))
        for future in as_completed(cell_of):
            made[cell_of[future]] = future.result()  # the first failure ends the study, not the last
            say(f"{what}: {len(made)} of {len(cells)} made")
