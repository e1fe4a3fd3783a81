"""Weights of n-gram features without the zeros, so few that a processor's second cache holds them.

Most n-grams of a pool were never seen when the weights were fitted. Looked up among all weights, each of them is a read
from far memory that says zero; here a bit says so, and where a weight is, is told by counting the bits before its own
(rank of a bit vector, Jacobson 1989).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedcorn.compiled import njit, population_count

_BITS = 64
_SHIFT, _LAST = np.uint64(6), np.uint64(_BITS - 1)


class PackedWeights(NamedTuple):
    """``values`` (n + 1,) of the n buckets with a weight, then 0 for all others.

    ``has_weight`` (n_buckets / 64,) are their bits, the first bucket's lowest; ``n_before`` how many come before.
    """

    values: NDArray[np.float32]
    has_weight: NDArray[np.uint64]
    n_before: NDArray[np.int64]


def packed(weights: NDArray[np.float32]) -> PackedWeights:
    """Return ``weights`` (n_buckets,) without the zeros."""
    used = weights != 0
    bits = np.zeros(-(-len(weights) // _BITS) * _BITS, np.bool_)
    bits[: len(weights)] = used
    n_in_word = bits.reshape(-1, _BITS).sum(axis=1)
    return PackedWeights(
        values=np.append(weights[used], np.float32(0)),
        has_weight=np.packbits(bits, bitorder="little").view(np.dtype("<u8")).astype(np.uint64),
        n_before=np.cumsum(n_in_word) - n_in_word,
    )


@njit(nogil=True, cache=True)
def weight_of(packed, bucket):  # type: ignore[no-untyped-def]
    """Return the weight of ``bucket``, an unsigned number."""
    word = bucket >> _SHIFT
    up_to_own = packed.has_weight[word] << (_LAST - (bucket & _LAST))
    place = np.uint64(packed.n_before[word]) + population_count(up_to_own) - np.uint64(1)
    return packed.values[place if up_to_own >> _LAST else np.uint64(len(packed.values) - 1)]
