"""Text as compiled code sees it: UTF-8 bytes and row offsets, from Arrow columns, Python strings or files of lines."""

import gzip
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from seedcorn.compiled import njit
from seedcorn.corpus.text_bytes import BYTES_OF_COMPRESSION, compression_of, decoded
from seedcorn.errors import DataError, at

_BYTES_PER_BLOCK = 1 << 18
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_NEWLINE = 10
_MOST_HEADER_BYTES = 1 << 16  # a licence may stand before a model's \\data\\
MODEL_MAGIC = b"seedcorn n-gram model\n"  # how Seedcorn's own model files start


class TextBuffers(NamedTuple):
    """The UTF-8 bytes of rows of text, and where each begins and ends in them, (n_rows + 1,)."""

    text: NDArray[np.uint8]
    offsets: NDArray[np.int64]


Texts: TypeAlias = "pa.Array | pa.ChunkedArray | Sequence[str] | TextBuffers"


@njit(cache=True, nogil=True)
def is_space(byte: int) -> bool:
    """Tell whether ``byte`` separates words: space, tab, line ends and NUL, as for the reference estimator."""
    return byte <= 32 and (byte == 32 or byte == 10 or byte == 9 or byte == 13 or byte == 0)


@njit(cache=True, nogil=True)
def next_word(text: NDArray[np.uint8], start: int, end: int) -> int:
    """Return where the first word of ``text[start:end]`` begins, ``end`` when there is none."""
    while start < end and is_space(text[start]):
        start += 1
    return start


@njit(cache=True, nogil=True)
def word_end(text: NDArray[np.uint8], start: int, end: int) -> int:
    """Return where the word that begins at ``start`` ends."""
    while start < end and not is_space(text[start]):
        start += 1
    return start


def text_buffers(texts: Texts) -> TextBuffers:
    """Return the buffers of ``texts``, of Arrow columns without copying bytes; an Arrow null counts as an empty row."""
    if isinstance(texts, TextBuffers):
        return texts
    column = texts if isinstance(texts, pa.Array | pa.ChunkedArray) else pa.array(texts, pa.large_string())
    column = column.cast(pa.large_string())
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if column.null_count:
        column = pc.fill_null(column, "")
    if len(column) == 0:
        return TextBuffers(np.zeros(0, dtype=np.uint8), np.zeros(1, dtype=np.int64))
    _, offset_buffer, byte_buffer = column.buffers()
    offsets = np.frombuffer(offset_buffer, dtype=np.int64)[column.offset : column.offset + len(column) + 1]
    return TextBuffers(np.frombuffer(byte_buffer or b"", dtype=np.uint8), offsets)


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """Open ``path`` for reading, uncompressing it when it is gzip or zstd; raises as ``compression_of`` does."""
    with path.open("rb") as raw:
        compression = compression_of(raw.peek(BYTES_OF_COMPRESSION), path)
        if compression == "gzip":
            with gzip.open(raw, "rb") as stream:
                yield stream  # type: ignore[misc]
        elif compression == "zstd":
            yield pa.CompressedInputStream(pa.PythonFile(raw, "r"), "zstd")
        else:
            yield raw


def looks_like_arpa(first_bytes: bytes) -> bool:
    """Tell whether a file that starts with ``first_bytes`` is an ARPA file."""
    lines = first_bytes[:_MOST_HEADER_BYTES].removeprefix(_BYTE_ORDER_MARK).splitlines()
    return any(line.strip() == b"\\data\\" for line in lines)


def read_block(stream: IO[bytes], n_bytes: int, where: str) -> bytes:
    """Return the next ``n_bytes`` of ``stream``; raises DataError when a compressed file is cut short or damaged."""
    try:
        return stream.read(n_bytes)
    except (EOFError, OSError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno is not None:  # a failing disk, not a bad file
            raise
        raise DataError(wanted="a whole compressed file", found=str(error), where=where) from error


def read_lines(path: Path) -> Iterator[TextBuffers]:
    """Yield the lines of a text file, compressed or not, in blocks; "-" is standard input.

    A line ends as in every reader (``\\n``, ``\\r\\n``, ``\\r``), and a blank line is an empty sentence. Raises
    DataError when the file is an ARPA model or not UTF-8.
    """
    if str(path) == "-":
        yield from _line_blocks(sys.stdin.buffer, path)
    else:
        with open_bytes(path) as stream:
            yield from _line_blocks(stream, path)


def _line_blocks(stream: IO[bytes], path: Path) -> Iterator[TextBuffers]:
    rest, line, first = b"", 1, True
    while block := read_block(stream, _BYTES_PER_BLOCK, at(path, line)):
        if first:
            _refuse_model(block, path)
            block, first = block.removeprefix(_BYTE_ORDER_MARK), False
        block = _with_newlines(rest + block)
        whole = block.rfind(b"\n") + 1
        rest = block[whole:]
        if whole:
            buffers = _buffers_of_lines(block[:whole], path, line)
            line += len(buffers.offsets) - 1
            yield buffers
    if rest:
        yield _buffers_of_lines(rest, path, line)


def _with_newlines(block: bytes) -> bytes:
    if b"\r" not in block:
        return block
    is_half = block.endswith(b"\r")  # of "\r\n", perhaps
    whole = block[: len(block) - is_half]
    return whole.replace(b"\r\n", b"\n").replace(b"\r", b"\n") + b"\r" * is_half


def _refuse_model(block: bytes, path: Path) -> None:
    is_arpa = looks_like_arpa(block)
    if is_arpa or block.startswith(MODEL_MAGIC):
        raise DataError(
            wanted="text, one sentence a line",
            found="an ARPA language model" if is_arpa else "a language model",
            where=at(path, 1),
            fix="Give the text that the model was made from.",
        )


def _buffers_of_lines(block: bytes, path: Path, line: int) -> TextBuffers:
    decoded(block, path, first_line=line)
    text = np.frombuffer(block, dtype=np.uint8)
    ends = np.flatnonzero(text == _NEWLINE) + 1
    if not len(ends) or ends[-1] < len(text):
        ends = np.append(ends, len(text))
    return TextBuffers(text, np.concatenate([[0], ends]).astype(np.int64))
