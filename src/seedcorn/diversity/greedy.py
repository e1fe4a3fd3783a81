"""Greedy maximisation of submodular objectives under a budget: exact lazy greedy and stochastic greedy.

Greedy takes the row of highest gain per unit of cost each time and is within 1 - 1/e of the best set (Nemhauser,
Wolsey, Fisher 1978). Lazy greedy (Minoux 1978) makes the very same choices: because gains never rise, an old gain is a
bound, and a row whose fresh gain still beats all other bounds is the best one. Stochastic greedy (Mirzasoleiman et al.
2015) looks at a small random sample each time and is within 1 - 1/e - epsilon on average.
"""

import heapq
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedcorn.compiled import njit
from seedcorn.diversity.feature_coverage import CoverageArrays, FeatureCoverage, add_row, row_gain
from seedcorn.diversity.objectives import Budget, Objective, Picks, key_scale
from seedcorn.errors import ConfigError
from seedcorn.progress import track
from seedcorn.selection import FloatArray, PositionArray

PICKS_PER_CALL = 1_000
ROWS_PER_EVALUATION = 64


def lazy_greedy(objective: Objective, budget: Budget) -> Picks:
    """Return the exact greedy choice; ties go to the lower position.

    Rows that no longer fit into the budget are passed over; the choice ends when none fits. Feature coverage runs
    compiled; other objectives are asked for the gains of up to 64 rows at once.
    """
    if isinstance(objective, FeatureCoverage):
        return _compiled_lazy_greedy(objective, budget)
    return _batched_lazy_greedy(objective, budget)


def _keys(gains: FloatArray, costs: PositionArray, scale: float) -> PositionArray:
    return np.rint(gains * scale / costs).astype(np.int64)


def _batched_lazy_greedy(objective: Objective, budget: Budget) -> Picks:
    gains = objective.gains(np.arange(objective.n_rows))
    scale = key_scale(gains / budget.costs)
    keys = _keys(gains, budget.costs, scale)
    heap = list(zip((-keys).tolist(), range(len(keys)), strict=True))
    heapq.heapify(heap)
    evaluated = np.zeros(objective.n_rows, np.int64)
    positions: list[int] = []
    left = budget.total
    for n_chosen in track(range(budget.n_picks_at_most), "choosing rows", total=budget.n_picks_at_most):
        while heap and (evaluated[heap[0][1]] < n_chosen or budget.costs[heap[0][1]] > left):
            stale = _popped(heap, budget.costs, left)
            if len(stale):
                keys[stale] = np.minimum(keys[stale], _keys(objective.gains(stale), budget.costs[stale], scale))
                evaluated[stale] = n_chosen
            for row in stale.tolist():
                heapq.heappush(heap, (-int(keys[row]), row))
        if not heap:
            break
        row = heapq.heappop(heap)[1]
        objective.add(row)
        positions.append(row)
        left -= int(budget.costs[row])
    chosen = np.array(positions, np.int64)
    return Picks(chosen, keys[chosen] / scale * budget.costs[chosen])


def _popped(heap: list[tuple[int, int]], costs: PositionArray, left: int) -> PositionArray:
    """Take the first rows off ``heap``, those that fit into what is ``left``."""
    rows = [heapq.heappop(heap)[1] for _ in range(min(ROWS_PER_EVALUATION, len(heap)))]
    return np.array([row for row in rows if costs[row] <= left], np.int64)


def _compiled_lazy_greedy(objective: FeatureCoverage, budget: Budget) -> Picks:
    first_gains = objective.gains(np.arange(objective.n_rows))
    scale = key_scale(first_gains / budget.costs)
    keys = _keys(first_gains, budget.costs, scale)
    heap_rows = np.lexsort((np.arange(len(keys)), -keys))  # a sorted array is a heap
    heap_keys = keys[heap_rows]
    heap = _Heap(heap_keys, heap_rows, np.zeros(objective.n_rows, np.int64))
    at_most = budget.n_picks_at_most
    positions, gains = np.empty(at_most, np.int64), np.empty(at_most)
    state = np.array([len(keys), 0, budget.total])  # rows on the heap, rows chosen, budget left
    for end in track(range(PICKS_PER_CALL, at_most + PICKS_PER_CALL, PICKS_PER_CALL), "choosing rows, in thousands"):
        _choose(objective.arrays, budget.costs, scale, heap, positions[:end], gains[:end], state)
    return Picks(positions[: state[1]], gains[: state[1]])


