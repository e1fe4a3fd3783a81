"""What NFC does to which characters (Unicode Standard Annex 15, 9): how texts that may not be in NFC are told."""

import unicodedata
from collections import defaultdict
from functools import cache
from itertools import chain
from typing import NamedTuple

# Characters that decompose; between the two ranges there are none, and after them none are assigned.
_CODE_POINTS = (range(0x80, 0x20000), range(0x2F800, 0x2FA20))
_LAST_LATIN_MARK = 0x36F
_HANGUL_VOWELS_AND_FINALS = (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))


class Composing(NamedTuple):
    """What NFC does to code points: those that it replaces, marks, and what composes with the mark after it."""

    replaced: tuple[int, ...]
    marks: tuple[int, ...]
    firsts_of: dict[int, list[int]]


@cache
def composing() -> Composing:
    """Return what NFC does; marks that compose with Latin letters count as replaced, as they hardly stand elsewhere."""
    replaced: list[int] = [*_HANGUL_VOWELS_AND_FINALS]
    firsts_of: defaultdict[int, list[int]] = defaultdict(list)
    for code_point in chain(*_CODE_POINTS):
        parts = unicodedata.decomposition(chr(code_point)).split()
        if not parts or parts[0].startswith("<"):
            continue
        if unicodedata.normalize("NFC", chr(code_point)) != chr(code_point):
            replaced.append(code_point)
        elif len(parts) == 2:
            firsts_of[int(parts[1], 16)].append(int(parts[0], 16))
    replaced += [mark for mark in firsts_of if mark <= _LAST_LATIN_MARK]
    marks = tuple(code_point for code_point in _CODE_POINTS[0] if unicodedata.combining(chr(code_point)))
    pairs = {mark: firsts for mark, firsts in firsts_of.items() if mark > _LAST_LATIN_MARK}
    return Composing(tuple(replaced), marks, pairs)
