import gzip
import io
import json
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from seedcorn.errors import DataError
from seedcorn.lm.text_buffers import TextBuffers, read_lines, text_buffers
from seedcorn.lm.text_files import read_texts


def rows(buffers: TextBuffers) -> list[str]:
    raw, offsets = buffers.text.tobytes(), buffers.offsets.tolist()
    return [raw[a:b].decode() for a, b in zip(offsets, offsets[1:], strict=False)]


def lines_of(path: Path) -> list[str]:
    return [row.rstrip("\n") for buffers in read_lines(path) for row in rows(buffers)]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_arrow_slices_chunks_and_nulls(kind: pa.DataType) -> None:
    array = pa.array(["left out", "a b", None, "ü"], kind)
    assert rows(text_buffers(array[1:])) == ["a b", "", "ü"]
    assert rows(text_buffers(pa.chunked_array([array[:2], array[3:]]))) == ["left out", "a b", "ü"]
    assert rows(text_buffers(array[:0])) == []
    assert rows(text_buffers([])) == []


def test_only_newlines_end_lines(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes("\ufeffa\u2028b\x85c\n\n\nlast".encode())
    assert lines_of(path) == ["a\u2028b\x85c", "", "", "last"]


def test_gzip_is_told_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes(gzip.compress(b"one\ntwo\n"))
    assert lines_of(path) == ["one", "two"]


def test_cut_gzip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text.gz"
    path.write_bytes(gzip.compress(b"one two three\n" * 100)[:-12])
    with pytest.raises(DataError, match="whole compressed"):
        lines_of(path)


def test_bytes_that_are_no_utf8_are_named_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.txt"
    path.write_bytes(b"fine\ncaf\xe9\n")
    with pytest.raises(DataError, match=r"latin\.txt:2: wanted UTF-8 text, found the byte 0xe9"):
        lines_of(path)


def test_arpa_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "model.txt"
    path.write_text("\n\\data\\\nngram 1=3\n", "utf-8")
    with pytest.raises(DataError, match="found an ARPA language model"):
        lines_of(path)


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a b\nc\n"), encoding="utf-8"))
    assert lines_of(Path("-")) == ["a b", "c"]


def test_corpora_give_their_text_and_words_are_folded_on_request(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text('{"text": "Play  it, now!"}\n', "utf-8")
    plain = tmp_path / "plain.txt"
    plain.write_text("Play it, now!\n", "utf-8")
    texts = [row.strip() for path in (corpus, plain) for batch in read_texts(path) for row in rows(text_buffers(batch))]
    assert texts == ["Play it, now!", "Play it, now!"]
    assert [row for batch in read_texts(plain, normalised=True) for row in batch] == ["play it now"]


def test_text_and_json_lines_of_the_same_sentences_give_the_same_words(tmp_path: Path) -> None:
    texts = ["cafe\u0301 au\u00a0lait", "zero\u200bwidth\u2028end", "plain words", "\u200b"]
    (tmp_path / "a.txt").write_text("\n".join(texts) + "\n", encoding="utf-8")
    objects = "".join(json.dumps({"text": text}) + "\n" for text in texts[:3])
    (tmp_path / "a.jsonl").write_text(objects, encoding="utf-8")
    read = {
        name: [[r.strip() for r in rows(text_buffers(batch))] for batch in read_texts(tmp_path / name)]
        for name in ("a.txt", "a.jsonl")
    }
    assert read["a.jsonl"] == [["café au lait", "zerowidth end", "plain words"]]
    assert [row for row in read["a.txt"][0] if row] == read["a.jsonl"][0]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_lines_end_as_in_every_reader_at_any_block_size(
    tmp_path: Path, line_end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "text"
    path.write_bytes(line_end.join(["one", "two", "", "three", ""]).encode())
    for n_bytes in (1, 4, 5, 1 << 20):
        monkeypatch.setattr("seedcorn.lm.text_buffers._BYTES_PER_BLOCK", n_bytes)
        assert [line.strip() for line in lines_of(path)] == ["one", "two", "", "three"]


def test_zstd_is_told_by_its_content(tmp_path: Path) -> None:
    with pa.output_stream(str(tmp_path / "text.zst"), compression="zstd") as stream:
        stream.write(b"one\ntwo\n")
    assert lines_of(tmp_path / "text.zst") == ["one", "two"]
    cut = tmp_path / "cut"
    cut.write_bytes((tmp_path / "text.zst").read_bytes()[:-3])
    with pytest.raises(DataError, match="whole compressed"):
        lines_of(cut)


def test_a_file_that_is_not_compressed_as_its_name_says_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt.gz").write_bytes(b"\x1f\xe2\x80\xa8")
    with pytest.raises(DataError, match="as its name says"):
        list(read_lines(tmp_path / "a.txt.gz"))
