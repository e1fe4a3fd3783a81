"""The back-off n-gram model: its vocabulary and arrays, and the scores that it gives to text."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedcorn.corpus.parallel import map_in_order
from seedcorn.lm.automaton import NgramArrays, find_words, score_words
from seedcorn.lm.text_buffers import TextBuffers, Texts, text_buffers
from seedcorn.lm.trie import ROOT, Trie
from seedcorn.lm.vocabulary import (
    BEGIN_ID,
    END_ID,
    UNKNOWN_ID,
    Vocabulary,
)

MAX_ORDER = 6
_ROWS_PER_PART = 1 << 12


@dataclass(frozen=True, kw_only=True)
class WordScores:
    """The natural log probability of every word and sentence end, in order.

    ``logps`` and ``word_ids`` are (n_tokens,), each sentence closed by its ``</s>``; those of row i lie between
    ``sentence_ends[i]`` and ``sentence_ends[i + 1]``.
    """

    logps: NDArray[np.float64]
    word_ids: NDArray[np.int32]
    sentence_ends: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class SentenceScores:
    """One entry a row: natural log probability with ``</s>``, number of words without it, and how many are unknown."""

    logps: NDArray[np.float64]
    n_words: NDArray[np.int64]
    n_oov: NDArray[np.int64]
    oov_logps: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class NgramModel:
    """A back-off model: vocabulary, trie, and natural-log probabilities and back-off weights (see NgramArrays)."""

    vocabulary: Vocabulary
    arrays: NgramArrays
    order_begins: NDArray[np.int64]

    @property
    def order(self) -> int:
        """The length of the longest n-grams."""
        return len(self.order_begins) - 2

    @property
    def words(self) -> list[str]:
        """The vocabulary, in the order of the word ids."""
        return self.vocabulary.words

    @property
    def n_ngrams(self) -> list[int]:
        """How many n-grams of each order 1, 2, ... are stored."""
        return [int(n) for n in np.diff(self.order_begins)[1:]]

    @property
    def begin_state(self) -> int:
        """The state before the first word of a sentence."""
        return 1 + BEGIN_ID if self.order > 1 else ROOT

    @property
    def end_id(self) -> int:
        """The word id of ``</s>``, which closes every sentence."""
        return END_ID

    @property
    def unknown_id(self) -> int:
        """The word id of ``<unk>``, which stands for every word outside the vocabulary."""
        return UNKNOWN_ID

    @property
    def trie(self) -> Trie:
        """The shape of the model."""
        return Trie(self.arrays.words, self.arrays.children, self.arrays.suffixes, self.order_begins)

    def word_id(self, word: str) -> int:
        """Return the id of ``word``, that of ``<unk>`` when it is not in the vocabulary."""
        return self.vocabulary.id_of(word)

    def word_ids(self, words: Sequence[str]) -> NDArray[np.int64]:
        """Return the id of each of ``words``, that of ``<unk>`` where it is not in the vocabulary."""
        return self.vocabulary.ids_of(words)

    def word_scores(self, texts: Texts) -> WordScores:
        """Score every word of ``texts``, rows of words separated by white space, each row one sentence.

        Large batches are scored by as many threads as there are processors; the scores do not depend on it.
        """
        parts = list(map_in_order(self._score_part, _parts(text_buffers(texts)), n_threads=os.cpu_count() or 1))
        if len(parts) == 1:
            return parts[0]
        n_tokens = np.cumsum([0, *(len(part.logps) for part in parts)])
        ends = [part.sentence_ends[1:] + n for part, n in zip(parts, n_tokens[:-1], strict=True)]
        return WordScores(
            logps=np.concatenate([part.logps for part in parts]),
            word_ids=np.concatenate([part.word_ids for part in parts]),
            sentence_ends=np.concatenate([[0], *ends]),
        )

    def _score_part(self, buffers: TextBuffers) -> WordScores:
        n_rows = len(buffers.offsets) - 1
        most_tokens = int(buffers.offsets[-1] - buffers.offsets[0] + n_rows + 1) // 2 + n_rows
        word_ids, sentence_ends = np.empty(most_tokens, dtype=np.int32), np.zeros(n_rows + 1, dtype=np.int64)
        find_words(self.vocabulary.table, buffers.text, buffers.offsets, word_ids, sentence_ends)
        word_ids = word_ids[: sentence_ends[-1]]
        logps = np.empty(len(word_ids), dtype=np.float64)
        score_words(self.arrays, self.begin_state, word_ids, sentence_ends, logps)
        return WordScores(logps=logps, word_ids=word_ids, sentence_ends=sentence_ends)

    def score(self, texts: Texts) -> SentenceScores:
        """Score every row of ``texts`` as a sentence of words separated by white space; threads as in word_scores."""

        def of_part(buffers: TextBuffers) -> SentenceScores:
            return sentence_scores(self._score_part(buffers))

        parts = list(map_in_order(of_part, _parts(text_buffers(texts)), n_threads=os.cpu_count() or 1))
        return SentenceScores(
            logps=np.concatenate([part.logps for part in parts]),
            n_words=np.concatenate([part.n_words for part in parts]),
            n_oov=np.concatenate([part.n_oov for part in parts]),
            oov_logps=np.concatenate([part.oov_logps for part in parts]),
        )

    def sentence_logps(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the natural log probability of each of ``texts``, sentence end included."""
        return self.score(texts).logps


def _parts(buffers: TextBuffers) -> list[TextBuffers]:
    n_rows = len(buffers.offsets) - 1
    begins = range(0, max(n_rows, 1), _ROWS_PER_PART)
    return [TextBuffers(buffers.text, buffers.offsets[begin : begin + _ROWS_PER_PART + 1]) for begin in begins]


def sentence_scores(words: WordScores) -> SentenceScores:
    """Return the sums of ``words`` over each row."""
    begins, unknown = words.sentence_ends[:-1], words.word_ids == UNKNOWN_ID
    if not len(begins):
        empty = np.zeros(0, dtype=np.int64)
        return SentenceScores(logps=np.zeros(0), n_words=empty, n_oov=empty, oov_logps=np.zeros(0))
    return SentenceScores(
        logps=np.add.reduceat(words.logps, begins),
        n_words=np.diff(words.sentence_ends) - 1,
        n_oov=np.add.reduceat(unknown.astype(np.int64), begins),
        oov_logps=np.add.reduceat(np.where(unknown, words.logps, 0.0), begins),
    )
