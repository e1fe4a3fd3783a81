"""Lines of text files: line ends, encodings, compression, and what is refused."""

import gzip
from pathlib import Path

import pyarrow as pa
import pytest

from seedcorn.corpus.formats.bad_rows import SKIP, STOP, BadRows
from seedcorn.corpus.formats.lines import first_bytes, line_blocks, open_text_sink, read_text
from seedcorn.errors import DataError


def lines_of(path: Path, bad_rows: BadRows | None = None, block_bytes: int = 1 << 20) -> list[tuple[int, str]]:
    return [line for block in line_blocks(path, bad_rows or BadRows(), block_bytes=block_bytes) for line in block]


@pytest.mark.parametrize("block_bytes", [4, 5, 6, 7, 8, 1000])
def test_mixed_line_ends_give_the_same_lines_at_any_block_size(tmp_path: Path, block_bytes: int):
    path = tmp_path / "mixed.txt"
    path.write_bytes("one\r\ntwo\n\rfour\r\n\r\nsix é\rlast".encode())
    expected = [(1, "one"), (2, "two"), (3, ""), (4, "four"), (5, ""), (6, "six é"), (7, "last")]
    assert lines_of(path, block_bytes=block_bytes) == expected


def test_only_line_ends_end_lines(tmp_path: Path):
    path = tmp_path / "separators.txt"
    path.write_text("one\u2028still one\x85and\x0bon\x0cit goes\x1c\ntwo", encoding="utf-8")
    assert [number for number, _ in lines_of(path)] == [1, 2]


def test_a_bom_is_no_part_of_the_first_line(tmp_path: Path):
    path = tmp_path / "bom.txt"
    path.write_text("\ufeffone\ntwo\n", encoding="utf-8")
    assert lines_of(path) == [(1, "one"), (2, "two")]
    assert first_bytes(path) == b"one\ntwo\n"


@pytest.mark.parametrize("suffix", [".txt", ".txt.gz", ".txt.zst"])
def test_what_a_sink_writes_is_read_back_and_is_the_same_each_time(tmp_path: Path, suffix: str):
    for name in ("a", "b"):
        with open_text_sink(tmp_path / f"{name}{suffix}") as sink:
            sink.write("नमस्ते\n" * 500)
    assert lines_of(tmp_path / f"a{suffix}") == [(i, "नमस्ते") for i in range(1, 501)]
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_compression_is_told_from_the_content_not_the_name(tmp_path: Path):
    path = tmp_path / "named_plainly.txt"
    path.write_bytes(gzip.compress(b"one\n") + gzip.compress(b"two\n"))
    assert lines_of(path) == [(1, "one"), (2, "two")]


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_a_compressed_file_cut_short_is_refused(tmp_path: Path, suffix: str):
    path = tmp_path / f"cut.txt{suffix}"
    with open_text_sink(path) as sink:
        sink.write("".join(f"line {i * i}\n" for i in range(50_000)))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match="cut short or damaged"):
        lines_of(path)


def test_a_line_that_is_not_utf8_stops_with_its_place(tmp_path: Path):
    path = tmp_path / "latin1.txt"
    path.write_bytes(b"one\ntwo\ncaf\xe9 au lait\nfour\n")
    with pytest.raises(DataError, match=rf"{path}:3: wanted UTF-8 text, found the byte 0xe9"):
        lines_of(path, BadRows(STOP))
    with pytest.raises(DataError, match=rf"{path}:3"):
        read_text(path)


def test_a_line_that_is_not_utf8_can_be_skipped_and_the_others_keep_their_numbers(tmp_path: Path):
    path = tmp_path / "latin1.txt"
    path.write_bytes(b"one\ntwo\ncaf\xe9\nfour\n")
    bad_rows = BadRows(SKIP)
    assert lines_of(path, bad_rows) == [(1, "one"), (2, "two"), (4, "four")]
    assert bad_rows.n_skipped == 1


def test_utf16_is_refused(tmp_path: Path):
    path = tmp_path / "utf16.txt"
    path.write_text("one\n", encoding="utf-16")
    with pytest.raises(DataError, match="found UTF-16"):
        lines_of(path)


def test_long_files_come_in_blocks(tmp_path: Path):
    path = tmp_path / "long.txt"
    path.write_text("0123456789\n" * 1000, encoding="utf-8")
    blocks = list(line_blocks(path, BadRows(), block_bytes=1100))
    assert len(blocks) == 10
    assert all(isinstance(block.lines, pa.StringArray) and len(block.lines) == 100 for block in blocks)
    assert [int(block.numbers[0]) for block in blocks[:3]] == [1, 101, 201]
