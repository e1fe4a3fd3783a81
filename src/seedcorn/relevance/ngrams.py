"""Hashed word n-grams over Arrow text buffers: scored on the fly, or as a sparse matrix for training and coverage.

Every word 1-, 2- and 3-gram falls into one of 2^n_bits buckets (feature hashing, Weinberger et al. 2009, without signs:
the weights of a bucket stay readable). The n-grams of a text come in one order everywhere: for each word, the n-grams
that end with it, shortest first.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from seedcorn.compiled import borrowed, njit
from seedcorn.corpus.normalising import (
    ASCII_JOINER,
    NOT_ASCII,
    SPACE,
    Texts,
    character_tables,
    normalise_text,
    text_buffers,
)
from seedcorn.corpus.parallel import map_in_order
from seedcorn.errors import ConfigError
from seedcorn.relevance.packed_weights import PackedWeights, weight_of

MAX_ORDER = 8
_FNV_START = np.uint64(0xCBF29CE484222325)
_FNV_PRIME = np.uint64(0x100000001B3)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)
_ZERO, _ONE = np.uint64(0), np.uint64(1)


class _Scratch(NamedTuple):
    """Room for one text: its normalised characters and the hashes of its words."""

    normalised: NDArray[np.uint32]
    words: NDArray[np.uint64]


@dataclass(frozen=True, kw_only=True)
class NgramFeatures:
    """Which n-grams are features: word 1- to ``order``-grams in 2^``n_bits`` buckets.

    Raises ConfigError for an order outside 1..8 or n_bits outside 4..28.
    """

    order: int = 3
    n_bits: int = 20

    def __post_init__(self) -> None:
        if not 1 <= self.order <= MAX_ORDER:
            raise ConfigError(wanted=f"an n-gram order in 1..{MAX_ORDER}", found=str(self.order))
        if not 4 <= self.n_bits <= 28:
            raise ConfigError(wanted="n_bits in 4..28", found=str(self.n_bits))

    @property
    def n_buckets(self) -> int:
        """The number of features."""
        return 1 << self.n_bits


class NgramSums(NamedTuple):
    """What the weights of its n-grams say of each text: their sum, how many there are, and how many words."""

    sums: NDArray[np.float64]
    n_ngrams: NDArray[np.int64]
    n_words: NDArray[np.int64]


def ngram_rows(
    texts: Texts, *, features: NgramFeatures = NgramFeatures()
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return (indptr, buckets): the n-grams of text i, in text order and repeated as in the text, are
    ``buckets[indptr[i]:indptr[i + 1]]``.
    """
    buffers = text_buffers(texts)
    # A word takes a byte and the space after it, so half of the bytes bound the words.
    n_words_at_most = (len(buffers.utf8) + buffers.n_texts) // 2 + 1
    buckets = np.empty(n_words_at_most * features.order, np.int32)
    indptr = np.zeros(buffers.n_texts + 1, np.int64)
    scratch = _Scratch(np.empty(buffers.longest + 1, np.uint32), np.empty(buffers.longest // 2 + 2, np.uint64))
    _fill_rows(
        buffers.utf8, buffers.offsets, character_tables(), scratch, features.order, features.n_bits, indptr, buckets
    )
    return indptr, buckets[: indptr[-1]].copy()


def ngram_matrix(texts: Texts, *, features: NgramFeatures = NgramFeatures()) -> csr_matrix:
    """Return the counts of every n-gram, float32 CSR of shape (n texts, n_buckets), columns sorted, no duplicates."""
    indptr, buckets = ngram_rows(texts, features=features)
    shape = (len(indptr) - 1, features.n_buckets)
    matrix = csr_matrix((np.ones(len(buckets), np.float32), buckets, indptr), shape=shape)
    matrix.sum_duplicates()
    return matrix


def ngram_sums(texts: Texts, weights: PackedWeights, *, features: NgramFeatures = NgramFeatures()) -> NgramSums:
    """Return the sum of ``weights``, of n_buckets features, over the n-grams of each text; nothing is materialised."""
    buffers = text_buffers(texts)
    result = NgramSums(np.empty(buffers.n_texts), *np.empty((2, buffers.n_texts), np.int64))
    scratch = _Scratch(np.empty(buffers.longest + 1, np.uint32), np.empty(buffers.longest // 2 + 2, np.uint64))
    _add_up(
        buffers.utf8, buffers.offsets, character_tables(), scratch, features.order, features.n_bits, weights, result
    )
    return result


def ngram_sums_of_batches(
    batches: Iterable[pa.StringArray],
    weights: PackedWeights,
    *,
    features: NgramFeatures = NgramFeatures(),
    n_threads: int = 1,
) -> Iterator[NgramSums]:
    """Yield ``ngram_sums`` of each batch, in order; the same numbers for any ``n_threads``."""
    return map_in_order(lambda texts: ngram_sums(texts, weights, features=features), batches, n_threads=n_threads)


def count_words(texts: Texts) -> NDArray[np.int64]:
    """Return the number of words of each text, shape (n,)."""
    return np.diff(ngram_rows(texts, features=NgramFeatures(order=1))[0])


@lru_cache(maxsize=256)
def ngram_spans(n_words: int, *, order: int) -> tuple[tuple[int, int], ...]:
    """Return first word and end of every n-gram of ``n_words`` words, in the order of the buckets in ``ngram_rows``."""
    return tuple((end - n, end) for end in range(1, n_words + 1) for n in range(1, min(order, end) + 1))


@njit(nogil=True, cache=True)
def _fill_rows(utf8, offsets, tables, scratch, order, n_bits, indptr, buckets):  # type: ignore[no-untyped-def]
    shift = np.uint64(64 - n_bits)
    letters, words = tables.ascii_letters, scratch.words
    n_ngrams = 0
    for i in range(len(offsets) - 1):
        n_words = _hash_ascii_words(utf8, offsets[i], offsets[i + 1], letters, words)
        if n_words < 0:
            n_words = _hash_any_words(utf8, offsets[i], offsets[i + 1], tables, scratch)
        for last in range(np.uint64(n_words)):
            ngram = _ZERO
            for n_before in range(min(last + _ONE, np.uint64(order))):
                ngram = _mixed(ngram + words[last - n_before])
                buckets[n_ngrams] = np.int32(ngram >> shift)
                n_ngrams += 1
        indptr[i + 1] = n_ngrams


@njit(nogil=True, cache=True)
def _add_up(utf8, offsets, tables, scratch, order, n_bits, weights, result):  # type: ignore[no-untyped-def]
    shift = np.uint64(64 - n_bits)
    letters, words, weights = tables.ascii_letters, scratch.words, borrowed(weights)
    for i in range(len(offsets) - 1):
        n_words = _hash_ascii_words(utf8, offsets[i], offsets[i + 1], letters, words)
        if n_words < 0:
            n_words = _hash_any_words(utf8, offsets[i], offsets[i + 1], tables, scratch)
        total, n_ngrams = 0.0, 0
        for last in range(np.uint64(n_words)):
            ngram = _ZERO
            for n_before in range(min(last + _ONE, np.uint64(order))):
                ngram = _mixed(ngram + words[last - n_before])
                total += weight_of(weights, ngram >> shift)
                n_ngrams += 1
        result.sums[i], result.n_ngrams[i], result.n_words[i] = total, n_ngrams, n_words


@njit(nogil=True, cache=True)
def _hash_any_words(utf8, start, end, tables, scratch):  # type: ignore[no-untyped-def]
    """Write the hashes of the words of ``utf8[start:end]`` into ``scratch.words`` and return how many they are."""
    n_normalised = normalise_text(utf8, start, end, tables, scratch.normalised)
    return _hash_normalised_words(scratch.normalised, n_normalised, scratch.words)


@njit(nogil=True, cache=True)
def _hash_normalised_words(normalised, n_normalised, words):  # type: ignore[no-untyped-def]
    n_words, word = 0, _FNV_START
    for i in range(n_normalised):
        if normalised[i] == SPACE:
            words[n_words] = _mixed(word)
            n_words, word = n_words + 1, _FNV_START
        else:
            word = (word ^ np.uint64(normalised[i])) * _FNV_PRIME
    words[n_words] = _mixed(word)
    return n_words + (n_normalised > 0)


@njit(nogil=True, cache=True)
def _hash_ascii_words(utf8, start, end, letters, words):  # type: ignore[no-untyped-def]
    """Hash as written: in ASCII there are only letters, what ends a word, and joiners between letters; else return -1.

    Where words end is as good as random to a processor, so no branch depends on it: every byte writes the word so far
    to where the next word ends, and what is no letter begins a word anew. Unsigned places need no test of their sign.
    """
    n_words, word, in_word = _ZERO, _FNV_START, False
    for place in range(np.uint64(start), np.uint64(end)):
        letter = letters[utf8[place]]
        extends = letter > NOT_ASCII
        if letter != 0 and not extends:
            if letter == NOT_ASCII:
                return -1
            joins = False
            if in_word and place + _ONE < np.uint64(end):
                after = utf8[place + _ONE]
                if letter == ASCII_JOINER:
                    joins = letters[after] > NOT_ASCII
                else:
                    joins = _is_digit(utf8[place - _ONE]) and _is_digit(after)
            extends = joins
            letter = utf8[place]
        words[n_words] = word
        n_words += np.uint64(in_word and not extends)
        word = (word ^ np.uint64(letter)) * _FNV_PRIME if extends else _FNV_START
        in_word = extends
    words[n_words] = word
    n_words += np.uint64(in_word)
    for i in range(n_words):
        words[i] = _mixed(words[i])
    return np.int64(n_words)


@njit(nogil=True, cache=True)
def _is_digit(byte):  # type: ignore[no-untyped-def]
    return 48 <= byte <= 57


@njit(nogil=True, cache=True)
def _mixed(value):  # type: ignore[no-untyped-def]
    value *= _MIX
    return (value ^ (value >> _HALF)) * _MIX
