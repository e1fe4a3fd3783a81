"""Tables under any name, options that a format cannot heed, blank rows, labels with white space, damaged offsets."""

import json
import warnings
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seedcorn.corpus.formats import SKIP, ColumnChoice, detect_format, read_corpus
from seedcorn.errors import DataError, SeedcornWarning

TWO = [("play jazz", "music"), ("wake me", "alarm")]


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def labels(path: Path, **choice: str) -> list[tuple[str, str]]:
    return [(u.text, u.intent) for u in read_corpus(path, columns=ColumnChoice(**choice)).utterances()]  # type: ignore[arg-type]


def slots(path: Path) -> list[tuple[str, str]]:
    return [(s.type, u.value(s)) for u in read_corpus(path).utterances() for s in u.slots]


@pytest.mark.parametrize(
    ("name", "delimiter"), [("a.txt", ","), ("a.txt", "\t"), ("a.dat", ";"), ("a", "|"), ("a.tsv", ","), ("a.md", "\t")]
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_table_with_a_header_is_one_under_any_name(tmp_path: Path, name: str, delimiter: str, line_end: str):
    table = "Text,Intent\nplay jazz,music\nwake me,alarm\n".replace(",", delimiter).replace("\n", line_end)
    assert labels(written(tmp_path, name, table)) == TWO


def test_a_text_and_an_intent_make_a_header_beside_other_names(tmp_path: Path):
    assert labels(written(tmp_path, "a.txt", "when;Utterance;Label\n9;play jazz;music\n8;wake me;alarm\n")) == TWO
    assert labels(written(tmp_path, "b.txt", "when;text;who\n9;play jazz;me\n"))[0] == ("when;text;who", "")


def test_lines_with_as_many_tabs_each_are_a_table_and_other_lines_are_text(tmp_path: Path):
    table = written(tmp_path, "a.txt", "play jazz\tmusic\nwake me\talarm\n")
    assert labels(table) == [("play jazz", ""), ("wake me", "")]
    assert labels(table, intent="2") == TWO
    with pytest.raises(DataError, match="--text-column"):
        read_corpus(written(tmp_path, "b.txt", "1\ten\tplay jazz\n2\ten\twake me\n"))
    assert labels(written(tmp_path, "c.txt", "play\tjazz\nwake me\n")) == [("play jazz", ""), ("wake me", "")]
    assert labels(written(tmp_path, "d.txt", "text, call or mail\nplay, jazz\n"))[0] == ("text, call or mail", "")


@pytest.mark.parametrize("start", ["WEBVTT\n\n00:01.000 --> 00:02.000\n", "1\r\n00:00:01,000 --> 00:00:02,000\r\n"])
def test_subtitles_are_no_text(tmp_path: Path, start: str):
    with pytest.raises(DataError, match="found subtitles"):
        detect_format(written(tmp_path, "a.txt", f"{start}hi\n"))


@pytest.mark.parametrize(
    "document",
    [
        {"features": [], "rows": [{"row_idx": 0, "row": {"text": "play jazz", "label": "music"}}]},
        {"schema": {"fields": []}, "data": [{"index": 0, "text": "play jazz", "intent": "music"}]},
        {"utterances": [{"text": "play jazz", "intent": "music", "entities": []}]},
        [{"text": "play jazz", "intent": "music"}],
    ],
)
def test_json_documents_of_records(tmp_path: Path, document: object):
    assert labels(written(tmp_path, "a.json", json.dumps(document))) == TWO[:1]


def test_json_arrays_of_strings_are_texts_and_unknown_documents_are_named(tmp_path: Path):
    assert labels(written(tmp_path, "a.json", '["play jazz", "wake me"]')) == [("play jazz", ""), ("wake me", "")]
    with pytest.raises(DataError, match=r"an array of records.*found music"):
        read_corpus(written(tmp_path, "b.json", '{"music": ["play jazz"]}')).count()


@pytest.mark.parametrize(
    ("name", "content", "choice"),
    [
        ("a.jsonl", '{"text": "play"}\n', {"delimiter": ";"}),
        ("a.txt", "play\nwake\n", {"text": "text"}),
        ("a.txt", "play\nwake\n", {"intent": "2"}),
        ("a.txt", "play\nwake\n", {"delimiter": ";"}),
        ("a.csv", "text,intent\nplay,music\n", {"delimiter": ";"}),
        ("a.csv", "text,intent\nplay,music\n", {"intent": "topic"}),
        ("a.csv", "text,intent\nplay,music\n", {"slots": "7"}),
        ("a.tsv", "text\tintent\nplay\tmusic\n", {"delimiter": ";"}),
        ("a.jsonl", '{"text": "play"}\n{"text": "wake"}\n', {"intent": "topic"}),
        ("a.jsonl", '{"text": "play"}\n{"text": "wake"}\n', {"slots": "spots"}),
        ("a.jsonl", '{"text": "play"}\n{"text": "wake"}\n', {"text": "satz"}),
        ("a.conll", "play O\njazz B-g\n", {"intent": "topic"}),
        ("a.yml", "nlu:\n- intent: a\n  examples: |\n    - play\n", {"text": "text"}),
        ("a.csv", "text,intent\nplay,music\n", {"roles": "yes"}),
    ],
)
def test_an_option_that_finds_nothing_is_refused(tmp_path: Path, name: str, content: str, choice: dict[str, str]):
    with pytest.raises(DataError):
        labels(written(tmp_path, name, content), **choice)


def test_a_delimiter_makes_a_table_of_lines_and_chosen_keys_may_be_absent_from_some_records(tmp_path: Path):
    table = "text#intent\nplay jazz#music\nwake me#alarm\n"
    assert labels(written(tmp_path, "a.txt", table), delimiter="#") == TWO
    assert labels(written(tmp_path, "a.tsv", table), delimiter="#") == TWO
    assert labels(written(tmp_path, "b.tsv", table.replace("#", "\t")), delimiter="\t") == TWO
    records = '{"text": "play jazz", "topic": "music"}\n{"text": "wake me", "label": "x"}\n'
    assert labels(written(tmp_path, "a.jsonl", records), intent="topic") == [("play jazz", "music"), ("wake me", "")]
    massive = '{"utt": "play jazz", "annot_utt": "play [g : jazz]", "intent": "x", "topic": "music"}\n'
    assert labels(written(tmp_path, "b.jsonl", massive), intent="topic") == TWO[:1]


def test_rows_that_hold_nothing_visible_are_blank(tmp_path: Path):
    text = "play jazz\n\u200b\n\u200d \u00a0\n\ufeffwake me\n"
    assert [t for t, _ in labels(written(tmp_path, "a.txt", text))] == ["play jazz", "wake me"]
    table = "text,intent,,\nplay jazz,music,,\n,,,\nwake me,alarm,,\n ,,\n"
    assert labels(written(tmp_path, "a.csv", table)) == TWO
    records = '\ufeff{"text": "play jazz", "intent": "music"}\n\ufeff{"text": "wake me", "intent": "alarm"}\n'
    assert labels(written(tmp_path, "a.jsonl", records)) == TWO


@pytest.mark.parametrize("intent", [" música", "música ", "mu\u0301sica", "mú\u200bsica", "música\t"])
def test_labels_are_normalised_as_texts_are(tmp_path: Path, intent: str):
    slot = {"start": 5, "end": 9, "type": intent}
    row = {"text": "play jazz", "intent": intent, "domain": intent, "origin": intent, "lang": "es ", "slots": [slot]}
    utterance = read_corpus(written(tmp_path, "a.jsonl", json.dumps(row) + "\n")).utterances()[0]
    found = (utterance.intent, utterance.domain, utterance.origin, utterance.slots[0].type, utterance.lang)
    assert found == ("música",) * 4 + ("es",)


def test_nan_is_null_in_records(tmp_path: Path):
    records = '{"text": "play jazz", "intent": NaN, "score": NaN}\n{"text": "wake me", "score": 0.5}\n'
    assert labels(written(tmp_path, "a.jsonl", records)) == [("play jazz", ""), ("wake me", "")]
    with pytest.raises(DataError, match="wanted a text"):
        read_corpus(written(tmp_path, "b.jsonl", '{"text": NaN}\n')).count()


@pytest.mark.parametrize("names", [("value", "entity"), ("text", "type"), ("body", "entity")])
@pytest.mark.parametrize(("start", "end"), [(7, 11), (8, 12), (10, 14)])
def test_offsets_in_utf16_or_bytes_are_told_by_what_they_cover(
    tmp_path: Path, names: tuple[str, str], start: int, end: int
):
    slot = {"start": start, "end": end, names[0]: "jazz", names[1]: "genre"}
    row = {"text": "play 😀 jazz", "entities": [slot]}
    assert slots(written(tmp_path, "a.jsonl", json.dumps(row) + "\n")) == [("genre", "jazz")]


def test_the_synonym_of_an_entity_is_no_other_text(tmp_path: Path):
    row = {"text": "see NYC", "entities": [{"start": 4, "end": 7, "value": "New York", "entity": "city"}]}
    assert slots(written(tmp_path, "a.jsonl", json.dumps(row) + "\n")) == [("city", "NYC")]


def test_tokens_beside_a_text_give_its_slots(tmp_path: Path):
    row = {"text": "Play  jazz, now", "tokens": ["Play", "jazz", ",", "now"], "tags": ["O", "B-g", "O", "O"]}
    assert slots(written(tmp_path, "a.jsonl", json.dumps(row) + "\n")) == [("g", "jazz")]
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "a.parquet")
    assert slots(tmp_path / "a.parquet") == [("g", "jazz")]
    lowered = written(tmp_path, "b.jsonl", json.dumps(row | {"text": "Play rock, now"}) + "\n")
    with pytest.warns(SeedcornWarning, match="1 'tags' of tokens that are not those of the text"):
        assert labels(lowered) == [("Play rock, now", "")]


