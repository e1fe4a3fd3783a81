"""Zstandard frames with a checksum (RFC 8878): without it, as Arrow writes them, damage reads as other text."""

from types import TracebackType
from typing import BinaryIO, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seedcorn.compiled import njit

BYTES_PER_FRAME = 1 << 20
_CHECKSUM_FLAG = 0x04  # of the byte after the magic number
_DESCRIPTOR = 4
_P1, _P2, _P3 = np.uint64(0x9E3779B185EBCA87), np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(0x165667B19E3779F9)
_P4, _P5 = np.uint64(0x85EBCA77C2B2AE63), np.uint64(0x27D4EB2F165667C5)


class CheckedZstdSink:
    """Compresses what is written in frames of a megabyte, each with its checksum; equal bytes give equal files."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._waiting, self._is_empty = stream, bytearray(), True
        self._codec = pa.Codec("zstd")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        if kind is None and (self._waiting or self._is_empty):
            self._write_frame(bytes(self._waiting))

    def write(self, content: bytes) -> None:
        """Take ``content`` up, and write the frames that are full."""
        self._waiting += content
        while len(self._waiting) >= BYTES_PER_FRAME:
            self._write_frame(bytes(self._waiting[:BYTES_PER_FRAME]))
            del self._waiting[:BYTES_PER_FRAME]

    def _write_frame(self, content: bytes) -> None:
        frame = bytearray(self._codec.compress(content, asbytes=True))
        frame[_DESCRIPTOR] |= _CHECKSUM_FLAG
        checksum = int(xxh64(np.frombuffer(content, np.uint8))) & 0xFFFFFFFF
        self._stream.write(frame + checksum.to_bytes(4, "little"))
        self._is_empty = False


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
def xxh64(content: NDArray[np.uint8]) -> np.uint64:
    """Return the XXH64 hash of ``content`` with seed 0 (Collet, xxHash specification)."""
    n, at = len(content), 0
    if n >= 32:
        a, b, c, d = _P1 + _P2, _P2, np.uint64(0), np.uint64(0) - _P1
        while at + 32 <= n:
            a, b = _round(a, _word(content, at, 8)), _round(b, _word(content, at + 8, 8))
            c, d = _round(c, _word(content, at + 16, 8)), _round(d, _word(content, at + 24, 8))
            at += 32
        value = _rotated(a, 1) + _rotated(b, 7) + _rotated(c, 12) + _rotated(d, 18)
        for lane in (a, b, c, d):
            value = (value ^ _round(np.uint64(0), lane)) * _P1 + _P4
    else:
        value = _P5
    value += np.uint64(n)
    while at + 8 <= n:
        value = _rotated(value ^ _round(np.uint64(0), _word(content, at, 8)), 27) * _P1 + _P4
        at += 8
    if at + 4 <= n:
        value = _rotated(value ^ (_word(content, at, 4) * _P1), 23) * _P2 + _P3
        at += 4
    while at < n:
        value = _rotated(value ^ (np.uint64(content[at]) * _P5), 11) * _P1
        at += 1
    value = (value ^ (value >> np.uint64(33))) * _P2
    value = (value ^ (value >> np.uint64(29))) * _P3
    return value ^ (value >> np.uint64(32))
