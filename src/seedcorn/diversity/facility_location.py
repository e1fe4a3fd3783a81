"""Facility location: f(S) = sum over points i of the similarity of i to its nearest chosen row.

It asks that every part of the pool has a chosen row near it (Mirchandani, Francis 1990; Wei, Iyer, Bilmes 2015).
Similarities are cosines, negative ones counting 0, which makes f monotone submodular. A gain costs one matrix product
with the represented points; a sample of these makes large pools affordable.
"""

import numpy as np

from seedcorn.diversity.nearest import DEFAULT_BLOCK_MB, Vectors, blocks, nearest, rounded
from seedcorn.errors import ConfigError, DataError
from seedcorn.selection import FloatArray, PositionArray


class FacilityLocation:
    """The facility-location objective over unit rows ``vectors`` (n, d), and how near each point is to the chosen.

    ``seed_vectors`` (m, d) count as chosen from the start. With ``n_represented`` only that many points, drawn by
    ``rng``, are represented; all otherwise. ``weights`` (n,) >= 0 say how much each point matters (its relevance).
    Memory: beside the embeddings, similarities of at most ``block_mb`` megabytes at a time.
    """

    def __init__(
        self,
        vectors: Vectors,
        *,
        seed_vectors: Vectors | None = None,
        weights: FloatArray | None = None,
        n_represented: int | None = None,
        rng: np.random.Generator | None = None,
        block_mb: int = DEFAULT_BLOCK_MB,
    ) -> None:
        represented = _represented(len(vectors), n_represented, rng)
        self._rows = vectors
        self._points = np.ascontiguousarray(vectors[represented])
        self._weights = np.ones(len(represented)) if weights is None else weights[represented].astype(np.float64)
        if len(self._weights) and not self._weights.min() >= 0:
            raise DataError(wanted="weights of at least 0", found=f"{self._weights.min()}")
        self._block_mb = block_mb
        self._nearest = np.zeros(len(represented), np.float32)
        if seed_vectors is not None and len(seed_vectors):
            self._nearest = np.maximum(nearest(self._points, seed_vectors, block_mb=block_mb).similarities, 0)

    @property
    def n_rows(self) -> int:
        """Rows that can be chosen."""
        return len(self._rows)

    def gains(self, rows: PositionArray) -> FloatArray:
        """Return what each of ``rows`` alone would add now, shape (n,)."""
        gains = np.empty(len(rows))
        for block in blocks(len(rows), len(self._points), block_mb=self._block_mb):
            nearer = rounded(self._points @ self._rows[rows[block]].T) - self._nearest[:, None]
            np.maximum(nearer, 0, out=nearer)
            gains[block] = self._weights @ nearer
        return gains

    def add(self, row: int) -> None:
        """Count ``row`` as chosen."""
        self._nearest = np.maximum(self._nearest, rounded(self._points @ self._rows[row]))


def _represented(n_rows: int, n_represented: int | None, rng: np.random.Generator | None) -> PositionArray:
    if n_represented is None or n_represented >= n_rows:
        return np.arange(n_rows)
    if rng is None or n_represented < 1:
        raise ConfigError(
            wanted="n_represented of at least 1, and an rng to draw them", found=f"{n_represented}, {rng}"
        )
    return np.sort(rng.choice(n_rows, n_represented, replace=False))
