"""Text files as blocks of lines at Arrow speed, compressed or not, and the streams that writers write to.

A line ends at ``\\n``, ``\\r\\n`` or ``\\r`` and at nothing else: ``\\u2028`` and ``\\x85`` are characters of a line.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seedcorn.compiled import njit
from seedcorn.corpus.formats.bad_rows import BadRows
from seedcorn.corpus.text_bytes import BYTES_OF_COMPRESSION, COMPRESSIONS, compression_of, decoded, not_utf8
from seedcorn.errors import DataError, at
from seedcorn.streams import refuse_to_read_stream

BYTES_PER_BLOCK = 8 << 20
BYTES_TO_SNIFF = 64 << 10
_LINE_END = ord("\n")
_UTF8_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
_UTF32_BOMS = (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")

LineNumbers: TypeAlias = NDArray[np.int64]


class ByteSource(Protocol):
    """What can be read in blocks of bytes."""

    def read(self, n_bytes: int, /) -> bytes:
        """Return up to ``n_bytes`` bytes, none at the end."""


class WholeLines(NamedTuple):
    """Lines as they stand in a file, each with ``\\n`` at its end, and the number of the first."""

    characters: NDArray[np.uint8]
    n_lines: int
    first_number: int


@dataclass(frozen=True)
class LineBlock:
    """Consecutive lines of a file without their line ends, and the number of each, counted from 1."""

    lines: pa.StringArray
    numbers: LineNumbers

    def __iter__(self) -> Iterator[tuple[int, str]]:
        return zip(self.numbers.tolist(), self.lines.to_pylist(), strict=True)


@contextmanager
def open_bytes(path: Path) -> Iterator[ByteSource]:
    """Open ``path`` for reading, decompressed when its first bytes are those of gzip or zstd.

    Raises DataError for a folder, for a pipe or a device, which cannot be read more than once, and for a file that is
    not compressed though its name says so.
    """
    refuse_to_read_stream(path)
    with path.open("rb") as plain:
        compression = compression_of(plain.read(BYTES_OF_COMPRESSION), path)
    with pa.input_stream(str(path), compression=compression) as stream:
        yield stream


def first_bytes(path: Path) -> bytes:
    """Return the beginning of ``path``, decompressed and without a BOM."""
    with open_bytes(path) as stream:
        return _start(stream, BYTES_TO_SNIFF, path)


def read_bytes(path: Path) -> bytes:
    """Return the whole of a file, decompressed and without a BOM."""
    with open_bytes(path) as stream:
        return b"".join(_blocks(stream, path))


def read_text(path: Path) -> str:
    """Return the whole of a text file; raises DataError when it is not UTF-8."""
    return decoded(read_bytes(path), path)


def line_blocks(path: Path, bad_rows: BadRows, *, block_bytes: int = BYTES_PER_BLOCK) -> Iterator[LineBlock]:
    """Yield the lines of ``path`` in blocks of about ``block_bytes``.

    A line that is not UTF-8 is reported to ``bad_rows``. Raises DataError for UTF-16 and for a cut compressed file.
    """
    for lines in whole_lines(path, block_bytes=block_bytes):
        yield split_lines(lines, path, bad_rows)


def whole_lines(path: Path, *, block_bytes: int = BYTES_PER_BLOCK) -> Iterator[WholeLines]:
    """Yield the bytes of ``path`` in blocks of about ``block_bytes`` that end where a line does."""
    with open_bytes(path) as stream:
        first_number, rest = 1, b""
        for block in _blocks(stream, path, block_bytes):
            data = rest + block
            end = _end_of_last_line(data)
            rest = data[end:]
            if end:
                lines = _whole_lines(data, end, first_number)
                yield lines
                first_number += lines.n_lines
        if rest:
            yield _whole_lines(rest + b"\n", len(rest) + 1, first_number)


def split_lines(whole: WholeLines, path: Path, bad_rows: BadRows) -> LineBlock:
    """Return the lines of a block of ``path``; one that is not UTF-8 is reported to ``bad_rows``."""
    lines = _split(whole)
    numbers = np.arange(whole.first_number, whole.first_number + len(lines), dtype=np.int64)
    try:
        return LineBlock(lines.cast(pa.string()), numbers)
    except pa.ArrowInvalid:
        is_good = np.ones(len(lines), dtype=np.bool_)
        for row, line in enumerate(lines.to_pylist()):
            is_good[row] = _is_utf8(line, at(path, whole.first_number + row), bad_rows)
        return LineBlock(lines.filter(pa.array(is_good)).cast(pa.string()), numbers[is_good])


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the number and the text of each line of ``path`` that is not blank, decompressed.

    Raises DataError for a file that is missing, and with its line for what is not UTF-8.
    """
    if not path.exists():
        raise DataError(wanted="a file to read", found="nothing", where=path)
    for block in line_blocks(path, BadRows()):
        for number, line in block:
            if line and not line.isspace():
                yield number, line


