"""Lines cleaned as every reader cleans text; most need nothing, which one look at their bytes tells."""

import functools

import numpy as np
from numpy.typing import NDArray

from seedcorn.corpus.cleaning import JOINERS, SPACES
from seedcorn.corpus.text import INVISIBLE, clean_text
from seedcorn.corpus.unusual import ORDINARY, kinds_of_characters, unusual_rows, with_replaced
from seedcorn.lm.text_buffers import TextBuffers, is_space


def cleaned_lines(lines: TextBuffers) -> TextBuffers:
    """Return ``lines`` with the words of corpus.text.clean_text in each; white space between them may stay as it is.

    Lines are looked at by compiled code, and only those cleaned that hold what cleaning may change: control and
    invisible characters, other white space than that of ASCII, what may not be in NFC.
    """
    unusual = unusual_rows(lines.text, lines.offsets, _kinds())
    if not unusual.any():
        return lines
    raw = lines.text.tobytes()
    rows = np.flatnonzero(unusual)
    begins, ends = lines.offsets[rows].tolist(), lines.offsets[rows + 1].tolist()
    cleaned = [clean_text(raw[begin:end].decode("utf-8")) for begin, end in zip(begins, ends, strict=True)]
    return TextBuffers(*with_replaced(lines.text, lines.offsets, unusual, cleaned))


@functools.cache
def _kinds() -> NDArray[np.uint8]:
    kinds = kinds_of_characters([*SPACES, *INVISIBLE, *JOINERS])
    kinds[[code for code in range(0x80) if is_space(code)]] = ORDINARY
    return kinds
