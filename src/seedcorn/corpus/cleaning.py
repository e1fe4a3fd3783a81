"""Whole columns cleaned as ``corpus.text.clean_text`` cleans a text; most rows need nothing, which their bytes tell."""

import functools
import unicodedata

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from seedcorn.corpus.normalising import buffers_of
from seedcorn.corpus.text import INVISIBLE, clean_text
from seedcorn.corpus.unusual import JOINER, SPACE, kinds_of_characters, unusual_rows

JOINERS = (0x200C, 0x200D)  # a text of nothing else is empty
_LAST_SPACE = 0x3000
SPACES = tuple(code for code in range(_LAST_SPACE + 1) if unicodedata.category(chr(code)) in ("Cc", "Zs", "Zl", "Zp"))


def clean_column(texts: pa.StringArray) -> pa.StringArray:
    """Return ``clean_text`` of every text, null where it is null."""
    buffers = buffers_of(texts)
    if not len(buffers.utf8):
        return texts
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
