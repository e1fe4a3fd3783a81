"""N-grams as a trie of arrays: every node is an n-gram, its children are the words seen after it.

Node 0 is the empty history, node 1 + w the unigram of word w, then come all bigrams, trigrams, ..., each order sorted
by (node of the context, word), so that children lie side by side. The suffix of a node is the node of its longest
proper suffix that is stored: where backing off leads.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedcorn.compiled import njit

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
    first_parent: int,
    end_parent: int,
) -> None:
    """Set the suffixes of the children of the given parents, whole orders at a time, from order 1 upwards."""
    for parent in range(first_parent, end_parent):
        for node in range(children[parent], children[parent + 1]):
            state = parent
            child = ROOT
            while state != ROOT:
                state = suffixes[state]
                child = find_child(words, children, state, words[node])
                if child >= 0:
                    break
            suffixes[node] = child


def link_all_suffixes(trie: Trie) -> None:
    """Set ``trie.suffixes``, the only part of it that needs not be there yet."""
    trie.suffixes[ROOT] = ROOT
    for first, end in zip(trie.order_begins[:-2].tolist(), trie.order_begins[1:-1].tolist(), strict=True):
        link_suffixes(trie.words, trie.children, trie.suffixes, first, end)


class BuiltTrie(NamedTuple):
    """A trie made from rows of words, and for each order from 2 on the node of every row."""

    trie: Trie
    nodes: list[NDArray[np.int64]]


def trie_of_rows(n_words: int, rows: list[NDArray[np.int32]]) -> BuiltTrie:
    """Return the trie of n-grams given as word ids: ``rows[k - 2]`` is (n, k), in any order, repetitions allowed.

    Contexts that are not among the rows are added.
    """
    sizes = [1, n_words, *(len(of_order) for of_order in rows)]
    words, children = np.empty(sum(sizes), dtype=np.int32), np.empty(sum(sizes[:-1]) + 1, dtype=np.int32)
    words[0], words[1 : 1 + n_words] = -1, np.arange(n_words)
    children[0], children[1] = 1, 1 + n_words
    order_begins, nodes = [0, 1, 1 + n_words], []
    for k, of_order in enumerate(rows, 2):
        parents = find_nodes(words, children, of_order[:, :-1])
        if (parents < 0).any():
            contexts = np.unique(of_order[parents < 0, :-1], axis=0)
            built = trie_of_rows(n_words, [*rows[: k - 3], np.concatenate([rows[k - 3], contexts]), *rows[k - 2 :]])
            return BuiltTrie(built.trie, [n[: len(r)] for n, r in zip(built.nodes, rows, strict=True)])
        first_parent, first = order_begins[-2:]
        keys = (parents - first_parent) * n_words + of_order[:, -1]
        ranks = sorting_order(keys)
        is_new = np.ones(len(keys), dtype=np.bool_)
        is_new[1:] = keys[ranks[1:]] != keys[ranks[:-1]]
        nodes.append(np.empty(len(keys), dtype=np.int64))
        nodes[-1][ranks] = first + np.cumsum(is_new) - 1
        unique = ranks[is_new]
        n_children = np.bincount(parents[unique] - first_parent, minlength=first - first_parent)
        children[first_parent:first] = first + np.cumsum(n_children) - n_children
        children[first] = first + len(unique)
        words[first : first + len(unique)] = of_order[unique, -1]
        order_begins.append(first + len(unique))
    n_inner, n_nodes = order_begins[-2:]
    trie = Trie(words[:n_nodes], children[: n_inner + 1], np.empty(n_nodes, np.int32), np.array(order_begins))
    link_all_suffixes(trie)
    return BuiltTrie(trie, nodes)


@njit(cache=True, nogil=True)
def find_nodes(words: NDArray[np.int32], children: NDArray[np.int32], rows: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the node of each row of word ids, -1 where there is none."""
    nodes = np.empty(len(rows), dtype=np.int64)
    for i in range(len(rows)):
        node = ROOT
        for j in range(rows.shape[1]):
            node = find_child(words, children, node, rows[i, j])
            if node < 0:
                break
        nodes[i] = node
    return nodes


@njit(cache=True, nogil=True)
def ngram_rows(trie: Trie, k: int) -> NDArray[np.int32]:
    """Return the words of all n-grams of order ``k``, (n, k), in trie order."""
    first, end = trie.order_begins[k], trie.order_begins[k + 1]
    rows = np.empty((end - first, k), dtype=np.int32)
    path = trie.order_begins[: k + 1].copy()
    for node in range(first, end):
        path[k] = node
        for j in range(k - 1, 0, -1):
            while trie.children[path[j] + 1] <= path[j + 1]:
                path[j] += 1
        for j in range(k):
            rows[node - first, j] = trie.words[path[j + 1]]
    return rows
