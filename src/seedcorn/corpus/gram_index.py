"""Texts indexed by their character 5-grams, to find those whose Jaccard similarity with another reaches a threshold.

Exact, not estimated, by prefix filtering (Chaudhuri, Ganti, Kaushik 2006; Bayardo, Ma, Srikant 2007): with grams
ordered from rare to frequent in the indexed texts, two similar sets share one of their first few grams.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedcorn.compiled import njit
from seedcorn.corpus.normalising import Texts, character_tables, normalise_text, text_buffers

CHARACTERS_PER_GRAM = 5
_START = np.uint64(0xCBF29CE484222325)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)
_TABLE_SHIFT = np.uint64(20)
HashArray = NDArray[np.uint64]


class GramSets(NamedTuple):
    """The distinct 5-gram hashes of each text, ascending: those of text i are ``grams[starts[i]:starts[i + 1]]``."""

    grams: HashArray
    starts: NDArray[np.int64]
    keys: HashArray  # one hash of each whole normalised text, 0 for a text without words


class GramIndex(NamedTuple):
    """The indexed texts by their grams, as ranks from rare to frequent.

    ``table_grams`` and ``table_ranks`` are a hash table with linear probing (rank -1: free). Text i has the ascending
    ``ranks[starts[i]:starts[i + 1]]``; rank r is in the prefixes of ``posted[post_starts[r]:post_starts[r + 1]]``.
    """

    table_grams: HashArray
    table_ranks: NDArray[np.int32]
    ranks: NDArray[np.int32]
    starts: NDArray[np.int64]
    posted: NDArray[np.int64]
    post_starts: NDArray[np.int64]


def gram_sets(texts: Texts) -> GramSets:
    """Return the 5-grams of each of ``texts``, normalised; a shorter text is one gram, one without words has none."""
    buffers = text_buffers(texts)
    grams = np.empty(len(buffers.utf8) + buffers.n_texts, np.uint64)
    sets = GramSets(grams, np.zeros(buffers.n_texts + 1, np.int64), np.zeros(buffers.n_texts, np.uint64))
    normalised = np.empty(buffers.longest + 1, np.uint32)
    _fill_gram_sets(buffers.utf8, buffers.offsets, character_tables(), normalised, sets)
    return sets._replace(grams=grams[: sets.starts[-1]].copy())


def gram_index(sets: GramSets, threshold: float) -> GramIndex:
    """Return what finds the texts of ``sets`` at least ``threshold`` similar to another."""
    grams, group, frequencies = np.unique(sets.grams, return_inverse=True, return_counts=True)
    rank_of = np.empty(len(grams), np.int32)
    rank_of[np.argsort(frequencies, kind="stable")] = np.arange(len(grams), dtype=np.int32)
    sizes = np.diff(sets.starts)
    texts = np.repeat(np.arange(len(sizes)), sizes)
    ranks = rank_of[group]
    ranks = ranks[np.lexsort((ranks, texts))]  # ascending within each text
    place = np.arange(len(ranks)) - sets.starts[texts]
    in_prefix = place < np.array([_prefix_length(int(size), threshold) for size in sizes], np.int64)[texts]
    order = np.argsort(ranks[in_prefix], kind="stable")
    n_slots = 1 << max(2 * len(grams), 1).bit_length()
    index = GramIndex(
        table_grams=np.zeros(n_slots, np.uint64),
        table_ranks=np.full(n_slots, -1, np.int32),
        ranks=ranks,
        starts=sets.starts,
        posted=texts[in_prefix][order],
        post_starts=np.searchsorted(ranks[in_prefix][order], np.arange(len(grams) + 1)),
    )
    _fill_table(grams, rank_of, index)
    return index


@njit(nogil=True, cache=True)
def _prefix_length(n_grams, threshold):  # type: ignore[no-untyped-def]
    """Return how many of its smallest grams a set must show: similar sets share one of these (0 for an empty set)."""
    return n_grams - math.ceil(threshold * n_grams - 1e-9) + 1 if n_grams > 0 else 0


@njit(nogil=True, cache=True)
def _hashed(normalised, start, end):  # type: ignore[no-untyped-def]
    value = _START
    for i in range(start, end):
        value = (value ^ np.uint64(normalised[i])) * _MIX
        value ^= value >> _SHIFT
    return value


@njit(nogil=True, cache=True)
def _fill_gram_sets(utf8, offsets, tables, normalised, sets):  # type: ignore[no-untyped-def]
    n = 0
    for i in range(len(offsets) - 1):
        end = normalise_text(utf8, offsets[i], offsets[i + 1], tables, normalised)
        if end > 0:
            sets.keys[i] = _hashed(normalised, 0, end)
            first = n
            for start in range(max(end - CHARACTERS_PER_GRAM, 0) + 1):
                sets.grams[n] = _hashed(normalised, start, min(start + CHARACTERS_PER_GRAM, end))
                n += 1
            n = first + _sort_distinct(sets.grams[first:n])
        sets.starts[i + 1] = n


@njit(nogil=True, cache=True)
def _sort_distinct(values):  # type: ignore[no-untyped-def]
    """Sort ``values`` in place, put the distinct ones first, and return how many they are."""
    values.sort()
    n = 1
    for i in range(1, len(values)):
        if values[i] != values[n - 1]:
            values[n] = values[i]
            n += 1
    return n


@njit(nogil=True, cache=True)
def _slot_of(gram, table_grams, table_ranks):  # type: ignore[no-untyped-def]
    """Return the slot that holds ``gram``, or the free one where it would be."""
    mask = len(table_grams) - 1
    slot = np.int64(gram >> _TABLE_SHIFT) & mask
    while table_ranks[slot] >= 0 and table_grams[slot] != gram:
        slot = (slot + 1) & mask
    return slot


@njit(nogil=True, cache=True)
def _fill_table(grams, ranks, index):  # type: ignore[no-untyped-def]
    for i in range(len(grams)):
        slot = _slot_of(grams[i], index.table_grams, index.table_ranks)
        index.table_grams[slot], index.table_ranks[slot] = grams[i], ranks[i]


@njit(nogil=True, cache=True)
def match_sets(found, index, threshold, best, similarities):  # type: ignore[no-untyped-def]
    """Write for each found set the most similar evaluation text (first of equals) and the similarity, -1 when below."""
    seen_by = np.full(len(index.starts) - 1, -1, np.int64)
    known = np.empty(len(found.grams), np.int32)
    for i in range(len(best)):
        n_grams = found.starts[i + 1] - found.starts[i]
        n_known = 0
        for gram in found.grams[found.starts[i] : found.starts[i + 1]]:
            rank = index.table_ranks[_slot_of(gram, index.table_grams, index.table_ranks)]
            if rank >= 0:
                known[n_known] = rank
                n_known += 1
        # Grams that no evaluation text has are the rarest: they come first in the prefix, and find nothing.
        n_to_look_up = _prefix_length(n_grams, threshold) - (n_grams - n_known)
        if n_to_look_up <= 0:
            continue
        own = known[:n_known]
        own.sort()
        for rank in own[:n_to_look_up]:
            for text in index.posted[index.post_starts[rank] : index.post_starts[rank + 1]]:
                if seen_by[text] == i:
                    continue
                seen_by[text] = i
                other = index.ranks[index.starts[text] : index.starts[text + 1]]
                similarity = _jaccard(own, n_grams, other, threshold)
                better = similarity > similarities[i] or (similarity == similarities[i] and text < best[i])
                if similarity >= threshold and better:
                    best[i], similarities[i] = text, similarity


@njit(nogil=True, cache=True)
def _jaccard(known, n_grams, other, threshold):  # type: ignore[no-untyped-def]
    """Return the Jaccard similarity of a set of n_grams, of which ``known`` are in the index, and ``other``.

    It is 0 when the sizes alone put it below ``threshold``.
    """
    if min(n_grams, len(other)) < threshold * max(n_grams, len(other)) - 1e-9:
        return 0.0
    i, j, n_shared = 0, 0, 0
    while i < len(known) and j < len(other):
        if known[i] == other[j]:
            n_shared += 1
            i += 1
            j += 1
        elif known[i] < other[j]:
            i += 1
        else:
            j += 1
    return n_shared / (n_grams + len(other) - n_shared)
