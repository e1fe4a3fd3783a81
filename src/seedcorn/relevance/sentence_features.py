"""The compiled kernel of the built-in sentence encoder: hashed words, word pairs and character n-grams of a text.

Words are those of corpus.text.words. Every word gives one feature for itself, one for the pair with the word before
it, and one for each character n-gram (3 to 5 characters, with a mark at either end of the word). A word's character
n-grams share the weight of one feature, so that long words do not outweigh short ones.
"""

import numpy as np
from numpy.typing import NDArray

from seedcorn.compiled import njit
from seedcorn.corpus.normalising import SPACE, CharacterTables, TextBuffers, normalise_text

SHORTEST_NGRAM, LONGEST_NGRAM = 3, 5
_WORD_EDGE = 1
_HASH_START = np.uint64(0xCBF29CE484222325)
_HASH_PRIME = np.uint64(0x100000001B3)
_PAIR_SALT = np.uint64(0x9E3779B97F4A7C15)
_NGRAM_SALT = np.uint64(0xC2B2AE3D27D4EB4F)


@njit(nogil=True, cache=True, inline="always")
def _mixed(hashed: np.uint64) -> np.uint64:
    """Return the hash with its bits spread (the finaliser of splitmix64): FNV alone fills low bits badly."""
    hashed = (hashed ^ (hashed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    hashed = (hashed ^ (hashed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return hashed ^ (hashed >> np.uint64(31))


@njit(nogil=True, cache=True)
def _features(
    normalised: NDArray[np.uint32],
    n_letters: int,
    n_buckets: int,
    buckets: NDArray[np.int32],
    counts: NDArray[np.float32],
) -> int:
    """Write the bucket and the count of every feature and return how many there are; buckets may repeat."""
    modulus = np.uint64(n_buckets)
    n_features, first = 0, 0
    before = np.uint64(0)
    while first < n_letters:
        whole, end = _HASH_START, first
        while end < n_letters and normalised[end] != SPACE:
            whole = (whole ^ np.uint64(normalised[end])) * _HASH_PRIME
            end += 1
        whole = _mixed(whole)
        buckets[n_features], counts[n_features] = np.int32(whole % modulus), 1.0
        n_features += 1
        if first:
            buckets[n_features], counts[n_features] = np.int32(_mixed(before * _PAIR_SALT ^ whole) % modulus), 1.0
            n_features += 1
        before = whole
        first_ngram = n_features
        # Positions first - 1 and end are the marks at the edges of the word.
        for start in range(first - 1, end + 2 - SHORTEST_NGRAM):
            hashed = _HASH_START ^ _NGRAM_SALT
            for i in range(start, min(start + LONGEST_NGRAM, end + 1)):
                letter = normalised[i] if first <= i < end else _WORD_EDGE
                hashed = (hashed ^ np.uint64(letter)) * _HASH_PRIME
                if i - start + 1 >= SHORTEST_NGRAM:
                    buckets[n_features] = np.int32(_mixed(hashed) % modulus)
                    n_features += 1
        counts[first_ngram:n_features] = np.float32(1.0 / max(n_features - first_ngram, 1))
        first = end + 1
    return n_features


@njit(nogil=True, cache=True)
def _scratch(longest: int) -> tuple[NDArray[np.uint32], NDArray[np.int32], NDArray[np.float32]]:
    """Return room for the letters, buckets and counts of a text of ``longest`` bytes."""
    # A word of k letters has 2 features and at most 3k n-grams.
    return np.empty(longest + 1, np.uint32), np.empty(5 * longest + 8, np.int32), np.empty(5 * longest + 8, np.float32)


def count_features(
    texts: TextBuffers, tables: CharacterTables, *, n_buckets: int
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
    """Return CSR row starts (n + 1,), buckets and counts of the features of every text; buckets may repeat in a row."""
    row_starts = np.zeros(texts.n_texts + 1, np.int64)
    return _count_features(texts.utf8, texts.offsets, tables, _scratch(texts.longest), n_buckets, row_starts)


def sum_features(
    texts: TextBuffers, tables: CharacterTables, bucket_vectors: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return for every text the sum of the vectors of its features, scaled to length one, shape (n, d)."""
    sums = np.zeros((texts.n_texts, bucket_vectors.shape[1]), np.float32)
    _sum_features(texts.utf8, texts.offsets, tables, _scratch(texts.longest), bucket_vectors, sums)
    return sums


@njit(nogil=True, cache=True)
def _count_features(utf8, offsets, tables, scratch, n_buckets, row_starts):  # type: ignore[no-untyped-def]
    normalised, row_buckets, row_counts = scratch
    buckets, counts = np.empty(1024, np.int32), np.empty(1024, np.float32)
    for row in range(len(offsets) - 1):
        n_letters = normalise_text(utf8, offsets[row], offsets[row + 1], tables, normalised)
        n_features = _features(normalised, n_letters, n_buckets, row_buckets, row_counts)
        start = row_starts[row]
        if start + n_features > len(buckets):
            wider = 2 * (start + n_features)
            more_buckets, more_counts = np.empty(wider, np.int32), np.empty(wider, np.float32)
            for at in range(start):  # slices would check their shapes, which takes seconds to compile
                more_buckets[at], more_counts[at] = buckets[at], counts[at]
            buckets, counts = more_buckets, more_counts
        for at in range(n_features):
            buckets[start + at], counts[start + at] = row_buckets[at], row_counts[at]
        row_starts[row + 1] = start + n_features
    n_all = row_starts[len(offsets) - 1]
    return row_starts, buckets[:n_all].copy(), counts[:n_all].copy()


@njit(nogil=True, cache=True, fastmath=True)
def _sum_features(utf8, offsets, tables, scratch, bucket_vectors, sums):  # type: ignore[no-untyped-def]
    normalised, buckets, counts = scratch
    n_buckets, width = bucket_vectors.shape
    for row in range(len(offsets) - 1):
        n_letters = normalise_text(utf8, offsets[row], offsets[row + 1], tables, normalised)
        total = sums[row]
        for f in range(_features(normalised, n_letters, n_buckets, buckets, counts)):
            vector, count = bucket_vectors[buckets[f]], counts[f]
            for d in range(width):
                total[d] += count * vector[d]
        length = np.float32(0.0)
        for d in range(width):
            length += total[d] * total[d]
        if length > 0:
            scale = np.float32(1.0) / np.sqrt(length)
            for d in range(width):
                total[d] *= scale
