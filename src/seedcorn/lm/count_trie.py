"""Sorted counts of n-grams as a trie: made from tokens, and two of them merged.

The positions of the tokens are sorted by the words that follow them, one word more at each order, so that the n-grams
of each order come out as integers, in trie order: node of the context and word. Merging two is one walk over both.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedcorn.compiled import njit
from seedcorn.lm.scratch import NewArray, array_in_memory
from seedcorn.lm.vocabulary import END_ID

_POSITION_BITS = 32
POSITION_MASK = (1 << _POSITION_BITS) - 1
_INSERTION_SORT_BELOW = 24


class CountTrie(NamedTuple):
    """The n-grams of some text as a trie (see seedcorn.lm.trie), ``counts`` (n_nodes,) how often each was seen."""

    words: NDArray[np.int32]
    children: NDArray[np.int32]
    counts: NDArray[np.int64]
    order_begins: NDArray[np.int64]


@njit(cache=True, nogil=True)
def _sort_by_word(tokens: NDArray[np.int32], n_words: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return all positions sorted by their token, and how often each word occurs."""
    counts = np.zeros(n_words, dtype=np.int64)
    for token in tokens:
        counts[token] += 1
    at = np.cumsum(counts) - counts
    positions = np.empty(len(tokens), dtype=np.int32)
    for i in range(len(tokens)):
        positions[at[tokens[i]]] = i
        at[tokens[i]] += 1
    return positions, counts


@njit(cache=True, nogil=True)
def _sort(keys: NDArray[np.int64]) -> None:
    if len(keys) >= _INSERTION_SORT_BELOW:
        keys.sort()
        return
    for i in range(1, len(keys)):
        key, j = keys[i], i
        while j > 0 and keys[j - 1] > key:
            keys[j] = keys[j - 1]
            j -= 1
        keys[j] = key


@njit(cache=True, nogil=True)
def _extend(
    tokens: NDArray[np.int32],
    positions: NDArray[np.int32],
    depth: int,
    last_words: NDArray[np.int32],
    counts: NDArray[np.int64],
    longer_words: NDArray[np.int32],
    longer_counts: NDArray[np.int64],
    first_children: NDArray[np.int32],
) -> int:
    """Sort ``positions``, grouped by the ``depth`` words from each on, by one word more; return how many n-grams.

    The groups are those of ``counts``, in order, and groups that end in ``</s>`` go no further. Positions that fall
    out are squeezed away, so that the new groups lie side by side as well.
    """
    largest = 0
    for size in counts:
        largest = max(largest, size)
    keys = np.empty(largest, dtype=np.int64)
    n, read, written = 0, 0, 0
    for group in range(len(counts)):
        first_children[group] = n
        size = counts[group]
        if last_words[group] == END_ID or size == 0:
            read += size
            continue
        if size == 1:
            position = positions[read]
            positions[written] = position
            longer_words[n], longer_counts[n] = tokens[position + depth], 1
            n, read, written = n + 1, read + 1, written + 1
            continue
        for i in range(size):
            position = np.int64(positions[read + i])
            keys[i] = (np.int64(tokens[position + depth]) << _POSITION_BITS) | position
        _sort(keys[:size])
        for i in range(size):
            word = np.int32(keys[i] >> _POSITION_BITS)
            if i == 0 or word != longer_words[n - 1]:
                longer_words[n], longer_counts[n] = word, 0
                n += 1
            longer_counts[n - 1] += 1
            positions[written + i] = np.int32(keys[i] & POSITION_MASK)
        read, written = read + size, written + size
    return n


