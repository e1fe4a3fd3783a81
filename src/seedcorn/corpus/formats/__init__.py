"""One reader and writer a file format, chosen by the content and the name of a file; see formats.registry."""

from seedcorn.corpus.columns import ColumnChoice
from seedcorn.corpus.formats.bad_rows import SKIP, STOP
from seedcorn.corpus.formats.detection import detect_format
from seedcorn.corpus.formats.pool import read_pool
from seedcorn.corpus.formats.registry import (
    FORMATS,
    Format,
    format_of,
    read_corpus,
    read_texts,
    read_utterances,
    write_corpus,
)
from seedcorn.corpus.names import OnError

__all__ = [
    "FORMATS",
    "SKIP",
    "STOP",
    "ColumnChoice",
    "Format",
    "OnError",
    "detect_format",
    "format_of",
    "read_corpus",
    "read_pool",
    "read_texts",
    "read_utterances",
    "write_corpus",
]
