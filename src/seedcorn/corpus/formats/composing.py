"""Which texts may not be in NFC, told by one regular expression at Arrow speed (Unicode Standard Annex 15, 9)."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
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


@cache
def may_need_composing() -> str:
    """Return an expression that matches in every text that is not in NFC, and in few others.

    It looks for characters that NFC replaces, for two marks in a row, which may be in the wrong order, and for pairs
    that compose; of the marks that compose with Latin letters, for the mark alone.
    """
    replaced, marks, firsts_of = composing()
    pairs = [_any_of(firsts) + _any_of([mark]) for mark, firsts in firsts_of.items()]
    return "|".join([_any_of(replaced), _any_of(marks) * 2, *pairs])


def _any_of(code_points: Iterable[int]) -> str:
    """Return the character class of the code points, runs of them as ranges."""
    runs: list[tuple[int, int]] = []
    for code_point in sorted(code_points):
        if runs and code_point == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], code_point)
        else:
            runs.append((code_point, code_point))
    return "[" + "".join(rf"\x{{{first:x}}}-\x{{{last:x}}}" for first, last in runs) + "]"
