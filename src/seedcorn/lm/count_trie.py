"""Sorted counts of n-grams as a trie, made from tokens.

The positions of the tokens are sorted by the words that follow them, one word more at each order, so that the n-grams
of each order come out as integers, in trie order: node of the context and word. What is finished is appended to
arrays that may lie on disk.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedcorn.compiled import njit
from seedcorn.lm.scratch import GrowingArray, let_go
from seedcorn.lm.vocabulary import END_ID

NGRAMS_PER_BLOCK = 1 << 18
_POSITION_BITS = 32
POSITION_MASK = (1 << _POSITION_BITS) - 1
_INSERTION_SORT_BELOW = 24


class CountTrie(NamedTuple):
    """The n-grams of some text as a trie (see seedcorn.lm.trie), ``counts`` (n_nodes,) how often each was seen.

    Counts are int32, int64 where the text has too many tokens for that.
    """

    words: NDArray[np.int32]
    children: NDArray[np.int32]
    counts: NDArray[np.int32] | NDArray[np.int64]
    order_begins: NDArray[np.int64]

    @property
    def n_words(self) -> int:
        """The size of the vocabulary."""
        return int(self.order_begins[2] - 1)


class _Contexts(NamedTuple):
    """The n-grams of one order, in order: the last word of each and how many positions it has."""

    words: NDArray[np.int32]
    counts: NDArray[np.int32]


class _Place(NamedTuple):
    """How far an order is: contexts done, and positions read and written."""

    context: int
    read: int
    written: int


class _Block(NamedTuple):
    """Room for some n-grams of one word more, for where those of each context begin, and for sorting."""

    words: NDArray[np.int32]
    counts: NDArray[np.int32]
    first_children: NDArray[np.int32]
    keys: NDArray[np.int64]


def count_tokens(tokens: NDArray[np.int32], *, n_words: int, order: int, folder: Path | None = None) -> CountTrie:
    """Count the n-grams of ``tokens``, whole sentences from ``<s>`` to ``</s>``, up to ``order``.

    Linear in the number of tokens but for sorting the followers of each context. The n-grams go to files in
    ``folder`` when they are many; beside them 4 bytes a token, and 8 for each follower of the most frequent context.
    """
    positions, occurrences = _sort_by_word(tokens, n_words)
    words, counts, children = (GrowingArray(np.int32, folder=folder) for _ in range(3))
    words.append(np.arange(-1, n_words, dtype=np.int32))
    counts.append(np.append(np.int32(0), occurrences))
    children.append(np.ones(1, dtype=np.int32))
    order_begins = [0, 1, 1 + n_words]
    most_followers = int(occurrences.max())
    for depth in range(1, order):
        contexts = _Contexts(words.array()[order_begins[-2] :], counts.array()[order_begins[-2] :])
        block = _new_block(most_followers)
        place, most_followers = _Place(0, 0, 0), 1
        while place.context < len(contexts.words):
            first = place.context
            place, n = _extend(tokens, positions, depth, contexts, place, block)
            children.append(block.first_children[: place.context - first] + np.int32(len(words)))
            words.append(block.words[:n])
            counts.append(block.counts[:n])
            most_followers = max(most_followers, int(block.counts[:n].max(initial=0)))
            let_go(*contexts)
        order_begins.append(len(words))
    children.append(np.array([len(words)], dtype=np.int32))
    return CountTrie(words.finished(), children.finished(), counts.finished(), np.array(order_begins, dtype=np.int64))


def _new_block(most_followers: int) -> _Block:
    size = max(most_followers, NGRAMS_PER_BLOCK)
    words, counts, first_children = (np.empty(size, dtype=np.int32) for _ in range(3))
    return _Block(words, counts, first_children, np.empty(most_followers, dtype=np.int64))


@njit(cache=True, nogil=True)
def _sort_by_word(tokens: NDArray[np.int32], n_words: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return all positions sorted by their token, and how often each word occurs."""
    counts = np.zeros(n_words, dtype=np.int32)
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
    contexts: _Contexts,
    place: _Place,
    block: _Block,
) -> tuple[_Place, int]:
    """Sort the positions of the next contexts, of ``depth`` words, by one word more, while the block has room.

    Return the place after them, and how many n-grams there are. Contexts that end in ``</s>`` go no further, and their
    positions are squeezed away, so that those of the new n-grams lie side by side as well.
    """
    context, read, written = place.context, place.read, place.written
    longer_words, longer_counts, first_children, keys = block
    n, n_taken, first = 0, 0, context
    while context < len(contexts.words) and context - first < len(first_children):
        size = int(contexts.counts[context])
        is_over = contexts.words[context] == END_ID
        if not is_over and n_taken + size > len(longer_words):
            break
        first_children[context - first] = n
        context += 1
        if is_over or size == 0:
            read += size
            continue
        n_taken += size
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
    return _Place(context, read, written), n
