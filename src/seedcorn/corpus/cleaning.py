"""Whole columns cleaned as ``corpus.text.clean_text`` cleans a text; most rows need nothing, which their bytes tell."""

import functools
import unicodedata
from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from seedcorn.compiled import njit
from seedcorn.corpus.composing import composing
from seedcorn.corpus.normalising import buffers_of
from seedcorn.corpus.text import INVISIBLE, N_CODE_POINTS, clean_text

# What a character may do to its text: change it, change it together with the one before, or be white space or a joiner.
ORDINARY, UNUSUAL, FIRST, SECOND, MARK, SPACE, JOINER = 0, 1, 2, 4, 8, 16, 32
JOINERS = (0x200C, 0x200D)  # a text of nothing else is empty
SPACES = tuple(
    code for code in range(0x10000) if unicodedata.category(chr(code)) in ("Cc", "Zs", "Zl", "Zp")
)  # there are none beyond


def clean_column(texts: pa.StringArray) -> pa.StringArray:
    """Return ``clean_text`` of every text, null where it is null."""
    buffers = buffers_of(texts)
    unusual = unusual_rows(buffers.utf8, buffers.offsets, _kinds())
    if not unusual.any():
        return texts
    found = texts.take(pa.array(np.flatnonzero(unusual))).to_pylist()
    cleaned = [None if text is None else clean_text(text) for text in found]
    return pc.replace_with_mask(texts, unusual, pa.array(cleaned, texts.type))


@functools.cache
def _kinds() -> NDArray[np.uint8]:
    kinds = kinds_of_characters([*SPACES, *INVISIBLE])
    kinds[ord(" ")] = SPACE
    kinds[list(JOINERS)] = JOINER
    return kinds


def kinds_of_characters(unusual: Iterable[int]) -> NDArray[np.uint8]:
    """Return what each code point may do to its text, (0x110000,): what NFC does, and ``unusual`` ones."""
    kinds = np.full(N_CODE_POINTS, ORDINARY, np.uint8)
    replaced, marks, firsts_of = composing()
    kinds[list(marks)] |= MARK
    kinds[[first for firsts in firsts_of.values() for first in firsts]] |= FIRST
    kinds[list(firsts_of)] |= SECOND
    kinds[[*replaced, *unusual]] = UNUSUAL
    return kinds


@njit(cache=True, nogil=True)
def unusual_rows(utf8: NDArray[np.uint8], offsets: NDArray[np.int64], kinds: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return for each row of UTF-8 whether cleaning may change it: (n,).

    It holds an unusual character, a pair that composes, two marks in a row (which may be in the wrong order), a space
    at an end or beside another, or nothing but spaces and joiners.
    """
    unusual = np.zeros(len(offsets) - 1, np.bool_)
    for row in range(len(offsets) - 1):
        before, at, end = SPACE, offsets[row], offsets[row + 1]
        has_letter = at == end
        while at < end and not unusual[row]:
            code, n_more = int(utf8[at]), 0
            if code >= 0x80:
                n_more = 1 + (code >= 0xE0) + (code >= 0xF0)
                code &= 0x3F >> n_more
                for i in range(min(n_more, end - at - 1)):
                    code = (code << 6) | int(utf8[at + 1 + i] & 0x3F)
            kind = kinds[code] if code < len(kinds) else UNUSUAL
            composes = (before & FIRST and kind & SECOND) or (before & kind & MARK)
            unusual[row] = kind == UNUSUAL or composes or (before & kind & SPACE)
            has_letter |= kind & (SPACE | JOINER) == 0
            before, at = kind, at + 1 + n_more
        unusual[row] |= not has_letter or (before == SPACE and offsets[row] < end)
    return unusual