def test_labels_that_a_person_rejected_are_none(tmp_path: Path):
    rows = [{"text": "wake me", "label": "music", "answer": a, "_task_hash": 1} for a in ("accept", "reject", "ignore")]
    path = written(tmp_path, "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    with pytest.warns(SeedcornWarning, match="left out 2 labels that were rejected or ignored"):
        assert [intent for _, intent in labels(path)] == ["music", "", ""]


def test_categories_of_spacy(tmp_path: Path):
    row = '{"text": "play jazz", "cats": {"music": 1.0, "alarm": 0.0}}\n'
    assert labels(written(tmp_path, "a.jsonl", row)) == TWO[:1]


def test_rasa_keys_given_twice_and_examples_of_no_intent(tmp_path: Path):
    one = "nlu:\n- intent: a\n  examples: |\n    - play\n"
    with pytest.raises(DataError, match=r"a\.yml:5: wanted 'nlu' once"):
        read_corpus(written(tmp_path, "a.yml", one + one)).count()
    with pytest.raises(DataError, match=r"b\.yml:5: wanted an intent beside its examples"):
        read_corpus(written(tmp_path, "b.yml", one + "- examples: |\n    - wake\n")).count()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SeedcornWarning)
        assert read_corpus(tmp_path / "b.yml", on_error=SKIP).count() == 1
    with pytest.warns(SeedcornWarning, match="1 intents without examples"):
        assert read_corpus(written(tmp_path, "c.yml", f"{one}- intent: b\n")).count() == 1


