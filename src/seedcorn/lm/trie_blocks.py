"""Passes over a trie that may lie on disk: a block of n-grams at a time, after which memory is let go of."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

NODES_PER_BLOCK = 1 << 18
# Of the n-grams of one order so many are looked up in any order, while all n-grams one word longer pass by.
NODES_PER_WINDOW = 1 << 21


def parent_ranges(children: NDArray[np.int32], first: int, end: int, *, n_nodes: int) -> Iterator[tuple[int, int]]:
    """Yield the parents from ``first`` to ``end`` in ranges of up to ``n_nodes`` children: more only of one parent."""
    while first < end:
        begins = children[first : min(first + n_nodes, end) + 1]
        n_parents = int(np.searchsorted(begins, np.int64(begins[0]) + n_nodes, side="right")) - 1
        yield first, first + max(n_parents, 1)
        first += max(n_parents, 1)


def node_ranges(first: int, end: int, *, n_nodes: int) -> Iterator[tuple[int, int]]:
    """Yield the nodes from ``first`` to ``end`` in ranges of ``n_nodes``."""
    for begin in range(first, end, n_nodes):
        yield begin, min(begin + n_nodes, end)
