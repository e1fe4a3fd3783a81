"""The back-off n-gram model: arrays that score text batches, and the automaton that decoders walk.

p(w | h) is the probability stored for the n-gram "h w", or else the back-off weight of h times p(w | h without its
first word). A state is the node of the longest stored suffix of what was said so far, so looking a word up never
handles a history of words.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedcorn.compiled import njit
from seedcorn.corpus.parallel import map_in_order
from seedcorn.lm.text_buffers import TextBuffers, Texts, is_space, next_word, text_buffers
from seedcorn.lm.trie import ROOT, Trie, find_child
from seedcorn.lm.vocabulary import (
    BEGIN_ID,
    END_ID,
    FNV_OFFSET,
    FNV_PRIME,
    UNKNOWN_ID,
    Vocabulary,
    WordTable,
    mixed,
    slot_of,
)

MAX_ORDER = 6
_N_LANES = 32
_ROWS_PER_PART = 1 << 12


class NgramArrays(NamedTuple):
    """What compiled code needs of a model: the trie (see Trie) with natural-log numbers.

    ``logps`` (n_nodes,) float32; ``backoffs`` (n_inner,) float32, the log back-off weight of every node below the
    highest order; those of the highest order are never a state.
    """

    words: NDArray[np.int32]
    children: NDArray[np.int32]
    suffixes: NDArray[np.int32]
    logps: NDArray[np.float32]
    backoffs: NDArray[np.float32]


@njit(cache=True, nogil=True)
def advance(arrays: NgramArrays, state: int, word_id: int) -> tuple[float, int]:
    """Return the natural log probability of ``word_id`` after ``state``, and the state after it."""
    logp = 0.0
    node = find_child(arrays.words, arrays.children, state, word_id)
    while node < 0:
        logp += arrays.backoffs[state]
        state = arrays.suffixes[state]
        node = find_child(arrays.words, arrays.children, state, word_id)
    logp += arrays.logps[node]
    return logp, (node if node < len(arrays.backoffs) else int(arrays.suffixes[node]))


@njit(cache=True, nogil=True)
def _find_words(
    table: WordTable,
    text: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    word_ids: NDArray[np.int32],
    sentence_ends: NDArray[np.int64],
) -> None:
    """Set the word ids of all rows, each closed by ``</s>``, and where each row ends among them."""
    n_tokens = 0
    for row in range(len(offsets) - 1):
        end = offsets[row + 1]
        at = next_word(text, offsets[row], end)
        while at < end:
            stop, value = at, np.uint64(FNV_OFFSET)
            while stop < end and not is_space(text[stop]):
                value = (value ^ np.uint64(text[stop])) * np.uint64(FNV_PRIME)
                stop += 1
            word = table.slots[slot_of(table, text, at, stop, mixed(value))]
            # Also "<s>" and "</s>" in the text: they are no words.
            word_ids[n_tokens] = word if word > END_ID else UNKNOWN_ID
            n_tokens += 1
            at = next_word(text, stop, end)
        word_ids[n_tokens] = END_ID
        n_tokens += 1
        sentence_ends[row + 1] = n_tokens


@njit(cache=True, nogil=True)
def _score_words(
    arrays: NgramArrays,
    begin_state: int,
    word_ids: NDArray[np.int32],
    sentence_ends: NDArray[np.int64],
    logps: NDArray[np.float64],
) -> int:
    """Set the log probability of every word as ``advance`` does, several sentences side by side.

    Written out, because a call counts the references to each array, which takes longer than the search. A model does
    not fit in the processor's caches, and one sentence would wait for memory at every word: so the arrays are first
    touched for all lanes, which overlaps the waits. What is returned only keeps that from being left out.
    """
    words, children, suffixes, node_logps, backoffs = arrays
    n_rows = len(sentence_ends) - 1
    n_lanes, next_row, touched = min(_N_LANES, n_rows), 0, 0
    states, at, ends = np.empty(n_lanes, np.int64), np.zeros(n_lanes, np.int64), np.zeros(n_lanes, np.int64)
    while True:
        lane = 0
        while lane < n_lanes:
            if at[lane] < ends[lane]:
                lane += 1
            elif next_row < n_rows:
                states[lane], at[lane], ends[lane] = begin_state, sentence_ends[next_row], sentence_ends[next_row + 1]
                next_row += 1
            else:
                n_lanes -= 1
                states[lane], at[lane], ends[lane] = states[n_lanes], at[n_lanes], ends[n_lanes]
        if n_lanes == 0:
            return touched
        for lane in range(n_lanes):
            first = children[states[lane]]
            touched += words[first if first < len(words) else 0]
        for lane in range(n_lanes):
            state, word, logp = states[lane], word_ids[at[lane]], 0.0
            while True:
                if state == ROOT:
                    node = 1 + word
                    break
                node, high = children[state], children[state + 1]
                end = high
                while node < high:
                    middle = (node + high) >> 1
                    if words[middle] < word:
                        node = middle + 1
                    else:
                        high = middle
                if node < end and words[node] == word:
                    break
                logp += backoffs[state]
                state = suffixes[state]
            logps[at[lane]] = logp + node_logps[node]
            states[lane] = node if node < len(backoffs) else suffixes[node]
            at[lane] += 1


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
        _find_words(self.vocabulary.table, buffers.text, buffers.offsets, word_ids, sentence_ends)
        word_ids = word_ids[: sentence_ends[-1]]
        logps = np.empty(len(word_ids), dtype=np.float64)
        _score_words(self.arrays, self.begin_state, word_ids, sentence_ends, logps)
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
