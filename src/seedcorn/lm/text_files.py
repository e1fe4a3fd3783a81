"""Text for language models from any file: lines as they are, or the text column of a corpus."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seedcorn.lm.text_buffers import TextBuffers, Texts, read_lines, text_buffers

PLAIN_TEXT = "text"


def read_texts(path: Path, *, normalised: bool = False) -> Iterator[Texts]:
    """Yield batches of sentences from ``path``; "-" is standard input.

    Plain text has one sentence a line, words separated by white space; other formats are read as corpora and give
    their text column. Both are cleaned alike (corpus.text.clean_text). With ``normalised`` sentences are split and
    normalised by corpus.text.words. Raises DataError when the file is an ARPA model or cannot be read.
    """
    for batch in _batches(path):
        yield _split(batch) if normalised else batch


def _batches(path: Path) -> Iterator[Texts]:
    if str(path) == "-" or _is_plain_text(path):
        yield from map(_cleaned, read_lines(path))
    else:
        from seedcorn.corpus.formats import read_corpus

        yield from read_corpus(path).texts()


def _cleaned(lines: TextBuffers) -> TextBuffers:
    """Return ``lines`` cleaned; nothing needs be done to those of ASCII that hold no control characters."""
    from seedcorn.corpus.formats.normal_form import clean_column

    if not _IS_UNUSUAL[lines.text].any():
        return lines
    offsets = pa.py_buffer(lines.offsets.astype(np.int64))
    rows = pa.Array.from_buffers(pa.large_string(), len(lines.offsets) - 1, [None, offsets, pa.py_buffer(lines.text)])
    return text_buffers(clean_column(rows.cast(pa.string())))


def _unusual_bytes() -> NDArray[np.bool_]:
    unusual = np.ones(256, np.bool_)
    unusual[0x20:0x7F] = False
    unusual[[0x00, 0x09, 0x0A, 0x0D]] = False  # what separates words anyway
    return unusual


_IS_UNUSUAL = _unusual_bytes()


def _is_plain_text(path: Path) -> bool:
    from seedcorn.corpus.formats import detect_format

    return path.is_file() and (path.stat().st_size == 0 or detect_format(path) == PLAIN_TEXT)


def _split(batch: Texts) -> list[str]:
    from seedcorn.corpus.normalising import normalise_all

    text, offsets = text_buffers(batch)
    raw = text.tobytes()
    bounds = zip(offsets.tolist(), offsets[1:].tolist(), strict=False)
    return normalise_all([raw[begin:end].decode("utf-8") for begin, end in bounds])
