"""The words of a language model: ids, and a hash table over their bytes that compiled code looks words up in."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedcorn.compiled import njit
from seedcorn.errors import DataError

UNKNOWN, BEGIN, END = "<unk>", "<s>", "</s>"
UNKNOWN_ID, BEGIN_ID, END_ID = 0, 1, 2
SPECIAL_WORDS = (UNKNOWN, BEGIN, END)
EMPTY_SLOT = -1
FNV_OFFSET, FNV_PRIME = 0xCBF29CE484222325, 0x100000001B3
_MIN_SLOTS = 64


class WordTable(NamedTuple):
    """The bytes of all words, one after the other, and an open-addressing hash table of their ids.

    ``ends`` (n + 1,) holds where each word ends, after a leading 0; ``slots`` has a power of two entries, id or -1.
    """

    text: NDArray[np.uint8]
    ends: NDArray[np.int64]
    slots: NDArray[np.int32]


@njit(cache=True, nogil=True)
def mixed(hashed: int) -> int:
    """Return ``hashed`` with its low bits depending on all of it, and never negative."""
    value = np.uint64(hashed)
    value = (value ^ (value >> np.uint64(32))) * np.uint64(0x9E3779B97F4A7C15)
    return np.int64((value ^ (value >> np.uint64(29))) >> np.uint64(1))  # type: ignore[return-value]


@njit(cache=True, nogil=True)
def hash_bytes(text: NDArray[np.uint8], start: int, end: int) -> int:
    """Return a 63-bit hash of ``text[start:end]`` (FNV-1a, mixed)."""
    value = np.uint64(FNV_OFFSET)
    for i in range(start, end):
        value = (value ^ np.uint64(text[i])) * np.uint64(FNV_PRIME)
    return mixed(value)


@njit(cache=True, nogil=True)
def slot_of(table: WordTable, text: NDArray[np.uint8], start: int, end: int, hashed: int) -> int:
    """Return the slot that holds the word ``text[start:end]``, or the empty one where it would go."""
    mask = len(table.slots) - 1
    slot = hashed & mask
    length = end - start
    while True:
        word = table.slots[slot]
        if word < 0:
            return slot
        first = table.ends[word]
        if table.ends[word + 1] - first == length:
            i = 0
            while i < length and table.text[first + i] == text[start + i]:
                i += 1
            if i == length:
                return slot
        slot = (slot + 1) & mask


@njit(cache=True, nogil=True)
def find_word(table: WordTable, text: NDArray[np.uint8], start: int, end: int) -> int:
    """Return the id of the word ``text[start:end]``, or -1."""
    return table.slots[slot_of(table, text, start, end, hash_bytes(text, start, end))]


@njit(cache=True, nogil=True)
def _find_words(table: WordTable, text: NDArray[np.uint8], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the id of each word, UNKNOWN_ID where there is none."""
    ids = np.empty(len(ends) - 1, np.int64)
    for i in range(len(ids)):
        ids[i] = max(find_word(table, text, ends[i], ends[i + 1]), UNKNOWN_ID)
    return ids


@njit(cache=True, nogil=True)
def _fill_slots(table: WordTable) -> int:
    """Enter every word into the empty table; return the first id whose word was entered before, or -1."""
    for word in range(len(table.ends) - 1):
        start, end = table.ends[word], table.ends[word + 1]
        slot = slot_of(table, table.text, start, end, hash_bytes(table.text, start, end))
        if table.slots[slot] >= 0:
            return word
        table.slots[slot] = word
    return -1


def n_slots_for(n_words: int) -> int:
    """Return the size of a hash table that stays at most half full with ``n_words``."""
    return max(_MIN_SLOTS, 1 << (2 * n_words - 1).bit_length())


@dataclass(frozen=True)
class Vocabulary:
    """Words and their ids: 0 is ``<unk>``, 1 ``<s>``, 2 ``</s>``, the others follow in the order they were met."""

    table: WordTable

    @staticmethod
    def from_bytes(text: NDArray[np.uint8], ends: NDArray[np.int64]) -> "Vocabulary":
        """Return the vocabulary of the words lying in ``text``; raises DataError when one is there twice."""
        table = WordTable(text, ends, np.full(n_slots_for(len(ends) - 1), EMPTY_SLOT, dtype=np.int32))
        repeated = int(_fill_slots(table))
        if repeated >= 0:
            word = text[ends[repeated] : ends[repeated + 1]].tobytes().decode("utf-8", "replace")
            raise DataError(wanted="each word once in a vocabulary", found=f"'{word}' again")
        return Vocabulary(table)

    @staticmethod
    def from_words(words: Sequence[str]) -> "Vocabulary":
        """Return the vocabulary of ``words``; the special words are put first when they are not among them."""
        return Vocabulary.from_bytes(*_bytes_of(list(dict.fromkeys((*SPECIAL_WORDS, *words)))))

    def subset(self, word_ids: NDArray[np.int64]) -> "Vocabulary":
        """Return the vocabulary of these words only, renumbered in the order given."""
        words = self.words
        return Vocabulary.from_words([words[word] for word in word_ids.tolist()])

    def __len__(self) -> int:
        return len(self.table.ends) - 1

    @functools.cached_property
    def words(self) -> list[str]:
        """All words in the order of their ids."""
        text, ends = self.table.text.tobytes(), self.table.ends.tolist()
        return [text[a:b].decode("utf-8", "replace") for a, b in zip(ends, ends[1:], strict=False)]

    def id_of(self, word: str) -> int:
        """Return the id of ``word``, that of ``<unk>`` when it is not in the vocabulary."""
        return int(self.ids_of([word])[0])

    def ids_of(self, words: Sequence[str]) -> NDArray[np.int64]:
        """Return the id of each of ``words``, that of ``<unk>`` where it is not in the vocabulary."""
        return np.asarray(_find_words(self.table, *_bytes_of(words)), dtype=np.int64)


def _bytes_of(words: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return ``words`` as UTF-8 end to end, and where each ends, after a 0."""
    encoded = [word.encode("utf-8") for word in words]
    ends = np.cumsum([0, *(len(word) for word in encoded)], dtype=np.int64)
    return np.frombuffer(b"".join(encoded), dtype=np.uint8).copy(), ends
