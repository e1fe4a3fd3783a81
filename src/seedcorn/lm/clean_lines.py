"""Lines cleaned as every reader cleans text; most need nothing, which one look at their bytes tells."""

import functools
import unicodedata

import numpy as np
from numpy.typing import NDArray

from seedcorn.compiled import njit
from seedcorn.corpus.formats.composing import composing
from seedcorn.corpus.text import INVISIBLE, N_CODE_POINTS, clean_text
from seedcorn.lm.text_buffers import TextBuffers, is_space

_ORDINARY, _UNUSUAL, _FIRST, _SECOND, _MARK = 0, 1, 2, 4, 8
_JOINERS = (0x200C, 0x200D)  # a line of nothing else is empty
_LAST_BMP = 0xFFFF


def cleaned_lines(lines: TextBuffers) -> TextBuffers:
    """Return ``lines`` with the words of corpus.text.clean_text in each; white space between them may stay as it is.

    Lines are looked at by compiled code, and only those cleaned that hold what cleaning may change: control and
    invisible characters, other white space than that of ASCII, what may not be in NFC.
    """
    unusual = _are_unusual(lines.text, lines.offsets, _kinds())
    if not unusual.any():
        return lines
    cleaned = _cleaned(lines, np.flatnonzero(unusual))
    sizes = np.diff(lines.offsets)
    sizes[unusual] = np.diff(cleaned.offsets)
    offsets = np.append(0, np.cumsum(sizes))
    text = np.empty(offsets[-1], np.uint8)
    _put_together(lines, unusual, cleaned, offsets, text)
    return TextBuffers(text, offsets)


@functools.cache
def _kinds() -> NDArray[np.uint8]:
    """Return what each code point may do to its line, shape (0x110000,)."""
    kinds = np.full(N_CODE_POINTS, _ORDINARY, np.uint8)
    replaced, marks, firsts_of = composing()
    kinds[list(marks)] |= _MARK
    kinds[[first for firsts in firsts_of.values() for first in firsts]] |= _FIRST
    kinds[list(firsts_of)] |= _SECOND
    spaces = [code for code in range(_LAST_BMP) if unicodedata.category(chr(code)) in ("Cc", "Zs", "Zl", "Zp")]
    kinds[[*replaced, *spaces, *INVISIBLE, *_JOINERS]] = _UNUSUAL
    kinds[[code for code in range(0x80) if is_space(code)]] = _ORDINARY
    return kinds


@njit(cache=True, nogil=True)
def _are_unusual(text: NDArray[np.uint8], offsets: NDArray[np.int64], kinds: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return for each line of UTF-8 whether cleaning may change its words."""
    unusual = np.zeros(len(offsets) - 1, np.bool_)
    for row in range(len(offsets) - 1):
        before, at, end = _ORDINARY, offsets[row], offsets[row + 1]
        while at < end and not unusual[row]:
            code, n_more = int(text[at]), 0
            if code >= 0x80:
                n_more = 1 + (code >= 0xE0) + (code >= 0xF0)
                code &= 0x3F >> n_more
                for i in range(n_more):
                    code = (code << 6) | int(text[at + 1 + i] & 0x3F)
            kind = kinds[code]
            composes = (before & _FIRST and kind & _SECOND) or (before & kind & _MARK)
            unusual[row] = kind == _UNUSUAL or composes
            before, at = kind, at + 1 + n_more
    return unusual


def _cleaned(lines: TextBuffers, rows: NDArray[np.int64]) -> TextBuffers:
    raw = lines.text.tobytes()
    begins, ends = lines.offsets[rows].tolist(), lines.offsets[rows + 1].tolist()
    cleaned = [
        clean_text(raw[begin:end].decode("utf-8")).encode("utf-8") for begin, end in zip(begins, ends, strict=True)
    ]
    offsets = np.append(0, np.cumsum([len(line) for line in cleaned]))
    return TextBuffers(np.frombuffer(b"".join(cleaned), np.uint8), offsets)


@njit(cache=True, nogil=True)
def _put_together(
    lines: TextBuffers,
    unusual: NDArray[np.bool_],
    cleaned: TextBuffers,
    offsets: NDArray[np.int64],
    text: NDArray[np.uint8],
) -> None:
    """Fill ``text`` with the rows of ``lines``, those that are unusual from ``cleaned``."""
    n_cleaned = 0
    for row in range(len(unusual)):
        begin, end = offsets[row], offsets[row + 1]
        if unusual[row]:
            first = cleaned.offsets[n_cleaned]
            text[begin:end] = cleaned.text[first : first + end - begin]
            n_cleaned += 1
        else:
            text[begin:end] = lines.text[lines.offsets[row] : lines.offsets[row + 1]]
