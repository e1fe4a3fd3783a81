"""One Zstandard frame with a checksum (RFC 8878): as Arrow writes them, without it, damage reads as other text.

One frame, because a file of several can be cut between two of them and still be whole to every reader.
"""

from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seedcorn.compiled import njit

BYTES_PER_WRITE = 1 << 20
_STRIPE = 32
_CHECKSUM_FLAG = 0x04  # of the byte after the magic number
_DESCRIPTOR = 4
_P1, _P2, _P3 = np.uint64(0x9E3779B185EBCA87), np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(0x165667B19E3779F9)
_P4, _P5 = np.uint64(0x85EBCA77C2B2AE63), np.uint64(0x27D4EB2F165667C5)
_SEED_LANES = ((int(_P1) + int(_P2)) % (1 << 64), int(_P2), 0, (1 << 64) - int(_P1))


class CheckedZstdSink:
    """Compresses what is written into one frame that ends with its checksum; equal bytes give equal files."""

    def __init__(self, path: Path) -> None:
        self._path, self._waiting, self._hash = path, bytearray(), Xxh64()
        self._stream = pa.output_stream(str(path), compression="zstd", buffer_size=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        try:
            if kind is None:
                self._write(bytes(self._waiting))
        finally:
            self._stream.close()
        if kind is None:
            self._seal()

    def write(self, content: bytes) -> None:
        """Take ``content`` up, and write what is there by the megabyte."""
        self._waiting += content
        while len(self._waiting) >= BYTES_PER_WRITE:
            self._write(bytes(self._waiting[:BYTES_PER_WRITE]))
            del self._waiting[:BYTES_PER_WRITE]

    def _write(self, content: bytes) -> None:
        self._hash.update(content)
        self._stream.write(content)

    def _seal(self) -> None:
        """Set the flag that says that a checksum follows the frame, and let it follow."""
        with self._path.open("r+b") as file:
            file.seek(_DESCRIPTOR)
            descriptor = file.read(1)[0]
            file.seek(_DESCRIPTOR)
            file.write(bytes([descriptor | _CHECKSUM_FLAG]))
            file.seek(0, 2)
            file.write((self._hash.digest() & 0xFFFFFFFF).to_bytes(4, "little"))


class Xxh64:
    """The XXH64 hash with seed 0 (Collet, xxHash specification) of content that comes in parts."""

    def __init__(self) -> None:
        self._lanes = np.array(_SEED_LANES, np.uint64)
        self._rest, self._n_bytes = b"", 0

    def update(self, content: bytes) -> None:
        """Take ``content`` up."""
        self._n_bytes += len(content)
        together = self._rest + content
        whole = len(together) - len(together) % _STRIPE
        _take_stripes(self._lanes, np.frombuffer(together, np.uint8, count=whole))
        self._rest = together[whole:]

    def digest(self) -> int:
        """Return the hash of all that came."""
        return int(_finished(self._lanes, np.frombuffer(self._rest, np.uint8), self._n_bytes))


@njit(nogil=True, cache=True)
def _rotated(value, n_bits):  # type: ignore[no-untyped-def]
    return (value << np.uint64(n_bits)) | (value >> np.uint64(64 - n_bits))


@njit(nogil=True, cache=True)
def _round(lane, word):  # type: ignore[no-untyped-def]
    return _rotated(lane + word * _P2, 31) * _P1


@njit(nogil=True, cache=True)
def _word(content, at, n_bytes):  # type: ignore[no-untyped-def]
    value = np.uint64(0)
    for i in range(n_bytes):
        value |= np.uint64(content[at + i]) << np.uint64(8 * i)
    return value


@njit(nogil=True, cache=True)
def _take_stripes(lanes: NDArray[np.uint64], content: NDArray[np.uint8]) -> None:
    for at in range(0, len(content), 32):
        for lane in range(4):
            lanes[lane] = _round(lanes[lane], _word(content, at + 8 * lane, 8))


@njit(nogil=True, cache=True)
def _finished(lanes: NDArray[np.uint64], rest: NDArray[np.uint8], n_bytes: int) -> np.uint64:
    if n_bytes >= 32:
        value = _rotated(lanes[0], 1) + _rotated(lanes[1], 7) + _rotated(lanes[2], 12) + _rotated(lanes[3], 18)
        for lane in lanes:
            value = (value ^ _round(np.uint64(0), lane)) * _P1 + _P4
    else:
        value = _P5
    value += np.uint64(n_bytes)
    at = 0
    while at + 8 <= len(rest):
        value = _rotated(value ^ _round(np.uint64(0), _word(rest, at, 8)), 27) * _P1 + _P4
        at += 8
    if at + 4 <= len(rest):
        value = _rotated(value ^ (_word(rest, at, 4) * _P1), 23) * _P2 + _P3
        at += 4
    while at < len(rest):
        value = _rotated(value ^ (np.uint64(rest[at]) * _P5), 11) * _P1
        at += 1
    value = (value ^ (value >> np.uint64(33))) * _P2
    value = (value ^ (value >> np.uint64(29))) * _P3
    return value ^ (value >> np.uint64(32))
