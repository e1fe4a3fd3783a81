"""Which texts cleaning or NFC may change, told by their bytes at memory speed; most need neither."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from seedcorn.compiled import njit
from seedcorn.corpus.composing import composing
from seedcorn.corpus.text import N_CODE_POINTS

# What a character may do to its text: change it, change it together with the one before, or be white space or a joiner.
ORDINARY, UNUSUAL, FIRST, SECOND, MARK, SPACE, JOINER = 0, 1, 2, 4, 8, 16, 32
_BLANK, _LAST_VISIBLE = 0x20, 0x7E  # of ASCII


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
    at an end or beside another, or nothing but spaces and joiners. No visible character of ASCII may be unusual.
    """
    unusual = np.zeros(len(offsets) - 1, np.bool_)
    for row in range(len(unusual)):
        if not _is_plain(utf8, offsets[row], offsets[row + 1]):
            unusual[row] = _is_unusual(utf8, offsets[row], offsets[row + 1], kinds)
    return unusual


@njit(cache=True, nogil=True)
def _is_plain(utf8, start, end):  # type: ignore[no-untyped-def]
    """Return whether a text is visible ASCII, single spaces between; without a branch a byte, many bytes at once."""
    if start == end:
        return True
    is_other = utf8[start] == _BLANK or utf8[end - 1] <= _BLANK or utf8[end - 1] > _LAST_VISIBLE
    for at in range(start, end - 1):
        byte = utf8[at]
        is_other |= (byte < _BLANK) | (byte > _LAST_VISIBLE) | ((byte == _BLANK) & (utf8[at + 1] == _BLANK))
    return not is_other


@njit(cache=True, nogil=True)
def _is_unusual(utf8, start, end, kinds):  # type: ignore[no-untyped-def]
    before, at = SPACE, start
    has_letter = False
    while at < end:
        code, n_more = int(utf8[at]), 0
        if code >= 0x80:
            n_more = 1 + (code >= 0xE0) + (code >= 0xF0)
            code &= 0x3F >> n_more
            for i in range(min(n_more, end - at - 1)):
                code = (code << 6) | int(utf8[at + 1 + i] & 0x3F)
        kind = kinds[code] if code < len(kinds) else UNUSUAL
        if kind == UNUSUAL or (before & FIRST and kind & SECOND) or before & kind & (MARK | SPACE):
            return True
        has_letter |= kind & (SPACE | JOINER) == 0
        before, at = kind, at + 1 + n_more
    return not has_letter or before == SPACE


def with_replaced(
    utf8: NDArray[np.uint8], offsets: NDArray[np.int64], is_replaced: NDArray[np.bool_], texts: Sequence[str]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return rows of UTF-8 and their offsets, those that ``is_replaced`` (n,) marks being ``texts``, in order."""
    rows = np.flatnonzero(is_replaced)
    encoded = [text.encode("utf-8") for text in texts]
    pieces: list[bytes] = []
    end = 0
    for begin, end_of_row, text in zip(offsets[rows].tolist(), offsets[rows + 1].tolist(), encoded, strict=True):
        pieces += [utf8[end:begin].tobytes(), text]
        end = end_of_row
    sizes = np.diff(offsets)
    sizes[rows] = [len(text) for text in encoded]
    return np.frombuffer(b"".join([*pieces, utf8[end:].tobytes()]), np.uint8), np.append(0, np.cumsum(sizes))
