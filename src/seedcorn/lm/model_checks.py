"""Whether the arrays of a model file are a model: every index in range, so that compiled code reads nothing else."""

import numpy as np
from numpy.typing import NDArray

from seedcorn.array_files import is_ascending
from seedcorn.compiled import njit
from seedcorn.lm.automaton import NgramArrays
from seedcorn.lm.ngram_model import MAX_ORDER
from seedcorn.lm.vocabulary import BEGIN, END, UNKNOWN, WordTable, hash_bytes, slot_of

_LARGEST_LOGP = 1e-3  # a little over 0, for rounding
_LEAST_ORDER_BEGINS = 3

_SPECIAL_BYTES = np.frombuffer(f"{UNKNOWN}{BEGIN}{END}".encode(), np.uint8)
_SPECIAL_ENDS = np.cumsum([0, len(UNKNOWN), len(BEGIN), len(END)])


def problem_of(arrays: NgramArrays, order_begins: NDArray[np.int64], table: WordTable) -> str:
    """Return what is wrong with the arrays of a model, empty when nothing is; linear in their size."""
    if not _is_vocabulary(table):
        return "a vocabulary that is none"
    if not _has_sizes_of_a_trie(arrays, order_begins, len(table.ends) - 1):
        return "arrays of sizes that do not fit"
    if not _is_trie(arrays.words, arrays.children, arrays.suffixes, order_begins, len(table.ends) - 1):
        return "n-grams outside the arrays"
    if np.isnan(arrays.logps).any() or (arrays.logps > _LARGEST_LOGP).any() or not np.isfinite(arrays.backoffs).all():
        return "numbers that are no log probabilities"
    return ""


def _is_vocabulary(table: WordTable) -> bool:
    n_words, n_slots = len(table.ends) - 1, len(table.slots)
    if n_words < len(_SPECIAL_ENDS) - 1 or n_slots < 1 or n_slots & (n_slots - 1):
        return False
    if table.ends[0] != 0 or table.ends[-1] != len(table.text) or not is_ascending(table.ends):
        return False
    if not np.array_equal(table.ends[: len(_SPECIAL_ENDS)], _SPECIAL_ENDS):
        return False
    if not np.array_equal(table.text[: len(_SPECIAL_BYTES)], _SPECIAL_BYTES):
        return False
    in_range = (table.slots >= -1).all() and (table.slots < n_words).all() and (table.slots < 0).any()
    return bool(in_range) and bool(_finds_its_words(table))


@njit(cache=True, nogil=True)
def _finds_its_words(table: WordTable) -> bool:
    for word in range(len(table.ends) - 1):
        start, end = table.ends[word], table.ends[word + 1]
        if table.slots[slot_of(table, table.text, start, end, hash_bytes(table.text, start, end))] != word:
            return False
    return True


def _has_sizes_of_a_trie(arrays: NgramArrays, order_begins: NDArray[np.int64], n_words: int) -> bool:
    n_nodes, n_inner = len(arrays.words), len(arrays.backoffs)
    if not _LEAST_ORDER_BEGINS <= len(order_begins) <= MAX_ORDER + 2:
        return False
    return bool(
        len(arrays.suffixes) == len(arrays.logps) == n_nodes
        and len(arrays.children) == n_inner + 1
        and order_begins[:3].tolist() == [0, 1, 1 + n_words]
        and is_ascending(order_begins)
        and order_begins[-1] == n_nodes
        and order_begins[-2] == n_inner
    )


@njit(cache=True, nogil=True)
def _is_trie(
    words: NDArray[np.int32],
    children: NDArray[np.int32],
    suffixes: NDArray[np.int32],
    order_begins: NDArray[np.int64],
    n_words: int,
) -> bool:
    """Tell whether children lie side by side in the next order, sorted by word, and every suffix is of a lower one."""
    if children[0] != 1 or children[len(children) - 1] != len(words) or suffixes[0] != 0:
        return False
    for order in range(len(order_begins) - 2):
        if children[order_begins[order]] != order_begins[order + 1]:
            return False
    for node in range(1, 1 + n_words):
        if words[node] != node - 1:
            return False
    for parent in range(len(children) - 1):
        if children[parent + 1] < children[parent]:
            return False
    for parent in range(len(children) - 1):
        before = -1
        for node in range(children[parent], children[parent + 1]):
            if not before < words[node] < n_words:
                return False
            before = words[node]
    for order in range(1, len(order_begins) - 1):
        for node in range(order_begins[order], order_begins[order + 1]):
            if not 0 <= suffixes[node] < order_begins[order]:
                return False
    return True
