"""Wrong input: each with its place, nothing lost silently, nothing half-read."""

import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seedcorn.corpus.formats import SKIP, read_corpus
from seedcorn.errors import DataError, SeedcornWarning

GOOD = '{"text": "good"}\n'


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ('{"text": "bad"', "wanted a JSON object"),
        ("[1]", "wanted a JSON object"),
        ('{"text": ""}', "wanted a text, found an empty one"),
        ('{"text": " \\u2028 "}', "wanted a text, found an empty one"),
        ('{"intent": "x"}', "wanted a text, found none"),
        ('{"text": 5.5}', "wanted a string as 'text'"),
        ('{"text": "a", "intent": {"b": 1}}', "wanted a string as 'intent'"),
        ('{"text": "a", "slots": "b"}', "wanted a list of slots"),
        ('{"text": "a", "slots": [{"start": 0, "end": 2, "type": "t"}]}', "inside the 1 characters"),
        ('{"text": "a", "slots": [{"start": -1, "end": 1, "type": "t"}]}', "inside the 1 characters"),
        ('{"text": "a", "slots": [{"start": 0, "end": 0, "type": "t"}]}', "inside the 1 characters"),
        ('{"text": "a", "slots": [{"start": 0, "end": 1, "type": ""}]}', "wanted a slot type"),
        ('{"text": "a", "slots": [{"start": "0", "end": 1, "type": "t"}]}', "wanted a slot as"),
        ('{"text": "a", "slots": [{"start": 0, "end": 99999999999, "type": "t"}]}', "wanted a slot as"),
        (
            '{"text": "a b", "slots": [{"start": 1, "end": 2, "type": "t"}, {"start": 1, "end": 3, "type": "u"}]}',
            "overlap",
        ),
        ('{"text": "a \\ud800"}', "half of a surrogate pair"),
        ('{"text": NaN}', "wanted a text, found none"),
    ],
)
def test_a_bad_row_stops_with_its_line_or_is_skipped_and_written_down(tmp_path: Path, row: str, message: str):
    path, rejects = tmp_path / "some.jsonl", tmp_path / "rejects.jsonl"
    path.write_text(GOOD + row + "\n" + GOOD, encoding="utf-8")
    with pytest.raises(DataError, match=message) as raised:
        read_corpus(path).count()
    assert raised.value.where == f"{path}:2"

    corpus = read_corpus(path, on_error=SKIP, rejects=rejects)
    with pytest.warns(SeedcornWarning, match="1 bad rows skipped, all written to"):
        assert corpus.count() == 2
    (reject,) = [json.loads(line) for line in rejects.read_text("utf-8").split("\n") if line]
    assert reject["where"] == f"{path}:2"
    assert reject["row"]


def test_skipping_without_a_rejects_file_still_counts(tmp_path: Path):
    path = tmp_path / "some.jsonl"
    path.write_text(GOOD + "x\n" + GOOD + "y\n", encoding="utf-8")
    with pytest.warns(SeedcornWarning, match=f"2 bad rows skipped; the first: {path}:2"):
        assert read_corpus(path, on_error=SKIP).count() == 2


def test_a_pass_that_is_broken_off_leaves_no_rejects_file(tmp_path: Path):
    path, rejects = tmp_path / "some.jsonl", tmp_path / "rejects.jsonl"
    path.write_text("x\n" + GOOD, encoding="utf-8")
    batches = read_corpus(path, on_error=SKIP, rejects=rejects).batches()
    next(batches)
    batches.close()
    assert not rejects.exists()


@pytest.mark.parametrize("content", ["", "\n\n", "  \n", "\ufeff"])
@pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "a.tsv", "a.csv", "a.yml", "a.conll"])
def test_an_empty_file_is_refused(tmp_path: Path, name: str, content: str):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match="wanted at least one utterance, found an empty file"):
        read_corpus(path)


def test_a_missing_file_is_refused(tmp_path: Path):
    with pytest.raises(DataError, match="found nothing"):
        read_corpus(tmp_path / "none.txt")
    with pytest.raises(DataError, match=r"seq.in, seq.out and label, or with train_.*found none of these"):
        read_corpus(tmp_path)


def test_an_arpa_file_given_as_text_is_refused(tmp_path: Path):
    path = tmp_path / "model.arpa"
    path.write_text(
        "made by something\n\n\\data\\\nngram 1=2\n\n\\1-grams:\n-1\ta\n-1\tb\n\n\\end\\\n", encoding="utf-8"
    )
    with pytest.raises(DataError, match="found an ARPA language model"):
        read_corpus(path)


def test_a_bom_in_every_text_format(tmp_path: Path):
    for name, content in {
        "a.txt": "hello\n",
        "a.tsv": "text\tintent\nhello\tgreet\n",
        "a.csv": "text,intent\nhello,greet\n",
        "a.jsonl": '{"text": "hello"}\n',
        "a.json": '{"greet": [{"data": [{"text": "hello"}]}]}',
        "a.yml": "nlu:\n- intent: greet\n  examples: |\n    - hello\n",
        "a.conll": "# intent = greet\nhello\tO\n",
    }.items():
        (tmp_path / name).write_text("\ufeff" + content.replace("\n", "\r\n"), encoding="utf-8", newline="")
        (utterance,) = read_corpus(tmp_path / name).utterances()
        assert utterance.text == "hello"
        assert utterance.intent in ("", "greet")


def test_line_separators_inside_a_line_become_spaces(tmp_path: Path):
    path = tmp_path / "some.txt"
    path.write_text("one\u2028two\x85three\nfour\n", encoding="utf-8")
    assert [u.text for u in read_corpus(path).utterances()] == ["one two three", "four"]