def _end_of_last_line(data: bytes) -> int:
    # A "\r" at the very end may be half of a "\r\n", so it ends no line yet.
    return max(data.rfind(b"\n"), data.rfind(b"\r", 0, len(data) - 1)) + 1


def _blocks(stream: ByteSource, path: Path, block_bytes: int = BYTES_PER_BLOCK) -> Iterator[bytes]:
    block = _start(stream, block_bytes, path)
    while block:
        yield block
        block = _read(stream, block_bytes, path)


def _start(stream: ByteSource, n_bytes: int, path: Path) -> bytes:
    """Return the first bytes without a BOM. Raises DataError where it is that of another encoding than UTF-8."""
    block = _read(stream, n_bytes, path)
    if block.startswith((*_UTF16_BOMS, *_UTF32_BOMS)):
        found = "UTF-32" if block.startswith(_UTF32_BOMS) else "UTF-16"
        raise DataError(wanted="UTF-8 text", found=found, where=path, fix=f"Convert it: iconv -f {found} -t UTF-8.")
    return block.removeprefix(_UTF8_BOM)


def _read(stream: ByteSource, n_bytes: int, path: Path) -> bytes:
    try:
        return stream.read(n_bytes)
    except OSError as error:
        if error.errno is not None:  # a failing disk, not a bad file
            raise
        raise DataError(
            wanted="a whole compressed file",
            found=f"one that is cut short or damaged ({error})",
            where=path,
            fix="Copy or download it again.",
        ) from error


def _whole_lines(data: bytes, end: int, first_number: int) -> WholeLines:
    """Return the lines of ``data[:end]``, which ends where a line does."""
    if b"\r" in data:
        data = data[:end].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        end = len(data)
    characters = np.frombuffer(data, np.uint8, count=end)
    return WholeLines(characters, int(np.count_nonzero(characters == _LINE_END)), first_number)


def _split(whole: WholeLines) -> pa.BinaryArray:
    """Return the lines; no Python object is made a line."""
    offsets, text = np.empty(whole.n_lines + 1, np.int32), np.empty(len(whole.characters), np.uint8)
    n_bytes = _without_line_ends(whole.characters, offsets, text)
    return pa.Array.from_buffers(
        pa.binary(), whole.n_lines, [None, pa.py_buffer(offsets), pa.py_buffer(text[:n_bytes])]
    )


@njit(cache=True, nogil=True)
def _without_line_ends(data: NDArray[np.uint8], offsets: NDArray[np.int32], text: NDArray[np.uint8]) -> int:
    """Write what is between line ends one after the other, where each line begins, and return how many bytes it is."""
    n_lines, n_bytes = 0, 0
    offsets[0] = 0
    for byte in data:
        text[n_bytes] = byte
        if byte == _LINE_END:
            n_lines += 1
            offsets[n_lines] = n_bytes
        else:
            n_bytes += 1
    return n_bytes


def _is_utf8(line: bytes, where: str, bad_rows: BadRows) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        bad_rows.report(not_utf8(line[error.start]), line.decode("utf-8", "backslashreplace"), where=where)
        return False
    return True


class TextSink(Protocol):
    """What text can be written to."""

    def write(self, text: str, /) -> object:
        """Write ``text``."""


class _EncodedSink:
    def __init__(self, stream: pa.NativeFile) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        self._stream.write(text.encode("utf-8"))


@contextmanager
def open_text_sink(path: Path) -> Iterator[TextSink]:
    """Open ``path`` for writing UTF-8, compressed when it ends in .gz or .zst; the same text gives the same bytes."""
    compression = COMPRESSIONS.get(path.suffix.lower())
    if compression == "zstd":
        from seedcorn.corpus.formats.zstd_frames import CheckedZstdSink

        with CheckedZstdSink(path) as checked:
            yield _EncodedSink(checked)
        return
    with pa.output_stream(str(path), compression=compression, buffer_size=1 << 20) as stream:
        yield _EncodedSink(stream)