def count_tokens(tokens: NDArray[np.int32], *, n_words: int, order: int) -> CountTrie:
    """Count the n-grams of ``tokens``, whole sentences from ``<s>`` to ``</s>``, up to ``order``.

    Linear in the number of tokens but for sorting the followers of each context; 8 bytes a token besides the n-grams.
    """
    positions, counts = _sort_by_word(tokens, n_words)
    levels = [(np.arange(n_words, dtype=np.int32), counts)]
    n_nodes = 1 + n_words
    children = [np.array([1], dtype=np.int32)]
    n_left = len(tokens)
    for depth in range(1, order):
        words, counts = levels[-1]
        n_left -= int(counts[words == END_ID].sum())
        longer_words, longer_counts = np.empty(n_left, dtype=np.int32), np.empty(n_left, dtype=np.int64)
        first_children = np.empty(len(words), dtype=np.int32)
        n = _extend(tokens, positions, depth, words, counts, longer_words, longer_counts, first_children)
        levels.append((longer_words[:n].copy(), longer_counts[:n].copy()))
        first_children += n_nodes
        children.append(first_children)
        n_nodes += n
    sizes = [1, *(len(words) for words, _ in levels)]
    return CountTrie(
        words=np.concatenate([np.array([-1], dtype=np.int32), *(words for words, _ in levels)]),
        children=np.concatenate([*children, np.array([n_nodes], dtype=np.int32)]),
        counts=np.concatenate([np.array([0]), *(counts for _, counts in levels)]),
        order_begins=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
    )


class _Nodes(NamedTuple):
    """Nodes of two tries beside each other, -1 where one has none."""

    a: NDArray[np.int64]
    b: NDArray[np.int64]


@njit(cache=True, nogil=True)
def _merge_level(
    a: CountTrie,
    b: CountTrie,
    merged: CountTrie,
    parents: _Nodes,
    sources: _Nodes,
    first_parent: int,
    first: int,
) -> int:
    """Merge the children of all parents (-1 where a trie lacks one) into ``merged``; return how many there are.

    The nodes of each are written into ``sources``.
    """
    n = 0
    for i in range(len(parents.a)):
        merged.children[first_parent + i] = first + n
        i_a, end_a, i_b, end_b = 0, 0, 0, 0
        if parents.a[i] >= 0:
            i_a, end_a = a.children[parents.a[i]], a.children[parents.a[i] + 1]
        if parents.b[i] >= 0:
            i_b, end_b = b.children[parents.b[i]], b.children[parents.b[i] + 1]
        while i_a < end_a or i_b < end_b:
            take_a = i_a < end_a and (i_b == end_b or a.words[i_a] <= b.words[i_b])
            take_b = i_b < end_b and (i_a == end_a or b.words[i_b] <= a.words[i_a])
            sources.a[n], sources.b[n] = (i_a if take_a else -1), (i_b if take_b else -1)
            merged.words[first + n] = a.words[i_a] if take_a else b.words[i_b]
            merged.counts[first + n] = (a.counts[i_a] if take_a else 0) + (b.counts[i_b] if take_b else 0)
            i_a, i_b, n = i_a + take_a, i_b + take_b, n + 1
    return n


def merge_counts(a: CountTrie, b: CountTrie, *, new_array: NewArray = array_in_memory) -> CountTrie:
    """Return the counts of both texts together; their word ids must be those of one vocabulary.

    ``new_array`` makes the arrays, for instance on disk.
    """
    most_inner = int(a.order_begins[-2] + b.order_begins[-2])
    most_nodes = int(a.order_begins[-1] + b.order_begins[-1])
    merged = CountTrie(
        words=new_array(most_nodes, np.int32),
        children=new_array(most_inner + 1, np.int32),
        counts=new_array(most_nodes, np.int64),
        order_begins=np.zeros_like(a.order_begins),
    )
    merged.words[0], merged.counts[0] = -1, 0
    merged.order_begins[1] = 1
    parents = _Nodes(np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64))
    for order in range(1, len(a.order_begins) - 1):
        most = sum(int(trie.order_begins[order + 1] - trie.order_begins[order]) for trie in (a, b))
        sources = _Nodes(new_array(most, np.int64), new_array(most, np.int64))
        first_parent, first = int(merged.order_begins[order - 1]), int(merged.order_begins[order])
        n = _merge_level(a, b, merged, parents, sources, first_parent, first)
        merged.order_begins[order + 1] = first + n
        parents = _Nodes(sources.a[:n], sources.b[:n])
    n_inner, n_nodes = int(merged.order_begins[-2]), int(merged.order_begins[-1])
    merged.children[n_inner] = n_nodes
    return CountTrie(
        merged.words[:n_nodes], merged.children[: n_inner + 1], merged.counts[:n_nodes], merged.order_begins
    )
