"""What the paraphrase network sees of words: a vector, hashed character n-grams, how frequent, and which word it is."""

import functools
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from seedcorn.corpus.normalising import Texts, normalise_all
from seedcorn.corpus.word_vectors import WordVectors, word_hash

SHORTEST_NGRAM, LONGEST_NGRAM = 3, 5
N_NGRAMS_AT_MOST = 64
N_WORDS_AT_MOST = 64
_FREQUENCY_SCALE = 5.0
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


class WordFeatures(NamedTuple):
    """Features of distinct words, one row a word.

    ``vector_rows`` (n,) rows of WordVectors; ``ngrams`` (n, k) buckets with ``ngram_weights`` (n, k) that add up to 1 a
    row; ``frequencies`` (n, 2) scaled log frequency and whether the word is known; ``signs`` (n, s) of +1 and -1,
    drawn by the hash of the word, so that any two words differ in about half of them.
    """

    vector_rows: torch.Tensor
    ngrams: torch.Tensor
    ngram_weights: torch.Tensor
    frequencies: torch.Tensor
    signs: torch.Tensor


class TextBatch(NamedTuple):
    """Texts as rows of word numbers (n, longest), and a mask that is 1 where there is a word and 0 behind the last."""

    word_numbers: torch.Tensor
    mask: torch.Tensor


class Lexicon:
    """Numbers for words, in the order in which they are met."""

    def __init__(self) -> None:
        self.number_of: dict[str, int] = {}

    def number(self, texts: Texts) -> list[list[int]]:
        """Return the numbers of the words of each text, at most 64 a text; a text without words is one empty word."""
        known = self.number_of
        return [
            [known.setdefault(word, len(known)) for word in (text.split(" ", N_WORDS_AT_MOST)[:N_WORDS_AT_MOST])]
            for text in normalise_all(texts)
        ]

    def features(self, word_vectors: WordVectors, *, n_buckets: int, n_signs: int) -> WordFeatures:
        """Return the features of all words met, in order of their numbers."""
        hashes = np.array([word_hash(word) for word in self.number_of], np.uint64)
        rows = word_vectors.rows(hashes)
        known = (rows < len(word_vectors.hashes)).astype(np.float32)
        frequencies = word_vectors.log_frequencies[rows] / _FREQUENCY_SCALE
        ngrams, weights = _padded([ngram_hashes(word) for word in self.number_of], n_buckets)
        return WordFeatures(
            torch.from_numpy(rows),
            torch.from_numpy(ngrams),
            torch.from_numpy(weights),
            torch.from_numpy(np.stack([frequencies, known], axis=1)),
            torch.from_numpy(_signs(hashes, n_signs)),
        )


@functools.lru_cache(maxsize=1 << 18)
def ngram_hashes(word: str) -> tuple[int, ...]:
    """Return the hashes of the character 3- to 5-grams of ``word`` between word edges, the first 64 of them."""
    edged = f"<{word}>"
    ngrams = [
        edged[start : start + n]
        for n in range(SHORTEST_NGRAM, LONGEST_NGRAM + 1)
        for start in range(len(edged) - n + 1)
    ]
    return tuple(word_hash(ngram) for ngram in (ngrams or [edged])[:N_NGRAMS_AT_MOST])


def _padded(hashes: list[tuple[int, ...]], n_buckets: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    width = max(map(len, hashes), default=1)
    ngrams = np.zeros((len(hashes), width), np.int64)
    weights = np.zeros((len(hashes), width), np.float32)
    for row, values in enumerate(hashes):
        ngrams[row, : len(values)] = [value % n_buckets for value in values]
        weights[row, : len(values)] = 1 / len(values)
    return ngrams, weights


def _signs(hashes: NDArray[np.uint64], n_signs: int) -> NDArray[np.float32]:
    """Return ``n_signs`` pseudo-random signs a word: the bits of splitmix64 streams that start at its hash."""
    steps = np.arange(1, -(-n_signs // 64) + 1, dtype=np.uint64) * _GOLDEN
    streams = [_mixed(hashes + step) for step in steps]
    bytes_ = np.stack(streams, axis=1).astype("<u8").view(np.uint8)
    bits = np.unpackbits(bytes_.reshape(len(hashes), -1), axis=1)[:, :n_signs]
    return bits.astype(np.float32) * 2 - 1


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def text_batch(numbered: Iterable[list[int]]) -> TextBatch:
    """Return numbered texts as one padded batch."""
    rows = list(numbered)
    shape = (len(rows), max(map(len, rows)))
    numbers, mask = np.zeros(shape, np.int64), np.zeros(shape, np.float32)
    for row, values in enumerate(rows):
        numbers[row, : len(values)] = values
        mask[row, : len(values)] = 1
    return TextBatch(torch.from_numpy(numbers), torch.from_numpy(mask))
