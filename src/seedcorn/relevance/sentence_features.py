"""The compiled kernel of the built-in sentence encoder: hashed words, word pairs and character n-grams of a text.

Words are those of corpus.text.words. Every word gives one feature for itself, one for the pair with the word before
it, and one for each character n-gram (3 to 5 characters, with a mark at either end of the word). A word's character
n-grams share the weight of one feature, so that long words do not outweigh short ones.
"""

import numba
import numpy as np
from numpy.typing import NDArray

from seedcorn.corpus.text import CharacterClass

SHORTEST_NGRAM, LONGEST_NGRAM = 3, 5
_WORD_EDGE = 1
_HASH_START = np.uint64(0xCBF29CE484222325)
_HASH_PRIME = np.uint64(0x100000001B3)
_PAIR_SALT = np.uint64(0x9E3779B97F4A7C15)
_NGRAM_SALT = np.uint64(0xC2B2AE3D27D4EB4F)

_WORD = int(CharacterClass.WORD)
_SPACE = int(CharacterClass.SPACE)
_PUNCTUATION = int(CharacterClass.PUNCTUATION)
_JOINER = int(CharacterClass.JOINER)
_MARK = int(CharacterClass.MARK)
_PREFIX = int(CharacterClass.PREFIX)
_SYLLABLE = int(CharacterClass.SYLLABLE)
_STACKER = int(CharacterClass.STACKER)
_DROPPED = int(CharacterClass.DROPPED)


@numba.njit(nogil=True, cache=True)
def _decoded(data: NDArray[np.uint8], start: int, end: int, code_points: NDArray[np.int32]) -> int:
    """Write the code points of the UTF-8 bytes start..end and return how many there are."""
    n, i = 0, start
    while i < end:
        lead = np.int32(data[i])
        if lead < 0x80:
            code_points[n] = lead
            i += 1
        elif lead < 0xE0:
            code_points[n] = (lead & 0x1F) << 6 | (data[i + 1] & 0x3F)
            i += 2
        elif lead < 0xF0:
            code_points[n] = (lead & 0x0F) << 12 | (data[i + 1] & 0x3F) << 6 | (data[i + 2] & 0x3F)
            i += 3
        else:
            code_points[n] = (
                (lead & 0x07) << 18 | (data[i + 1] & 0x3F) << 12 | (data[i + 2] & 0x3F) << 6 | (data[i + 3] & 0x3F)
            )
            i += 4
        n += 1
    return n


@numba.njit(nogil=True, cache=True)
def _split(
    code_points: NDArray[np.int32],
    n: int,
    classes: NDArray[np.uint8],
    lowered: NDArray[np.int32],
    letters: NDArray[np.int32],
    word_starts: NDArray[np.int32],
) -> int:
    """Write the letters of all words one after another and where each starts; return the number of words.

    The state machine of corpus.text.words; ``word_starts`` has one more entry at the end.
    """
    n_letters, n_words = 0, 0
    inside, single, claimed = False, False, False
    joiner = 0
    for i in range(n):
        kind, low = classes[code_points[i]], lowered[code_points[i]]
        if kind == _DROPPED:
            continue
        if kind in (_MARK, _STACKER):
            if not inside:
                word_starts[n_words] = n_letters
                n_words += 1
                inside = True
            if joiner:
                letters[n_letters] = joiner
                n_letters, joiner = n_letters + 1, 0
            letters[n_letters] = low
            n_letters += 1
            claimed = claimed or kind == _STACKER
            continue
        if kind == _JOINER and inside and not single and joiner == 0:
            joiner = low
            continue
        if not ((kind == _WORD and not single) or (kind == _SYLLABLE and claimed)):
            inside, single, joiner = False, False, 0
        claimed = kind == _PREFIX
        if kind != _SPACE and kind != _PUNCTUATION and kind != _JOINER:
            if not inside:
                word_starts[n_words] = n_letters
                n_words += 1
                inside = True
            if joiner:
                letters[n_letters] = joiner
                n_letters, joiner = n_letters + 1, 0
            letters[n_letters] = low
            n_letters += 1
            single = kind != _WORD
    word_starts[n_words] = n_letters
    return n_words


