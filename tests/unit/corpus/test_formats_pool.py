import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seedcorn.corpus.formats import read_corpus, read_pool
from seedcorn.corpus.parallel import Sharded
from seedcorn.errors import DataError

TEXTS = ["wake me up", "play some  jazz", "नमस्ते", "lights off", "at six"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, texts in (("b", TEXTS[3:]), ("a", TEXTS[:3])):
        pq.write_table(
            pa.table({"text": texts, "n": range(len(texts))}), tmp_path / f"{name}.parquet", row_group_size=2
        )
        lines = [json.dumps({"text": text}) for text in texts]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    return tmp_path


@pytest.mark.parametrize("where", ["", "/*.parquet", "/*.jsonl", "/[ab].jsonl"])
def test_parts_are_read_by_name_and_can_be_opened_alone(folder: Path, where: str) -> None:
    corpus = read_pool(f"{folder}{where}")
    for _ in range(2):
        assert [text for texts in corpus.texts() for text in texts.to_pylist()] == [
            "wake me up", "play some jazz", "नमस्ते", "lights off", "at six"
        ]  # fmt: skip
    assert isinstance(corpus.pieces(), Sharded)
    assert corpus.schema == next(corpus.batches()).schema
    assert [len(texts) for texts in corpus.text_pieces()] == ([3, 2] if "jsonl" in where else [2, 1, 2])


def test_one_file_is_a_pool(folder: Path) -> None:
    for name in ("a.jsonl", "a.parquet"):
        assert read_pool(str(folder / name)).table().equals(read_corpus(folder / name).table())


def test_parquet_is_read_from_urls(folder: Path) -> None:
    import fsspec

    with fsspec.open("memory://pool/x.parquet", "wb") as stream:
        stream.write((folder / "a.parquet").read_bytes())
    for url in (f"file://{folder}/a.parquet", "memory://pool/x.parquet", "memory://pool"):
        assert read_pool(url).table().equals(read_corpus(folder / "a.parquet").table())


@pytest.mark.parametrize("where", ["/nothing", "/*.tsv", "file:///nothing-there", "no-such-scheme://x/y"])
def test_what_is_not_there_is_said(folder: Path, where: str) -> None:
    with pytest.raises(DataError, match="nothing|none|no-such-scheme"):
        read_pool(where if "://" in where else f"{folder}{where}")


def test_parts_with_other_columns_are_refused(folder: Path) -> None:
    pq.write_table(pa.table({"text": ["x"]}), folder / "c.parquet")
    with pytest.raises(DataError, match=r"c\.parquet"):
        read_pool(str(folder))
