"""Counts of n-grams turned into what Kneser-Ney smoothing is estimated from, in place, on disk where they are many."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seedcorn.compiled import njit
from seedcorn.lm import trie_blocks
from seedcorn.lm.count_trie import CountTrie
from seedcorn.lm.scratch import let_go
from seedcorn.lm.trie import ROOT, Trie, find_child
from seedcorn.lm.trie_blocks import node_ranges, parent_ranges
from seedcorn.lm.vocabulary import BEGIN_ID


def mark_kept(
    trie: CountTrie, *, thresholds: Sequence[int], allowed: NDArray[np.bool_], kept: NDArray[np.bool_]
) -> None:
    """Set ``kept`` of n-grams of allowed words seen more often than the threshold of their order; 1-grams: allowed."""
    kept[ROOT], kept[1 : 1 + len(allowed)] = True, allowed
    for k in range(2, len(trie.order_begins) - 1):
        first, end = trie.order_begins[k - 1 : k + 1].tolist()
        for parents in parent_ranges(trie.children, first, end, n_nodes=trie_blocks.NODES_PER_BLOCK):
            _mark_children(trie, parents, thresholds[k - 1], allowed, kept)
            let_go(*trie, kept)


@njit(cache=True, nogil=True)
def _mark_children(
    trie: CountTrie,
    parents: tuple[int, int],
    threshold: int,
    allowed: NDArray[np.bool_],
    kept: NDArray[np.bool_],
) -> None:
    for parent in range(parents[0], parents[1]):
        for node in range(trie.children[parent], trie.children[parent + 1]):
            kept[node] = kept[parent] and allowed[trie.words[node]] and trie.counts[node] > threshold


def adjust_counts(trie: Trie, counts: NDArray[np.int32] | NDArray[np.int64]) -> None:
    """Turn the counts of lower orders into how many different words came before; set ``trie.suffixes`` on the way.

    What starts with ``<s>`` has no word before and keeps its count; ``<s>`` itself is never predicted. The suffixes of
    the n-grams of an order are in a window of the order below, one window after the other.
    """
    order_begins = trie.order_begins.tolist()
    trie.suffixes[: order_begins[2]] = ROOT
    first, end = 1 + BEGIN_ID, 2 + BEGIN_ID  # the n-grams that start with <s>: one range in each order
    for k in range(2, len(order_begins) - 1):
        for begin, stop in node_ranges(order_begins[k - 1], order_begins[k], n_nodes=trie_blocks.NODES_PER_BLOCK):
            counts[begin : max(begin, min(first, stop))] = 0
            counts[min(max(begin, end), stop) : stop] = 0
            let_go(counts)
        first, end = int(trie.children[first]), int(trie.children[end])
        lower = (order_begins[k - 2], order_begins[k - 1])
        for window in parent_ranges(trie.children, *lower, n_nodes=trie_blocks.NODES_PER_WINDOW):
            parents = (order_begins[k - 1], order_begins[k])
            for block in parent_ranges(trie.children, *parents, n_nodes=trie_blocks.NODES_PER_BLOCK):
                _link_children(trie, counts, block, window)
                nodes = slice(trie.children[block[0]], trie.children[block[1]])
                let_go(trie.words[nodes], trie.suffixes[nodes], trie.children[slice(*block)])
            let_go(*trie, counts)
    counts[1 + BEGIN_ID] = 0


@njit(cache=True, nogil=True)
def _link_children(
    trie: Trie, counts: NDArray[np.int32] | NDArray[np.int64], parents: tuple[int, int], window: tuple[int, int]
) -> None:
    """Link the children of ``parents`` whose suffixes are in ``window`` to theirs, and count them there."""
    for parent in range(parents[0], parents[1]):
        suffix = np.int64(trie.suffixes[parent])
        if window[0] <= suffix < window[1]:
            for node in range(trie.children[parent], trie.children[parent + 1]):
                child = find_child(trie.words, trie.children, suffix, trie.words[node])
                trie.suffixes[node] = child
                counts[child] += 1