@numba.njit(nogil=True, cache=True, inline="always")
def _mixed(hashed: np.uint64) -> np.uint64:
    """Return the hash with its bits spread (the finaliser of splitmix64): FNV alone fills low bits badly."""
    hashed = (hashed ^ (hashed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    hashed = (hashed ^ (hashed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return hashed ^ (hashed >> np.uint64(31))


@numba.njit(nogil=True, cache=True)
def _features(
    letters: NDArray[np.int32],
    word_starts: NDArray[np.int32],
    n_words: int,
    n_buckets: int,
    buckets: NDArray[np.int32],
    counts: NDArray[np.float32],
) -> int:
    """Write the bucket and the count of every feature and return how many there are; buckets may repeat."""
    modulus = np.uint64(n_buckets)
    n_features = 0
    before = np.uint64(0)
    for w in range(n_words):
        first, end = word_starts[w], word_starts[w + 1]
        whole = _HASH_START
        for i in range(first, end):
            whole = (whole ^ np.uint64(letters[i])) * _HASH_PRIME
        whole = _mixed(whole)
        buckets[n_features], counts[n_features] = np.int32(whole % modulus), 1.0
        n_features += 1
        if w:
            buckets[n_features], counts[n_features] = np.int32(_mixed(before * _PAIR_SALT ^ whole) % modulus), 1.0
            n_features += 1
        before = whole
        first_ngram = n_features
        # Positions first - 1 and end are the marks at the edges.
        for start in range(first - 1, end + 2 - SHORTEST_NGRAM):
            hashed = _HASH_START ^ _NGRAM_SALT
            for i in range(start, min(start + LONGEST_NGRAM, end + 1)):
                letter = letters[i] if first <= i < end else _WORD_EDGE
                hashed = (hashed ^ np.uint64(letter)) * _HASH_PRIME
                if i - start + 1 >= SHORTEST_NGRAM:
                    buckets[n_features] = np.int32(_mixed(hashed) % modulus)
                    n_features += 1
        counts[first_ngram:n_features] = np.float32(1.0 / max(n_features - first_ngram, 1))
    return n_features


@numba.njit(nogil=True, cache=True)
def _longest(offsets: NDArray[np.int32]) -> int:
    longest = 0
    for row in range(len(offsets) - 1):
        longest = max(longest, offsets[row + 1] - offsets[row])
    return longest


@numba.njit(nogil=True, cache=True)
def count_features(
    offsets: NDArray[np.int32],
    data: NDArray[np.uint8],
    n_buckets: int,
    classes: NDArray[np.uint8],
    lowered: NDArray[np.int32],
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
    """Return CSR row starts (n + 1,), buckets and counts of the features of every text; buckets may repeat in a row."""
    longest = _longest(offsets)
    code_points, letters = np.empty(longest + 1, np.int32), np.empty(longest + 1, np.int32)
    word_starts = np.empty(longest + 2, np.int32)
    # A word of k letters has 2 features and at most 3k n-grams.
    row_buckets, row_counts = np.empty(5 * longest + 8, np.int32), np.empty(5 * longest + 8, np.float32)
    n_rows = len(offsets) - 1
    row_starts = np.zeros(n_rows + 1, np.int64)
    buckets, counts = np.empty(1024, np.int32), np.empty(1024, np.float32)
    for row in range(n_rows):
        n = _decoded(data, offsets[row], offsets[row + 1], code_points)
        n_words = _split(code_points, n, classes, lowered, letters, word_starts)
        n_features = _features(letters, word_starts, n_words, n_buckets, row_buckets, row_counts)
        start = row_starts[row]
        if start + n_features > len(buckets):
            wider = 2 * (start + n_features)
            more_buckets, more_counts = np.empty(wider, np.int32), np.empty(wider, np.float32)
            more_buckets[:start], more_counts[:start] = buckets[:start], counts[:start]
            buckets, counts = more_buckets, more_counts
        buckets[start : start + n_features] = row_buckets[:n_features]
        counts[start : start + n_features] = row_counts[:n_features]
        row_starts[row + 1] = start + n_features
    return row_starts, buckets[: row_starts[n_rows]].copy(), counts[: row_starts[n_rows]].copy()


@numba.njit(nogil=True, cache=True, fastmath=True)
def sum_features(
    offsets: NDArray[np.int32],
    data: NDArray[np.uint8],
    bucket_vectors: NDArray[np.float32],
    classes: NDArray[np.uint8],
    lowered: NDArray[np.int32],
) -> NDArray[np.float32]:
    """Return for every text the sum of the vectors of its features, scaled to length one, shape (n, d)."""
    longest = _longest(offsets)
    code_points, letters = np.empty(longest + 1, np.int32), np.empty(longest + 1, np.int32)
    word_starts = np.empty(longest + 2, np.int32)
    buckets, counts = np.empty(5 * longest + 8, np.int32), np.empty(5 * longest + 8, np.float32)
    n_buckets, width = bucket_vectors.shape
    sums = np.zeros((len(offsets) - 1, width), np.float32)
    for row in range(len(offsets) - 1):
        n = _decoded(data, offsets[row], offsets[row + 1], code_points)
        n_words = _split(code_points, n, classes, lowered, letters, word_starts)
        n_features = _features(letters, word_starts, n_words, n_buckets, buckets, counts)
        total = sums[row]
        for f in range(n_features):
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
    return sums
