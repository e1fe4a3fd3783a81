"""Lines cleaned as every reader cleans text; most need nothing, which one look at their bytes tells."""

import functools

import numpy as np
from numpy.typing import NDArray

from seedcorn.compiled import njit
from seedcorn.corpus.cleaning import JOINERS, ORDINARY, SPACES, kinds_of_characters, unusual_rows
from seedcorn.corpus.text import INVISIBLE, clean_text
from seedcorn.lm.text_buffers import TextBuffers, is_space


def cleaned_lines(lines: TextBuffers) -> TextBuffers:
    """Return ``lines`` with the words of corpus.text.clean_text in each; white space between them may stay as it is.

    Lines are looked at by compiled code, and only those cleaned that hold what cleaning may change: control and
    invisible characters, other white space than that of ASCII, what may not be in NFC.
    """
    unusual = unusual_rows(lines.text, lines.offsets, _kinds())
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
    kinds = kinds_of_characters([*SPACES, *INVISIBLE, *JOINERS])
    kinds[[code for code in range(0x80) if is_space(code)]] = ORDINARY
    return kinds


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
