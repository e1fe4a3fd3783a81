"""N-grams taken out of a trie, a block at a time."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seedcorn.compiled import njit
from seedcorn.lm import trie_blocks
from seedcorn.lm.scratch import GrowingArray, Number, let_go, new_array
from seedcorn.lm.trie import Trie
from seedcorn.lm.trie_blocks import node_ranges, parent_ranges


def keep_nodes(trie: Trie, kept: NDArray[np.bool_], *, folder: Path | None = None) -> Trie:
    """Return ``trie`` with the nodes ``kept`` only; words that lose their unigram lose their id, too.

    A node that is kept needs its context kept. Suffixes that are gone are followed to the next that is left. What is
    large lies in files in ``folder``, in memory without one.
    """
    new_places = new_array(len(kept), np.int32, folder=folder)  # of those not kept: that of their suffix
    n_left = [0]
    for order_begin, order_end in zip(trie.order_begins[:-1].tolist(), trie.order_begins[1:].tolist(), strict=True):
        n = n_left[-1]
        for begin, end in node_ranges(order_begin, order_end, n_nodes=trie_blocks.NODES_PER_BLOCK):
            places = np.cumsum(kept[begin:end], dtype=np.int32)
            new_places[begin:end] = n + places - 1
            n += int(places[-1])
            let_go(kept, new_places)
        n_left.append(n)
    words = kept_values(trie.words, kept, folder=folder)
    n_words = int(trie.order_begins[2] - 1) if len(trie.order_begins) > 2 else 0
    _renumber(words, new_places[1 : 1 + n_words] - 1)
    children = _kept_children(trie, kept, n_left, folder)
    suffixes = _kept_suffixes(trie, kept, new_places, new_array(n_left[-1], np.int32, folder=folder))
    return Trie(words, children, suffixes, np.array(n_left, dtype=np.int64))


def kept_values(values: NDArray[Number], kept: NDArray[np.bool_], *, folder: Path | None = None) -> NDArray[Number]:
    """Return those of ``values``, one for each of the first nodes, whose node is kept."""
    growing = GrowingArray(values.dtype.type, folder=folder)
    for begin, end in node_ranges(0, len(values), n_nodes=trie_blocks.NODES_PER_BLOCK):
        growing.append(values[begin:end][kept[begin:end]])
        let_go(values, kept)
    return growing.finished()


def _renumber(words: NDArray[np.int32], new_ids: NDArray[np.int32]) -> None:
    for begin, end in node_ranges(1, len(words), n_nodes=trie_blocks.NODES_PER_BLOCK):
        words[begin:end] = new_ids[words[begin:end]]
        let_go(words)


def _kept_children(trie: Trie, kept: NDArray[np.bool_], n_left: list[int], folder: Path | None) -> NDArray[np.int32]:
    """Return where the children of each kept parent begin among those that are left."""
    growing = GrowingArray(np.int32, folder=folder)
    at = 1
    for parents in parent_ranges(trie.children, 0, int(trie.order_begins[-2]), n_nodes=trie_blocks.NODES_PER_BLOCK):
        begins = np.empty(parents[1] - parents[0], dtype=np.int32)
        n, at = _count_children(trie.children, kept, parents, at, begins)
        growing.append(begins[:n])
        let_go(trie.children, kept)
    growing.append(np.array([n_left[-1]]))
    return growing.finished()


@njit(cache=True, nogil=True)
def _count_children(
    children: NDArray[np.int32], kept: NDArray[np.bool_], parents: tuple[int, int], at: int, begins: NDArray[np.int32]
) -> tuple[int, int]:
    """Set where the children of each kept parent begin; return how many parents that are, and where the last end."""
    n = 0
    for parent in range(parents[0], parents[1]):
        if kept[parent]:
            begins[n] = at
            n += 1
            for node in range(children[parent], children[parent + 1]):
                at += kept[node]
    return n, at


def _kept_suffixes(
    trie: Trie, kept: NDArray[np.bool_], new_places: NDArray[np.int32], suffixes: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Fill ``suffixes``, those of the nodes left, and return them; a window of suffixes is looked up at a time."""
    suffixes[0] = 0
    for first, end in zip(trie.order_begins[1:-1].tolist(), trie.order_begins[2:].tolist(), strict=True):
        blocks = list(node_ranges(first, end, n_nodes=trie_blocks.NODES_PER_BLOCK))
        lowest = min((int(trie.suffixes[slice(*block)].min()) for block in blocks), default=first)
        for window in node_ranges(lowest, first, n_nodes=trie_blocks.NODES_PER_WINDOW):
            for block in blocks:
                _move_suffixes(trie.suffixes, kept, block, window, new_places, suffixes)
                let_go(trie.suffixes, kept)
            let_go(new_places, suffixes)
    return suffixes


@njit(cache=True, nogil=True)
def _move_suffixes(
    old: NDArray[np.int32],
    kept: NDArray[np.bool_],
    nodes: tuple[int, int],
    window: tuple[int, int],
    new_places: NDArray[np.int32],
    new: NDArray[np.int32],
) -> None:
    for node in range(nodes[0], nodes[1]):
        if window[0] <= old[node] < window[1]:
            place = new_places[old[node]]
            if kept[node]:
                new[new_places[node]] = place
            else:
                new_places[node] = place
