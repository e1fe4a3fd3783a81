"""Compressed text that we write tells damage: every bit counts."""

import random
from pathlib import Path

import pyarrow as pa
import pytest

from seedcorn.corpus.formats.zstd_frames import BYTES_PER_WRITE, CheckedZstdSink, Xxh64


def hashed(content: bytes) -> int:
    together, in_parts = Xxh64(), Xxh64()
    together.update(content)
    for start in range(0, len(content), 7):
        in_parts.update(content[start : start + 7])
    assert together.digest() == in_parts.digest()
    return together.digest()


def written(path: Path, content: bytes, *, piece: int = 70_001) -> bytes:
    with CheckedZstdSink(path) as sink:
        for start in range(0, len(content), piece):
            sink.write(content[start : start + piece])
    return path.read_bytes()


def read(path: Path) -> bytes:
    with pa.input_stream(str(path), compression="zstd") as stream:
        return bytes(stream.read())


def test_the_hash_is_that_of_the_specification() -> None:
    assert [hashed(c) for c in (b"", b"a", b"abc")] == [0xEF46DB3751D8E999, 0xD24EC4F1A98C6E5B, 0x44BC2CF5AD770999]
    assert hashed(b"Nobody inspects the spammish repetition") == 0xFBCEA83C8A378BF1


@pytest.mark.parametrize("n_bytes", [0, 1, 33, BYTES_PER_WRITE - 1, BYTES_PER_WRITE, 2 * BYTES_PER_WRITE + 17])
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


def test_no_cut_reads_as_shorter_text(tmp_path: Path) -> None:
    content = random.Random(1).randbytes(3 * BYTES_PER_WRITE + 5)
    path = tmp_path / "a.zst"
    good = written(path, content)
    assert good.count(b"\x28\xb5\x2f\xfd") == 1  # one frame: between two, a cut file would be whole to every reader
    for n_bytes in (0, 1, 4, 9, len(good) // 2, len(good) - 5, len(good) - 4, len(good) - 1):
        path.write_bytes(good[:n_bytes])
        if n_bytes:
            with pytest.raises(OSError, match=r"(?i)zstd|truncated|magic"):
                read(path)


def test_repeated_or_other_frames_behind_are_read(tmp_path: Path) -> None:
    one, other = written(tmp_path / "a", b"heat it\n"), written(tmp_path / "b", b"stop\n")
    (tmp_path / "c").write_bytes(one + other)
    assert read(tmp_path / "c") == b"heat it\nstop\n"