def test_zstd_with_frames_of_no_content(tmp_path: Path):
    whole = tmp_path / "a.jsonl.zst"
    with pa.output_stream(str(whole), compression="zstd") as stream:
        stream.write(b'{"text": "play jazz", "intent": "music"}\n')
    skipped = b"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd"
    assert labels(written(tmp_path, "b", skipped + whole.read_bytes() + skipped + whole.read_bytes())) == TWO[:1] * 2


@pytest.mark.parametrize(("encoding", "named"), [("utf-16", "UTF-16"), ("utf-32", "UTF-32")])
def test_other_encodings_are_named(tmp_path: Path, encoding: str, named: str):
    with pytest.raises(DataError, match=f"found {named}.*iconv -f {named}"):
        read_corpus(written(tmp_path, "a.csv", "text,intent\nplay,music\n".encode(encoding))).count()


@pytest.mark.parametrize(
    "prologue", ["", '<?xml version="1.0"?>\n', "<?xml version='1.0'?><!DOCTYPE tmx SYSTEM 'tmx14.dtd'>\n"]
)
def test_translations_are_no_corpus_and_the_error_says_who_reads_them(tmp_path: Path, prologue: str):
    path = tmp_path / "a.txt"
    path.write_text(f'{prologue}<tmx version="1.4"><header/><body></body></tmx>', encoding="utf-8")
    with pytest.raises(DataError, match=r"found translations \(TMX\)\. 'seedcorn translate train' reads them"):
        read_corpus(path)


def test_a_file_without_suffix_that_is_broken_json_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "stdin").write_text('{"text\n', "utf-8")
    with pytest.raises(DataError, match=r"stdin:1: wanted a JSON object"):
        read_corpus(tmp_path / "stdin")


def test_what_a_format_has_no_place_for_is_named_as_on_the_command_line_and_in_a_configuration(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "play"}\n', "utf-8")
    with pytest.raises(DataError, match=r"\(--delimiter; columns\.delimiter in a configuration\)"):
        read_corpus(tmp_path / "a.jsonl", columns=ColumnChoice(delimiter=";"))
    with pytest.raises(DataError, match=r"\(--roles; columns\.roles in a configuration\)"):
        read_corpus(tmp_path / "a.jsonl", columns=ColumnChoice(roles=True))
