"""Text to word ids, sentence by sentence, straight from UTF-8 buffers; the vocabulary grows on the way."""

import functools
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from seedcorn.compiled import njit
from seedcorn.errors import DataError
from seedcorn.lm.scratch import Number
from seedcorn.lm.text_buffers import TextBuffers, Texts, next_word, text_buffers, word_end
from seedcorn.lm.vocabulary import (
    BEGIN_ID,
    EMPTY_SLOT,
    END_ID,
    SPECIAL_WORDS,
    Vocabulary,
    WordTable,
    hash_bytes,
    n_slots_for,
    slot_of,
)

_ALL_DONE, _VOCABULARY_FULL, _TOKENS_FULL, _SPECIAL_WORD = range(4)


@functools.lru_cache(maxsize=4)
def _of_words(words: tuple[str, ...]) -> Vocabulary:
    """Return the vocabulary of ``words``: many models are estimated over the same ones."""
    return Vocabulary.from_words(words)


class VocabularyBuilder:
    """A vocabulary that grows: the arrays of a WordTable with room to spare."""

    def __init__(self, words: Sequence[str] = ()) -> None:
        vocabulary = _of_words(tuple(words))
        text, ends, slots = vocabulary.table
        self.table, self.n_words = WordTable(text.copy(), ends.copy(), slots.copy()), len(vocabulary)

    def reserve(self, n_new_words: int, n_new_bytes: int) -> None:
        """Make room for so many more words and bytes, at least doubling what is full."""
        text, ends, slots = self.table
        n_bytes = int(ends[self.n_words])
        if n_bytes + n_new_bytes > len(text):
            text = _enlarged(text, 2 * (n_bytes + n_new_bytes))
        if self.n_words + n_new_words > len(ends) - 1:
            ends = _enlarged(ends, 2 * (self.n_words + n_new_words) + 1)
        if n_slots_for(self.n_words + n_new_words) > len(slots):
            grown = WordTable(text, ends, np.full(2 * n_slots_for(self.n_words + n_new_words), EMPTY_SLOT, np.int32))
            _enter_all(grown, self.n_words)
            slots = grown.slots
        self.table = WordTable(text, ends, slots)

    def finished(self) -> Vocabulary:
        """Return the vocabulary of the words so far."""
        text, ends, _ = self.table
        ends = ends[: self.n_words + 1].copy()
        return Vocabulary.from_bytes(text[: ends[-1]].copy(), ends)


def _enlarged(array: NDArray[Number], size: int) -> NDArray[Number]:
    grown = np.zeros(size, dtype=array.dtype)
    grown[: len(array)] = array
    return grown


@njit(cache=True, nogil=True)
def _enter_all(table: WordTable, n_words: int) -> None:
    for word in range(n_words):
        start, end = table.ends[word], table.ends[word + 1]
        table.slots[slot_of(table, table.text, start, end, hash_bytes(table.text, start, end))] = word


@njit(cache=True, nogil=True)
def _tokenise(
    text: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    row: int,
    table: WordTable,
    n_words: int,
    tokens: NDArray[np.int32],
    n_tokens: int,
) -> tuple[int, int, int, int]:
    """Append rows from ``row`` on to ``tokens``; return the next row, numbers of words and tokens, why it stopped."""
    while row < len(offsets) - 1:
        at, end = offsets[row], offsets[row + 1]
        most_words = (end - at + 1) // 2
        if (
            n_words + most_words > len(table.ends) - 1
            or 2 * (n_words + most_words) > len(table.slots)
            or table.ends[n_words] + end - at > len(table.text)
        ):
            return row, n_words, n_tokens, _VOCABULARY_FULL
        if n_tokens + most_words + 2 > len(tokens):
            return row, n_words, n_tokens, _TOKENS_FULL
        row_begin = n_tokens
        tokens[n_tokens] = BEGIN_ID
        n_tokens += 1
        at = next_word(text, at, end)
        while at < end:
            stop = word_end(text, at, end)
            slot = slot_of(table, text, at, stop, hash_bytes(text, at, stop))
            word = table.slots[slot]
            if word < 0:
                word = n_words
                table.slots[slot] = word
                first = table.ends[n_words]
                for i in range(stop - at):
                    table.text[first + i] = text[at + i]
                n_words += 1
                table.ends[n_words] = first + stop - at
            elif word <= END_ID:
                return row, n_words, row_begin, _SPECIAL_WORD
            tokens[n_tokens] = word
            n_tokens += 1
            at = next_word(text, stop, end)
        tokens[n_tokens] = END_ID
        n_tokens += 1
        row += 1
    return row, n_words, n_tokens, _ALL_DONE


def token_chunks(
    texts: Iterable[Texts], builder: VocabularyBuilder, *, n_tokens_per_chunk: int
) -> Iterator[NDArray[np.int32]]:
    """Yield the word ids of all sentences, each from ``<s>`` to ``</s>``, in chunks of whole sentences.

    A chunk is larger than ``n_tokens_per_chunk`` only where a sentence is; it is reused for the next one. Raises
    DataError when the text holds ``<s>``, ``</s>`` or ``<unk>``, which mean something else in a model.
    """
    tokens, n_tokens, n_rows_before = np.empty(n_tokens_per_chunk, dtype=np.int32), 0, 0
    for batch in texts:
        buffers, row = text_buffers(batch), 0
        while True:
            row, builder.n_words, n_tokens, reason = _tokenise(
                buffers.text, buffers.offsets, row, builder.table, builder.n_words, tokens, n_tokens
            )
            if reason == _ALL_DONE:
                break
            n_bytes = int(buffers.offsets[row + 1] - buffers.offsets[row])
            if reason == _SPECIAL_WORD:
                raise _special_word_error(buffers, row, n_rows_before + row + 1)
            if reason == _VOCABULARY_FULL:
                builder.reserve(n_bytes, n_bytes)
            elif n_tokens:
                yield tokens[:n_tokens]
                n_tokens = 0
            else:
                tokens = np.empty(n_bytes + 2, dtype=np.int32)
        n_rows_before += len(buffers.offsets) - 1
    if n_tokens:
        yield tokens[:n_tokens]


def _special_word_error(buffers: TextBuffers, row: int, sentence: int) -> DataError:
    found = buffers.text[buffers.offsets[row] : buffers.offsets[row + 1]].tobytes().decode("utf-8", "replace").strip()
    return DataError(
        wanted=f"text without the words {', '.join(SPECIAL_WORDS)}, which a model adds itself",
        found=f"'{found[:80]}'",
        where=f"sentence {sentence}",
        fix="Remove these words from the text.",
    )