def test_tsv_rows_of_another_length(tmp_path: Path):
    path = tmp_path / "some.tsv"
    path.write_text("text\tintent\na\tb\nc\nd\te\tf\n", encoding="utf-8")
    with pytest.raises(DataError, match=rf"{path}:3: wanted 2 fields .* found 1: c"):
        read_corpus(path)
    with pytest.warns(SeedcornWarning, match="2 bad rows"):
        assert [u.text for u in read_corpus(path, on_error=SKIP).utterances()] == ["a"]


def test_csv_rows_of_another_length_and_open_quotes(tmp_path: Path):
    path = tmp_path / "some.csv"
    path.write_text('text,intent\n"two\nlines",x\nc\nd,"e\n', encoding="utf-8")
    with pytest.raises(DataError, match=rf"{path}:4: wanted 2 fields"):
        read_corpus(path)
    with pytest.warns(SeedcornWarning, match="2 bad rows"):
        assert [u.text for u in read_corpus(path, on_error=SKIP).utterances()] == ["two lines"]


@pytest.mark.parametrize("header", ["a\tb\tc", "text\ttext", "intent\tlabel\tx"])
def test_tables_without_a_text_column_are_refused(tmp_path: Path, header: str):
    for name, content in {"a.tsv": header, "a.csv": header.replace("\t", ",")}.items():
        (tmp_path / name).write_text(content + "\n", encoding="utf-8")
        with pytest.raises(DataError, match="one of them 'text'"):
            read_corpus(tmp_path / name)


def test_a_column_that_appears_late_is_left_out_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("seedcorn.corpus.formats.rows.ROWS_PER_BATCH", 2)
    path = tmp_path / "some.jsonl"
    path.write_text(GOOD * 2 + '{"text": "a", "late": 1}\n', encoding="utf-8")
    with pytest.warns(SeedcornWarning, match="left out 1 values of the column 'late', which the first rows lack"):
        assert read_corpus(path).count() == 3


@pytest.mark.parametrize("value", ['"x"', "[1]", "true", "99999999999999999999999"])
def test_a_column_of_several_types_is_kept_as_text(tmp_path: Path, value: str):
    path = tmp_path / "some.jsonl"
    path.write_text(f'{{"text": "a", "n": 1}}\n{{"text": "b", "n": {value}}}\n', encoding="utf-8")
    assert read_corpus(path).table().column("n").to_pylist() == ["1", value.strip('"')]


def test_a_value_of_another_type_than_before_is_left_out_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("seedcorn.corpus.formats.rows.ROWS_PER_BATCH", 2)
    path = tmp_path / "some.jsonl"
    path.write_text('{"text": "a", "n": 1, "m": null}\n' * 2 + '{"text": "a", "n": "x", "m": [2]}\n', encoding="utf-8")
    with pytest.warns(SeedcornWarning, match="left out 1 values of the column 'n' that are not int64"):
        table = read_corpus(path).table()
    assert table.column("n").to_pylist() == [1, 1, None]
    assert table.column("m").to_pylist() == [None, None, "[2]"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", '{"greet": [{"data": [{"text": "bad \\ud800"}]}, {"data": [{"text": "good"}]}]}'),
        ("a.yml", 'nlu:\n- intent: greet\n  examples:\n  - text: "bad \\ud800"\n  - text: good\n'),
    ],
)
def test_half_of_a_surrogate_pair_is_a_bad_row_in_every_format(tmp_path: Path, name: str, content: str):
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match="half of a surrogate pair"):
        read_corpus(tmp_path / name)
    rejects = tmp_path / "rejects.jsonl"
    with pytest.warns(SeedcornWarning, match="1 bad rows skipped"):
        assert [u.text for u in read_corpus(tmp_path / name, on_error=SKIP, rejects=rejects).utterances()] == ["good"]
    assert "surrogate" in json.loads(rejects.read_text("utf-8"))["found"]


def test_a_line_that_is_no_rasa_example_is_a_bad_row(tmp_path: Path):
    path = tmp_path / "some.yml"
    path.write_text("nlu:\n- intent: greet\n  examples: |\n    - hello\n    hi\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"some.yml:5: wanted an example as '- text', found 'hi'"):
        read_corpus(path).count()
    with pytest.warns(SeedcornWarning, match="1 bad rows skipped"):
        assert [u.text for u in read_corpus(path, on_error=SKIP).utterances()] == ["hello"]


def test_a_pipe_is_refused_since_files_are_read_more_than_once(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="found a pipe or a device"):
        read_corpus(tmp_path / "pipe")


def test_damaged_parquet_and_parquet_without_text(tmp_path: Path):
    pq.write_table(pa.table({"remark": ["a"]}), tmp_path / "other.parquet")
    with pytest.raises(DataError, match=r"other.parquet: wanted a column 'text'"):
        read_corpus(tmp_path / "other.parquet")
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "other.parquet").read_bytes()[:-10])
    with pytest.raises(DataError, match="wanted a Parquet file"):
        read_corpus(tmp_path / "cut.parquet")


def test_duplicate_ids_stay_two_rows(tmp_path: Path):
    path = tmp_path / "some.jsonl"
    path.write_text('{"id": 1, "text": "a"}\n{"id": "1", "text": "b"}\n', encoding="utf-8")
    assert [(u.id, u.text) for u in read_corpus(path).utterances()] == [("1", "a"), ("1", "b")]
