"""Sieve streaming: a diverse choice from a pool beyond memory, in one pass (Badanidiyuru et al. 2014, algorithm 3).

Many guesses of the best reachable value, each 1 + epsilon above the one before, are followed at once: a sieve takes a
row when its gain per unit of cost is at least what the rest of the budget must bring to reach half of the guess. With
unit costs the best sieve is within 1/2 - epsilon of the best set. Memory: one float32 a feature and sieve, whatever
the size of the pool.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from seedcorn.compiled import njit
from seedcorn.diversity.feature_coverage import CONCAVE_CODES, checked, column_sums, concave_value
from seedcorn.diversity.methods import Concave
from seedcorn.diversity.objectives import Picks
from seedcorn.errors import ConfigError, DataError
from seedcorn.progress import track
from seedcorn.selection import FloatArray, PositionArray


class StreamBatch(NamedTuple):
    """Some rows of the stream: their features as CSR (n, n_features) and what each costs (int64, at least 1)."""

    rows: csr_matrix
    costs: PositionArray


class Sieves(NamedTuple):
    """All sieves as compiled code sees them; ``exponents`` (n,) name the guesses, (1 + epsilon) ** exponent."""

    exponents: PositionArray
    covered: NDArray[np.float32]
    values: FloatArray
    spent: PositionArray
    n_chosen: PositionArray
    positions: NDArray[np.int64]
    gains: FloatArray


def sieve_stream(
    batches: Iterable[StreamBatch],
    *,
    budget: int,
    n_features: int,
    seed_rows: csr_matrix | None = None,
    feature_weights: FloatArray | None = None,
    concave: Concave = Concave.SQRT,
    limit: float = 3.0,
    epsilon: float = 0.2,
) -> Picks:
    """Return the choice of the best sieve over all rows of ``batches``, positions counting over the whole stream.

    The objective is that of FeatureCoverage. Fewer rows than the budget pays for may be chosen: a row that adds too
    little is let go for good.
    Raises ConfigError for a budget below one or epsilon outside 0..1, DataError for an empty stream.
    """
    if budget < 1 or not 0 < epsilon < 1:
        raise ConfigError(wanted="a budget of at least 1 and epsilon in 0..1", found=f"{budget} and {epsilon}")
    objective = _Objective(
        weights=checked(feature_weights, n_features, "feature weights", default=1.0),
        seed_covered=np.zeros(n_features) if seed_rows is None else column_sums(seed_rows, n_features),
        code=CONCAVE_CODES[concave],
        limit=float(limit),
    )
    sieves = _new_sieves(n_sieves(budget, epsilon), n_features, budget)
    largest = np.zeros(2)  # the largest gain of a single row so far, and the largest gain per unit of cost
    n_seen = 0
    for batch in track(batches, "batches of the stream"):
        rows = _Rows(
            starts=batch.rows.indptr.astype(np.int64),
            features=batch.rows.indices,
            masses=batch.rows.data.astype(np.float32),
            costs=batch.costs,
        )
        _sift(rows, n_seen, objective, budget, np.log1p(epsilon), sieves, largest)
        n_seen += batch.rows.shape[0]
    if not n_seen:
        raise DataError(wanted="a pool with at least one utterance", found="an empty pool")
    best = int(sieves.values.argmax())
    chosen = slice(0, int(sieves.n_chosen[best]))
    return Picks(sieves.positions[best, chosen].copy(), sieves.gains[best, chosen].copy())


def n_sieves(budget: int, epsilon: float) -> int:
    """Return how many guesses are open at once: those from the largest single gain to twice the budget times it."""
    return int(np.ceil(np.log(2 * budget) / np.log1p(epsilon))) + 2


def _new_sieves(n: int, n_features: int, n_picks: int) -> Sieves:
    return Sieves(
        exponents=np.full(n, np.iinfo(np.int64).min),
        covered=np.zeros((n, n_features), np.float32),
        values=np.zeros(n),
        spent=np.zeros(n, np.int64),
        n_chosen=np.zeros(n, np.int64),
        positions=np.zeros((n, n_picks), np.int64),
        gains=np.zeros((n, n_picks)),
    )


class _Objective(NamedTuple):
    """What a selection is worth, as compiled code sees it: concave_value(code, limit) of each feature, weighted."""

    weights: FloatArray
    seed_covered: FloatArray
    code: int
    limit: float


class _Rows(NamedTuple):
    """The rows of a batch as compiled code sees them: row i has features[starts[i]:starts[i + 1]]."""

    starts: PositionArray
    features: NDArray[np.int32]
    masses: NDArray[np.float32]
    costs: PositionArray


@njit(nogil=True, cache=True)
def _sift(rows, first_position, objective, budget, log_step, sieves, largest):  # type: ignore[no-untyped-def]
    """Offer every row of a batch to every sieve."""
    for row in range(len(rows.costs)):
        cost = rows.costs[row]
        if cost > budget:
            continue
        features = rows.features[rows.starts[row] : rows.starts[row + 1]]
        masses = rows.masses[rows.starts[row] : rows.starts[row + 1]]
        alone = _gain(features, masses, objective.seed_covered, objective)
        if alone <= 0:
            continue
        largest[0] = max(largest[0], alone)
        largest[1] = max(largest[1], alone / cost)
        lowest = int(np.ceil(np.log(largest[0]) / log_step))
        highest = int(np.floor(np.log(2 * budget * largest[1]) / log_step))
        for exponent in range(lowest, highest + 1):
            s = exponent % len(sieves.values)
            if sieves.exponents[s] != exponent:
                _reopen(sieves, s, exponent, objective.seed_covered)
            left = budget - sieves.spent[s]
            if cost > left or sieves.n_chosen[s] == sieves.positions.shape[1]:
                continue
            gain = _gain(features, masses, sieves.covered[s], objective)
            if gain > 0 and gain / cost >= (np.exp(exponent * log_step) / 2 - sieves.values[s]) / left:
                _take(sieves, s, first_position + row, cost, gain, features, masses)


@njit(nogil=True, cache=True)
def _gain(features, masses, covered, objective):  # type: ignore[no-untyped-def]
    gain = 0.0
    for i in range(len(features)):
        before = covered[features[i]]
        after = concave_value(before + masses[i], objective.code, objective.limit)
        gain += objective.weights[features[i]] * (after - concave_value(before, objective.code, objective.limit))
    return gain


@njit(nogil=True, cache=True)
def _reopen(sieves, s, exponent, seed_covered):  # type: ignore[no-untyped-def]
    """Empty sieve ``s`` and give it a new guess."""
    sieves.exponents[s] = exponent
    sieves.covered[s, :] = seed_covered
    sieves.values[s] = 0.0
    sieves.spent[s] = 0
    sieves.n_chosen[s] = 0


@njit(nogil=True, cache=True)
def _take(sieves, s, position, cost, gain, features, masses):  # type: ignore[no-untyped-def]
    """Add a row to sieve ``s``."""
    place = sieves.n_chosen[s]
    for i in range(len(features)):
        sieves.covered[s, features[i]] += masses[i]
    sieves.values[s] += gain
    sieves.spent[s] += cost
    sieves.positions[s, place] = position
    sieves.gains[s, place] = gain
    sieves.n_chosen[s] = place + 1
