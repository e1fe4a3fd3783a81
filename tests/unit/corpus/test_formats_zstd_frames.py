"""Compressed text that we write tells damage: every bit counts."""

import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from seedcorn.corpus.formats.zstd_frames import BYTES_PER_FRAME, CheckedZstdSink, xxh64


def hashed(content: bytes) -> int:
    return int(xxh64(np.frombuffer(content, np.uint8)))


def written(path: Path, content: bytes, *, piece: int = 70_001) -> bytes:
    with path.open("wb") as stream, CheckedZstdSink(stream) as sink:
        for start in range(0, len(content), piece):
            sink.write(content[start : start + piece])
    return path.read_bytes()


def read(path: Path) -> bytes:
    with pa.input_stream(str(path), compression="zstd") as stream:
        return bytes(stream.read())


def test_the_hash_is_that_of_the_specification() -> None:
    assert [hashed(c) for c in (b"", b"a", b"abc")] == [0xEF46DB3751D8E999, 0xD24EC4F1A98C6E5B, 0x44BC2CF5AD770999]
    assert hashed(b"Nobody inspects the spammish repetition") == 0xFBCEA83C8A378BF1


@pytest.mark.parametrize("n_bytes", [0, 1, 33, BYTES_PER_FRAME - 1, BYTES_PER_FRAME, 2 * BYTES_PER_FRAME + 17])
def test_any_length_comes_back_and_pieces_do_not_matter(n_bytes: int, tmp_path: Path) -> None:
    content = random.Random(n_bytes).randbytes(n_bytes)
    assert written(tmp_path / "a", content) == written(tmp_path / "b", content, piece=999_999)
    assert read(tmp_path / "a") == content


def test_no_flipped_bit_reads_as_other_text(tmp_path: Path) -> None:
    content = b"heat it to ninety\nstop the kettle\n"
    path = tmp_path / "a.zst"
    good = written(path, content)
    n_refused = 0
    for bit in range(8 * len(good)):
        changed = bytearray(good)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        try:
            assert read(path) == content, bit
        except OSError:
            n_refused += 1
    assert n_refused > 0.95 * 8 * len(good)