class _Heap(NamedTuple):
    """Rows by upper bounds of their gain: keys and rows in heap order; when each row's bound was last evaluated."""

    keys: PositionArray
    rows: PositionArray
    evaluated: PositionArray


@njit(nogil=True, cache=True)
def _choose(
    a: CoverageArrays,
    costs: PositionArray,
    scale: float,
    heap: _Heap,
    positions: PositionArray,
    gains: FloatArray,
    state: PositionArray,
) -> None:
    """Go on choosing until ``positions`` is full or nothing fits."""
    size, n_chosen, left = state
    while size > 0 and n_chosen < len(positions):
        row = heap.rows[0]
        fits = costs[row] <= left
        if fits and heap.evaluated[row] < n_chosen:
            key = np.int64(np.rint(row_gain(a, row) * scale / costs[row]))
            heap.evaluated[row] = n_chosen
            _sift_down(heap.keys, heap.rows, size, min(heap.keys[0], key), row)
            continue
        if fits:
            add_row(a, row)
            positions[n_chosen] = row
            gains[n_chosen] = heap.keys[0] / scale * costs[row]
            left -= costs[row]
            n_chosen += 1
        size -= 1
        if size > 0:
            _sift_down(heap.keys, heap.rows, size, heap.keys[size], heap.rows[size])
    state[0], state[1], state[2] = size, n_chosen, left


@njit(nogil=True, cache=True)
def _sift_down(heap_keys, heap_rows, size, key, row):  # type: ignore[no-untyped-def]
    """Put (key, row) in the place of the heap's top and restore the order: higher key first, then lower row."""
    hole = 0
    while True:
        child = 2 * hole + 1
        if child >= size:
            break
        right = child + 1
        if right < size and (
            heap_keys[right] > heap_keys[child]
            or (heap_keys[right] == heap_keys[child] and heap_rows[right] < heap_rows[child])
        ):
            child = right
        if heap_keys[child] < key or (heap_keys[child] == key and heap_rows[child] > row):
            break
        heap_keys[hole], heap_rows[hole] = heap_keys[child], heap_rows[child]
        hole = child
    heap_keys[hole], heap_rows[hole] = key, row


def stochastic_greedy(
    objective: Objective, budget: Budget, *, rng: np.random.Generator, epsilon: float = 0.01
) -> Picks:
    """Return a choice within 1 - 1/e - ``epsilon`` of the best on average, at a cost that hardly grows with the budget.

    Each pick is the best of n_rows / n_picks * ln(1 / epsilon) rows drawn at random, ties to the lower position.
    Raises ConfigError when ``epsilon`` is not between 0 and 1.
    """
    if not 0 < epsilon < 1:
        raise ConfigError(wanted="epsilon between 0 and 1", found=str(epsilon))
    at_most = budget.n_picks_at_most
    sample_size = int(np.ceil(objective.n_rows / at_most * np.log(1 / epsilon)))
    remaining = np.arange(objective.n_rows)
    positions, gains = np.empty(at_most, np.int64), np.empty(at_most)
    n_chosen, left = 0, budget.total
    for _ in track(range(at_most), "choosing rows", total=at_most):
        remaining = remaining if left >= budget.costs.max() else remaining[budget.costs[remaining] <= left]
        if not len(remaining):
            break
        places = _drawn(len(remaining), sample_size, rng)
        best, gain = _best_of(objective, remaining[places], budget.costs)
        row = int(remaining[places[best]])
        objective.add(row)
        positions[n_chosen], gains[n_chosen] = row, gain
        n_chosen, left = n_chosen + 1, left - int(budget.costs[row])
        remaining[places[best]] = remaining[-1]
        remaining = remaining[:-1]
    return Picks(positions[:n_chosen], gains[:n_chosen])


def _drawn(n: int, size: int, rng: np.random.Generator) -> PositionArray:
    return np.arange(n) if size >= n else rng.choice(n, size, replace=False, shuffle=False)


def _best_of(objective: Objective, rows: PositionArray, costs: PositionArray) -> tuple[int, float]:
    gains = objective.gains(rows)
    densities: NDArray[np.float64] = gains / costs[rows]
    best = int(np.lexsort((rows, -densities))[0])
    return best, float(gains[best])
