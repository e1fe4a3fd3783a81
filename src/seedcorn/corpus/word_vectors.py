"""Word vectors from unlabelled text, so that models meet few words that they know nothing of.

Positive pointwise mutual information of words within three positions of each other, closer ones counting more and
frequent contexts damped by the power 0.75, reduced by a truncated SVD (Levy, Goldberg, Dagan 2015). Words are kept by
hash, not by name: 2^64 values make a clash unlikely, and a saved network holds no word of anybody's text.
"""

import functools
from collections import Counter
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix, diags_array

from seedcorn.corpus.normalising import Texts, normalise_all
from seedcorn.errors import DataError
from seedcorn.selection import FloatArray, PositionArray

WINDOW = 3
CONTEXT_POWER = 0.75
N_WORDS = 20_000
MIN_COUNT = 3
_HASH_START, _HASH_PRIME, _HASH_MASK = 0xCBF29CE484222325, 0x100000001B3, (1 << 64) - 1


@functools.lru_cache(maxsize=1 << 18)
def word_hash(word: str) -> int:
    """Return the 64-bit FNV-1a hash of ``word`` as UTF-8, the same on every machine."""
    value = _HASH_START
    for byte in word.encode("utf-8"):
        value = ((value ^ byte) * _HASH_PRIME) & _HASH_MASK
    return value


@dataclass(frozen=True)
class WordVectors:
    """Vectors of length one and relative log frequencies of known words, in order of their ``hashes`` (n,), ascending.

    ``vectors`` is float32 (n + 1, d), its last row the zeros of unknown words; ``log_frequencies`` (n + 1,) is the
    natural log of the share of texts with the word, that of unknown words being the log of less than one text.
    """

    hashes: NDArray[np.uint64]
    vectors: NDArray[np.float32]
    log_frequencies: NDArray[np.float32]

    def rows(self, hashes: NDArray[np.uint64]) -> PositionArray:
        """Return the row of each of ``hashes`` (m,), the last row for unknown ones."""
        places = np.searchsorted(self.hashes, hashes)
        known = (places < len(self.hashes)) & (self.hashes[np.minimum(places, len(self.hashes) - 1)] == hashes)
        return np.where(known, places, len(self.hashes))


def fit_word_vectors(
    texts: Texts, *, n_dimensions: int = 100, n_words: int = N_WORDS, min_count: int = MIN_COUNT, random_seed: int = 0
) -> WordVectors:
    """Return vectors of the ``n_words`` most frequent words of ``texts`` that occur ``min_count`` times or more.

    Takes some ten seconds for 400,000 utterances. Raises DataError when hardly any word occurs often enough.
    """
    split = [text.split() for text in normalise_all(texts)]
    counts = Counter(chain.from_iterable(split))
    by_count = sorted((word for word, count in counts.items() if count >= min_count), key=lambda w: (-counts[w], w))
    vocabulary = sorted(by_count[:n_words], key=word_hash)
    if len(vocabulary) < 2:
        raise DataError(wanted=f"texts with words that occur {min_count} times or more", found=f"{len(vocabulary)}")
    number_of = {word: number for number, word in enumerate(vocabulary)}
    n_texts_with = Counter(chain.from_iterable(map(set, split)))
    association = _positive_association(_cooccurrences(split, number_of))
    vectors = _reduced(association, min(n_dimensions, len(vocabulary) - 1), random_seed)
    frequencies = np.array([*(n_texts_with[word] for word in vocabulary), 0.5]) / len(split)
    return WordVectors(
        hashes=np.array([word_hash(word) for word in vocabulary], np.uint64),
        vectors=np.vstack([vectors, np.zeros((1, vectors.shape[1]))]).astype(np.float32),
        log_frequencies=np.log(frequencies).astype(np.float32),
    )


def _cooccurrences(split: list[list[str]], number_of: dict[str, int]) -> csr_matrix:
    """Return how often each word stands near each other word, weighted by 1 / distance, symmetric."""
    gap = [""] * WINDOW  # keeps the texts apart
    stream = np.array([number_of.get(word, -1) for text in split for word in chain(text, gap)], np.int64)
    shape = (len(number_of), len(number_of))
    total = csr_matrix(shape)
    for distance in range(1, WINDOW + 1):
        left, right = stream[:-distance], stream[distance:]
        both = (left >= 0) & (right >= 0)
        weights = np.full(int(both.sum()), 1.0 / distance)
        total += coo_matrix((weights, (left[both], right[both])), shape=shape).tocsr()
    return total + total.T


def _positive_association(near: csr_matrix) -> csr_matrix:
    """Return max(0, log p(word, context) / p(word) p(context))."""
    totals: FloatArray = np.asarray(near.sum(axis=1)).ravel()
    damped = totals**CONTEXT_POWER
    context = damped / damped.sum()
    safe = np.where(totals > 0, totals, 1.0)
    ratio = diags_array(1 / safe) @ near @ diags_array(1 / np.where(context > 0, context, 1.0))
    association = csr_matrix(ratio)
    association.data = np.maximum(np.log(association.data), 0)
    association.eliminate_zeros()
    return association


def _reduced(association: csr_matrix, n_dimensions: int, random_seed: int) -> FloatArray:
    from sklearn.utils.extmath import randomized_svd

    left, strengths, _ = randomized_svd(association, n_dimensions, n_iter=4, random_state=random_seed)
    vectors: FloatArray = left * np.sqrt(strengths)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1.0)
