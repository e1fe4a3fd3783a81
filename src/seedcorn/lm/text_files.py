"""Text for language models from any file: lines as they are, or the text column of a corpus."""

from collections.abc import Iterator
from pathlib import Path

from seedcorn.lm.text_buffers import Texts, read_lines, text_buffers

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
        from seedcorn.lm.clean_lines import cleaned_lines

        yield from map(cleaned_lines, read_lines(path))
    else:
        from seedcorn.corpus.formats import read_corpus

        yield from read_corpus(path).texts()


def _is_plain_text(path: Path) -> bool:
    from seedcorn.corpus.formats import detect_format

    return path.is_file() and (path.stat().st_size == 0 or detect_format(path) == PLAIN_TEXT)


def _split(batch: Texts) -> list[str]:
    from seedcorn.corpus.normalising import normalise_all

    text, offsets = text_buffers(batch)
    raw = text.tobytes()
    bounds = zip(offsets.tolist(), offsets[1:].tolist(), strict=False)
    return normalise_all([raw[begin:end].decode("utf-8") for begin, end in bounds])
