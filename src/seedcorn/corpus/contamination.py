"""Pool rows that repeat each other or the evaluation text, found in one pass over any number of rows.

Texts are compared normalised (corpus.text.normalise), and are equal when that is. Near-equal means that the Jaccard
similarity of their sets of character 5-grams reaches a threshold: exact, not estimated, by prefix filtering (Chaudhuri,
Ganti, Kaushik 2006; Bayardo, Ma, Srikant 2007): with grams ordered from rare to frequent in the evaluation text, two
similar sets share one of their first few grams.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seedcorn.compiled import njit
from seedcorn.corpus.normalising import Texts, character_tables, normalise_text, text_buffers
from seedcorn.corpus.parallel import Mapper, map_in_order
from seedcorn.corpus.resuming import Arrays, AsArrays, map_resumable
from seedcorn.errors import ConfigError
from seedcorn.progress import track
from seedcorn.selection import FloatArray, PositionArray, Selection

CHARACTERS_PER_GRAM = 5
REPEATED = "repeats an earlier row"
EQUAL_TO_EVALUATION = "equal to an evaluation text"
NEAR_TO_EVALUATION = "nearly equal to an evaluation text"

_START = np.uint64(0xCBF29CE484222325)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)
_TABLE_SHIFT = np.uint64(20)

HashArray = NDArray[np.uint64]


@dataclass(frozen=True, kw_only=True)
class NearDuplicates:
    """Pool rows at least ``threshold`` similar to an evaluation text, by position, with the most similar one of those.

    Arrays of shape (k,): ``positions`` in the pool, ``matches`` in the evaluation text (the first of equally similar
    ones), ``similarities`` and whether the normalised texts are ``equal``.
    """

    positions: PositionArray
    matches: PositionArray
    similarities: FloatArray
    equal: NDArray[np.bool_]
    n_rows: int


@dataclass(frozen=True, kw_only=True)
class Screening:
    """What of a pool may be used: ``selection`` in pool order, and how many rows each kept one stands for.

    ``n_copies`` (n_rows,) is 1 for a kept row that nothing repeats, 0 for a rejected one; gains of the selection equal
    it. ``evaluation`` lists the rows that were too near to evaluation text.
    """

    selection: Selection
    n_copies: NDArray[np.int64]
    evaluation: NearDuplicates


class _GramSets(NamedTuple):
    """The distinct 5-gram hashes of each text, ascending: those of text i are ``grams[starts[i]:starts[i + 1]]``."""

    grams: HashArray
    starts: NDArray[np.int64]
    keys: HashArray  # one hash of each whole normalised text, 0 for a text without words


class _Index(NamedTuple):
    """The evaluation texts by their grams, as ranks from rare to frequent.

    ``table_grams`` and ``table_ranks`` are a hash table with linear probing (rank -1: free). Text i has the ascending
    ``ranks[starts[i]:starts[i + 1]]``; rank r is in the prefixes of ``posted[post_starts[r]:post_starts[r + 1]]``.
    """

    table_grams: HashArray
    table_ranks: NDArray[np.int32]
    ranks: NDArray[np.int32]
    starts: NDArray[np.int64]
    posted: NDArray[np.int64]
    post_starts: NDArray[np.int64]


class _Compared(NamedTuple):
    """One batch against the evaluation text: the keys of all rows, and the rows that are near to a text."""

    n_rows: int
    keys: HashArray
    rows: PositionArray
    matches: PositionArray
    similarities: FloatArray
    equal: NDArray[np.bool_]


def screen_pool(
    batches: Iterable[pa.StringArray],
    evaluation: Texts,
    *,
    threshold: float = 0.8,
    n_threads: int = 1,
    mapper: Mapper | None = None,
    folder: Path | str | None = None,
) -> Screening:
    """Keep the first of equal pool rows, unless it is equal or nearly equal to an ``evaluation`` text (dev and test).

    One pass, which ``mapper`` carries out, by default ``n_threads`` threads; memory grows by 8 bytes a row. The result
    does not depend on it or on the batches. With a ``folder`` an interrupted pass goes on from its finished shards.
    """
    mapper = mapper or partial(map_in_order, n_threads=n_threads)
    compared = list(_compared(batches, evaluation, threshold, mapper, None if folder is None else Path(folder)))
    near = _collected(compared)
    first = _first_of_equal([batch.keys for batch in compared])
    codes = np.where(first == np.arange(near.n_rows), -1, 0).astype(np.int16)
    codes[near.positions] = np.where(near.equal, 1, 2)
    kept = np.flatnonzero(codes < 0)
    n_copies = np.zeros(near.n_rows, np.int64)
    n_copies[kept] = np.bincount(first, minlength=near.n_rows)[kept]
    selection = Selection(
        positions=kept,
        gains=n_copies[kept].astype(np.float64),
        reject_codes=codes,
        reject_reasons=(REPEATED, EQUAL_TO_EVALUATION, NEAR_TO_EVALUATION),
    )
    return Screening(selection=selection, n_copies=n_copies, evaluation=near)


def exact_duplicates(batches: Iterable[pa.StringArray], *, n_threads: int = 1) -> PositionArray:
    """Return for each row the position of the first row with the same normalised text (its own for that first one).

    Texts are compared by a 64-bit hash: among 20 million distinct texts, two are confused with probability 1e-5.
    """
    return _first_of_equal(list(map_in_order(lambda texts: _gram_sets(texts).keys, batches, n_threads=n_threads)))


def near_duplicates(
    batches: Iterable[pa.StringArray], evaluation: Texts, *, threshold: float = 0.8, n_threads: int = 1
) -> NearDuplicates:
    """Return the rows of ``batches`` whose Jaccard similarity with an ``evaluation`` text is at least ``threshold``.

    A text of fewer than five characters is one gram; texts without words are like nothing. Memory does not grow with
    the pool. Raises ConfigError for a threshold outside (0, 1].
    """
    without_keys, mapper = np.zeros(0, np.uint64), partial(map_in_order, n_threads=n_threads)
    return _collected([c._replace(keys=without_keys) for c in _compared(batches, evaluation, threshold, mapper)])


def _compared(
    batches: Iterable[pa.StringArray],
    evaluation: Texts,
    threshold: float,
    mapper: Mapper,
    folder: Path | None = None,
) -> Iterator[_Compared]:
    if not 0 < threshold <= 1:
        raise ConfigError(wanted="a similarity threshold above 0 and up to 1", found=str(threshold))
    wanted = _gram_sets(evaluation)
    compare = partial(_compare, keys=wanted.keys, index=_indexed(wanted, threshold), threshold=threshold)
    results = map_resumable(mapper, compare, batches, folder=folder, as_arrays=AsArrays(_to_arrays, _from_arrays))
    return track(results, "comparing batches with the evaluation text")


def _to_arrays(compared: _Compared) -> Arrays:
    return {name: np.asarray(value) for name, value in compared._asdict().items()}


def _from_arrays(arrays: Arrays) -> _Compared:
    return _Compared(
        n_rows=int(arrays["n_rows"]),
        keys=arrays["keys"].astype(np.uint64),
        rows=arrays["rows"].astype(np.int64),
        matches=arrays["matches"].astype(np.int64),
        similarities=arrays["similarities"].astype(np.float64),
        equal=arrays["equal"].astype(np.bool_),
    )


# Not inside the function above: another process would compile the kernels anew that a closure brings along.
def _compare(texts: pa.StringArray, *, keys: HashArray, index: _Index, threshold: float) -> _Compared:
    """Return the rows of ``texts`` that are near to the evaluation text of ``index``, whose texts have ``keys``."""
    found = _gram_sets(texts)
    best, similarities = np.full(len(texts), -1, np.int64), np.zeros(len(texts))
    _match(found, index, threshold, best, similarities)
    rows = np.flatnonzero(best >= 0)
    matches = best[rows]
    return _Compared(len(texts), found.keys, rows, matches, similarities[rows], found.keys[rows] == keys[matches])


def _collected(batches: list[_Compared]) -> NearDuplicates:
    starts = np.cumsum([0, *(batch.n_rows for batch in batches)])
    rows = [batch.rows + start for batch, start in zip(batches, starts, strict=False)]
    return NearDuplicates(
        positions=np.concatenate([np.zeros(0, np.int64), *rows]),
        matches=np.concatenate([np.zeros(0, np.int64), *(batch.matches for batch in batches)]),
        similarities=np.concatenate([np.zeros(0), *(batch.similarities for batch in batches)]),
        equal=np.concatenate([np.zeros(0, np.bool_), *(batch.equal for batch in batches)]),
        n_rows=int(starts[-1]),
    )


def _first_of_equal(keys: list[HashArray]) -> PositionArray:
    joined = np.concatenate([np.zeros(0, np.uint64), *keys])
    _, first, group = np.unique(joined, return_index=True, return_inverse=True)
    return first[group].astype(np.int64)


def _gram_sets(texts: Texts) -> _GramSets:
    buffers = text_buffers(texts)
    grams = np.empty(len(buffers.utf8) + buffers.n_texts, np.uint64)
    sets = _GramSets(grams, np.zeros(buffers.n_texts + 1, np.int64), np.zeros(buffers.n_texts, np.uint64))
    normalised = np.empty(buffers.longest + 1, np.uint32)
    _fill_gram_sets(buffers.utf8, buffers.offsets, character_tables(), normalised, sets)
    return sets._replace(grams=grams[: sets.starts[-1]].copy())


def _indexed(sets: _GramSets, threshold: float) -> _Index:
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
    index = _Index(
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
def _match(found, index, threshold, best, similarities):  # type: ignore[no-untyped-def]
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
