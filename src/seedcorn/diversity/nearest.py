"""The nearest of many vectors, by blocks of matrix products; the nearest already-kept neighbour of each kept row."""

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from seedcorn.selection import PositionArray

Vectors: TypeAlias = NDArray[np.float32]

DEFAULT_BLOCK_MB = 64
NO_NEIGHBOUR = -1
# Similarities are multiples of this: equal vectors tie exactly, whatever the blocks and threads of the products.
RESOLUTION = np.float32(2.0**-18)


class Nearest(NamedTuple):
    """The nearest of the others for each row, (n,): which one and its inner product; (-1, -inf) without others."""

    positions: PositionArray
    similarities: NDArray[np.float32]


class NearestKept(NamedTuple):
    """The neighbour of each kept row in rank order: a row of the seed, or a row of the pool kept before; else -1."""

    seed_rows: PositionArray
    positions: PositionArray
    similarities: NDArray[np.float32]


def blocks(n_rows: int, n_columns: int, *, block_mb: int) -> Iterator[slice]:
    """Yield slices of ``n_rows`` rows so that a float32 block of ``n_columns`` columns takes ``block_mb`` megabytes."""
    size = max(1, block_mb * 2**20 // (4 * max(n_columns, 1)))
    return (slice(start, min(start + size, n_rows)) for start in range(0, n_rows, size))


def rounded(products: Vectors) -> Vectors:
    """Return ``products`` rounded to RESOLUTION, in place."""
    products /= RESOLUTION
    np.rint(products, out=products)
    products *= RESOLUTION
    return products


def nearest(rows: Vectors, others: Vectors, *, block_mb: int = DEFAULT_BLOCK_MB) -> Nearest:
    """Return for each of ``rows`` (n, d) which of ``others`` (m, d) has the highest inner product, first of equals."""
    positions = np.full(len(rows), NO_NEIGHBOUR, np.int64)
    similarities = np.full(len(rows), -np.inf, np.float32)
    if len(others):
        for block in blocks(len(rows), len(others), block_mb=block_mb):
            products = rounded(rows[block] @ others.T)
            positions[block] = products.argmax(axis=1)
            similarities[block] = np.take_along_axis(products, positions[block, None], axis=1)[:, 0]
    return Nearest(positions, similarities)


def bring_closer(
    closest: NDArray[np.float32], rows: Vectors, others: Vectors, *, block_mb: int = DEFAULT_BLOCK_MB
) -> None:
    """Raise ``closest`` (n,), in place, to the highest inner product of ``rows`` (n, d) with ``others`` (m, d)."""
    for block in blocks(len(rows), len(others), block_mb=block_mb):
        np.maximum(closest[block], rounded((rows[block] @ others.T).max(axis=1)), out=closest[block])


def nearest_kept(
    vectors: Vectors, kept: PositionArray, *, seed_vectors: Vectors, block_mb: int = DEFAULT_BLOCK_MB
) -> NearestKept:
    """Return the nearest neighbour of each ``kept`` row of ``vectors`` (n, d) among the seed and those kept before it.

    Ties go to the seed, then to the row kept first. The first row kept without a seed has none (-1, -inf).
    """
    kept_vectors = vectors[kept]
    in_seed = nearest(kept_vectors, seed_vectors, block_mb=block_mb)
    before = _nearest_before(kept_vectors, block_mb)
    from_seed = in_seed.similarities >= before.similarities
    ranks = before.positions
    return NearestKept(
        seed_rows=np.where(from_seed, in_seed.positions, NO_NEIGHBOUR),
        positions=np.where(from_seed | (ranks < 0), NO_NEIGHBOUR, kept[ranks]) if len(kept) else kept,
        similarities=np.maximum(in_seed.similarities, before.similarities),
    )


def _nearest_before(vectors: Vectors, block_mb: int) -> Nearest:
    """Return for each row the nearest of the rows above it."""
    positions = np.full(len(vectors), NO_NEIGHBOUR, np.int64)
    similarities = np.full(len(vectors), -np.inf, np.float32)
    for block in blocks(len(vectors), len(vectors), block_mb=block_mb):
        products = rounded(vectors[block] @ vectors[: block.stop].T)
        products[np.arange(block.stop) >= np.arange(block.start, block.stop)[:, None]] = -np.inf
        best = products.argmax(axis=1)
        similarities[block] = np.take_along_axis(products, best[:, None], axis=1)[:, 0]
        positions[block] = np.where(np.isneginf(similarities[block]), NO_NEIGHBOUR, best)
    return Nearest(positions, similarities)
