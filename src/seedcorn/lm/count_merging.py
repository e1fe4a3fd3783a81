"""Counts of two texts put together: one walk over both tries, order by order."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedcorn.compiled import njit
from seedcorn.errors import DataError
from seedcorn.lm.count_trie import NGRAMS_PER_BLOCK, CountTrie
from seedcorn.lm.scratch import GrowingArray, let_go

_NONE = -1
_LARGEST = np.iinfo(np.int32).max


class _Nodes(NamedTuple):
    """Nodes of two tries beside each other, -1 where one has none."""

    a: NDArray[np.int32]
    b: NDArray[np.int32]


class _Block(NamedTuple):
    """Room for some merged n-grams, for the nodes that each comes from, and for where the children of each begin."""

    words: NDArray[np.int32]
    counts: NDArray[np.int64]
    sources: _Nodes
    first_children: NDArray[np.int32]


def merge_counts(a: CountTrie, b: CountTrie, *, folder: Path | None = None) -> CountTrie:
    """Return the counts of both texts together; their word ids must be those of one vocabulary.

    The n-grams go to files in ``folder`` when they are many. Raises DataError when they are more than 2^31.
    """
    n_tokens = sum(int(trie.counts[1 : 1 + trie.n_words].sum(dtype=np.int64)) for trie in (a, b))
    words, children = (GrowingArray(np.int32, folder=folder) for _ in range(2))
    counts: GrowingArray[np.int32] | GrowingArray[np.int64] = GrowingArray(np.int32, folder=folder)
    if n_tokens > _LARGEST:
        counts = GrowingArray(np.int64, folder=folder)
    words.append(np.full(1, _NONE, dtype=np.int32))
    counts.append(np.zeros(1, dtype=np.int64))
    order_begins = [0, 1]
    parents = _Nodes(np.zeros(1, dtype=np.int32), np.zeros(1, dtype=np.int32))
    block = _new_block(max(a.n_words + b.n_words, NGRAMS_PER_BLOCK))
    for _ in range(1, len(a.order_begins) - 1):
        sources_a, sources_b = (GrowingArray(np.int32, folder=folder) for _ in range(2))
        parent = 0
        while parent < len(parents.a):
            first = parent
            parent, n = _merge(a, b, parents, parent, block)
            _refuse_too_many(len(words) + n)
            children.append(block.first_children[: parent - first] + np.int32(len(words)))
            words.append(block.words[:n])
            counts.append(block.counts[:n])
            sources_a.append(block.sources.a[:n])
            sources_b.append(block.sources.b[:n])
            let_go(*a, *b, *parents)
        order_begins.append(len(words))
        parents = _Nodes(sources_a.finished(), sources_b.finished())
    children.append(np.array([len(words)], dtype=np.int32))
    return CountTrie(words.finished(), children.finished(), counts.finished(), np.array(order_begins, dtype=np.int64))


def _new_block(size: int) -> _Block:
    words, from_a, from_b, first_children = (np.empty(size, dtype=np.int32) for _ in range(4))
    return _Block(words, np.empty(size, dtype=np.int64), _Nodes(from_a, from_b), first_children)


def _refuse_too_many(n_ngrams: int) -> None:
    if n_ngrams > _LARGEST:
        fix = "Take a lower order, or a sample of the text."
        raise DataError(wanted=f"at most {_LARGEST:,} n-grams", found="more", fix=fix)


@njit(cache=True, nogil=True)
def _merge(a: CountTrie, b: CountTrie, parents: _Nodes, parent: int, block: _Block) -> tuple[int, int]:
    """Merge the children of ``parents`` from ``parent`` on while the block has room.

    Return the next parent, and how many children there are.
    """
    n, first = 0, parent
    while parent < len(parents.a) and parent - first < len(block.first_children):
        i_a, end_a, i_b, end_b = 0, 0, 0, 0
        if parents.a[parent] >= 0:
            i_a, end_a = a.children[parents.a[parent]], a.children[parents.a[parent] + 1]
        if parents.b[parent] >= 0:
            i_b, end_b = b.children[parents.b[parent]], b.children[parents.b[parent] + 1]
        if n + end_a - i_a + end_b - i_b > len(block.words):
            break
        block.first_children[parent - first] = n
        while i_a < end_a or i_b < end_b:
            take_a = i_a < end_a and (i_b == end_b or a.words[i_a] <= b.words[i_b])
            take_b = i_b < end_b and (i_a == end_a or b.words[i_b] <= a.words[i_a])
            block.sources.a[n], block.sources.b[n] = (i_a if take_a else _NONE), (i_b if take_b else _NONE)
            block.words[n] = a.words[i_a] if take_a else b.words[i_b]
            block.counts[n] = (a.counts[i_a] if take_a else 0) + (b.counts[i_b] if take_b else 0)
            i_a, i_b, n = i_a + take_a, i_b + take_b, n + 1
        parent += 1
    return parent, n
