"""N-grams as a trie of arrays: every node is an n-gram, its children are the words seen after it.

Node 0 is the empty history, node 1 + w the unigram of word w, then come all bigrams, trigrams, ..., each order sorted
by (node of the context, word), so that children lie side by side. The suffix of a node is the node of its longest
proper suffix that is stored: where backing off leads.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

ROOT = 0
_RADIX_BITS = 11


class Trie(NamedTuple):
    """The shape of a model without its numbers.

    ``words`` (n_nodes,) is the last word of each node; ``children`` (n_inner + 1,) where the children of each node
    below the highest order begin; ``suffixes`` (n_nodes,); ``order_begins`` (order + 2,) the first node of each
    order 0, 1, ..., and the number of nodes.
    """

    words: NDArray[np.int32]
    children: NDArray[np.int32]
    suffixes: NDArray[np.int32]
    order_begins: NDArray[np.int64]


@njit(cache=True, nogil=True)
def find_child(words: NDArray[np.int32], children: NDArray[np.int32], node: int, word: int) -> int:
    """Return the child of ``node`` whose last word is ``word``, or -1."""
    if node == ROOT:
        return 1 + word
    low, high = children[node], children[node + 1]
    while low < high:
        middle = (low + high) >> 1
        if words[middle] < word:
            low = middle + 1
        else:
            high = middle
    return low if low < children[node + 1] and words[low] == word else -1


@njit(cache=True, nogil=True)
def sorting_order(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the stable sorting permutation of ``keys`` >= 0, by radix: linear in their number."""
    n = len(keys)
    order, spare = np.arange(n), np.empty(n, dtype=np.int64)
    largest = 0
    for key in keys:
        largest = max(largest, key)
    shift = 0
    while largest >> shift > 0:
        begins = np.zeros((1 << _RADIX_BITS) + 1, dtype=np.int64)
        for key in keys:
            begins[((key >> shift) & ((1 << _RADIX_BITS) - 1)) + 1] += 1
        begins = np.cumsum(begins)
        for i in range(n):
            digit = (keys[order[i]] >> shift) & ((1 << _RADIX_BITS) - 1)
            spare[begins[digit]] = order[i]
            begins[digit] += 1
        order, spare = spare, order
        shift += _RADIX_BITS
    return order


@njit(cache=True, nogil=True)
def link_suffixes(
    words: NDArray[np.int32],
    children: NDArray[np.int32],
    suffixes: NDArray[np.int32],
    parents: NDArray[np.int64],
    first: int,
) -> None:
    """Set the suffixes of the nodes from ``first`` on, whose contexts are ``parents``; lower orders have theirs."""
    for i in range(len(parents)):
        if parents[i] == ROOT:
            suffixes[first + i] = ROOT
            continue
        state = suffixes[parents[i]]
        child = find_child(words, children, state, words[first + i])
        while child < 0:
            state = suffixes[state]
            child = find_child(words, children, state, words[first + i])
        suffixes[first + i] = child
