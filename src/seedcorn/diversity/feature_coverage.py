"""Feature-based submodular functions: f(S) = sum_u w_u g(sum of m_u(x) over x in S) for concave g.

Every feature (word n-gram) is worth less the more often it has been covered, so rows that bring new n-grams gain most
(Wei, Liu, Kirchhoff, Bilmes 2014). What the seed already covers counts from the start. Gains are computed by compiled
code straight from the sparse rows; a row costs one look-up a feature.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from seedcorn.compiled import njit
from seedcorn.diversity.methods import Concave
from seedcorn.errors import ConfigError, DataError
from seedcorn.selection import FloatArray, PositionArray

CONCAVE_CODES = {Concave.SQRT: 0, Concave.LOG1P: 1, Concave.SATURATED: 2}


class CoverageArrays(NamedTuple):
    """The objective as compiled code sees it; rows are CSR, features are numbered from 0 without gaps.

    ``covered`` is how much of each feature is chosen so far and ``unit_gains`` what one more occurrence would add; both
    change as rows are added. ``own_gains`` is what a row adds by itself, whatever was chosen.
    """

    row_starts: NDArray[np.int64]
    features: NDArray[np.int32]
    masses: NDArray[np.float32]
    weights: FloatArray
    covered: FloatArray
    unit_gains: FloatArray
    own_gains: FloatArray
    concave_code: int
    limit: float


class FeatureCoverage:
    """The feature-based objective over the rows of a sparse matrix, and what is chosen of it so far.

    ``rows`` holds m_u(x) >= 0 as CSR (n, n_features); ``seed_rows`` is what counts as chosen from the start;
    ``feature_weights`` are w_u >= 0 (all 1 by default); ``row_bonus`` (n,) >= 0 is added to the gain of each row
    (a modular term: relevance beside diversity). ``limit`` is where g = saturated stops growing.
    Raises DataError for negative values and shapes that differ.
    """

    def __init__(
        self,
        rows: csr_matrix,
        *,
        seed_rows: csr_matrix | None = None,
        feature_weights: FloatArray | None = None,
        row_bonus: FloatArray | None = None,
        concave: Concave = Concave.SQRT,
        limit: float = 3.0,
    ) -> None:
        n_rows, n_features = rows.shape
        if concave is Concave.SATURATED and limit <= 0:
            raise ConfigError(wanted="a saturation limit above 0", found=str(limit))
        weights = checked(feature_weights, n_features, "feature weights", default=1.0)
        covered = np.zeros(n_features) if seed_rows is None else column_sums(seed_rows, n_features)
        masses = np.asarray(rows.data, np.float32)
        if len(masses) and not masses.min() >= 0:
            raise DataError(wanted="feature amounts of at least 0", found=f"{masses.min()}")
        used, features = _renumbered(rows.indices, n_features)
        self.arrays = CoverageArrays(
            row_starts=rows.indptr.astype(np.int64),
            features=features,
            masses=masses,
            weights=weights[used],
            covered=covered[used],
            unit_gains=np.empty(len(used)),
            own_gains=checked(row_bonus, n_rows, "row bonuses", default=0.0).copy(),
            concave_code=CONCAVE_CODES[concave],
            limit=limit,
        )
        refresh_unit_gains(self.arrays)

    @property
    def n_rows(self) -> int:
        """Rows that can be chosen."""
        return len(self.arrays.own_gains)

    def gains(self, rows: PositionArray) -> FloatArray:
        """Return what each of ``rows`` alone would add now, shape (n,)."""
        return gains_of(self.arrays, rows)

    def add(self, row: int) -> None:
        """Count ``row`` as chosen."""
        add_row(self.arrays, row)


def checked(values: FloatArray | None, n: int, what: str, *, default: float) -> FloatArray:
    """Return ``values`` as float64 (n,), or ``default`` everywhere; DataError when negative or of another shape."""
    if values is None:
        return np.full(n, default)
    if values.shape != (n,):
        raise DataError(wanted=f"{n:,} {what}", found=f"an array of shape {values.shape}")
    if n and not values.min() >= 0:
        raise DataError(wanted=f"{what} of at least 0", found=f"{values.min()}")
    return values.astype(np.float64)


def column_sums(rows: csr_matrix, n_features: int) -> FloatArray:
    """Return how much all ``rows`` together hold of each feature, (n_features,)."""
    if rows.shape[1] != n_features:
        raise DataError(wanted=f"seed rows with {n_features:,} features", found=f"{rows.shape[1]:,}")
    return np.bincount(rows.indices, weights=rows.data, minlength=n_features).astype(np.float64)


def _renumbered(features: NDArray[np.int32], n_features: int) -> tuple[PositionArray, NDArray[np.int32]]:
    """Return the features that occur, most frequent first so that hot ones lie together, and all renumbered so."""
    counts = np.bincount(features, minlength=n_features)
    used = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]
    numbers = np.zeros(n_features, np.int32)
    numbers[used] = np.arange(len(used), dtype=np.int32)
    return used, numbers[features]


@njit(nogil=True, cache=True, inline="always")
def concave_value(amount, code, limit):  # type: ignore[no-untyped-def]
    """Return g(amount)."""
    if code == 0:
        return np.sqrt(amount)
    if code == 1:
        return np.log1p(amount)
    return min(amount, limit)


@njit(nogil=True, cache=True)
def _unit_gain(a, feature):  # type: ignore[no-untyped-def]
    before = a.covered[feature]
    after = concave_value(before + 1.0, a.concave_code, a.limit)
    return a.weights[feature] * (after - concave_value(before, a.concave_code, a.limit))


@njit(nogil=True, cache=True)
def refresh_unit_gains(a):  # type: ignore[no-untyped-def]
    """Set ``unit_gains`` from ``covered``."""
    for feature in range(len(a.covered)):
        a.unit_gains[feature] = _unit_gain(a, feature)


@njit(nogil=True, cache=True)
def row_gain(a, row):  # type: ignore[no-untyped-def]
    """Return what ``row`` would add."""
    gain = a.own_gains[row]
    for i in range(a.row_starts[row], a.row_starts[row + 1]):
        feature, mass = a.features[i], a.masses[i]
        if mass == 1.0:
            gain += a.unit_gains[feature]
        else:
            before = a.covered[feature]
            after = concave_value(before + mass, a.concave_code, a.limit)
            gain += a.weights[feature] * (after - concave_value(before, a.concave_code, a.limit))
    return gain


@njit(nogil=True, cache=True)
def gains_of(a, rows):  # type: ignore[no-untyped-def]
    """Return what each of ``rows`` alone would add, shape (n,)."""
    gains = np.empty(len(rows))
    for i in range(len(rows)):
        gains[i] = row_gain(a, rows[i])
    return gains


@njit(nogil=True, cache=True)
def add_row(a, row):  # type: ignore[no-untyped-def]
    """Count ``row`` as chosen."""
    for i in range(a.row_starts[row], a.row_starts[row + 1]):
        feature = a.features[i]
        a.covered[feature] += a.masses[i]
        a.unit_gains[feature] = _unit_gain(a, feature)
