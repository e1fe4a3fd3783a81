"""Writing a corpus and reading it again gives the same corpus, in every format, for what the format has a place for."""

import tempfile
import unicodedata
import warnings
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from seedcorn.corpus.cleaning import clean_column
from seedcorn.corpus.formats import FORMATS, detect_format, read_corpus, write_corpus
from seedcorn.corpus.formats.normal_form import normalise_with_slots
from seedcorn.corpus.text import clean_text
from seedcorn.corpus.utterances import Corpus, Slot, Utterance
from seedcorn.errors import DataError, SeedcornWarning

ROUND_TRIP = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
FILE_NAMES = {
    "jsonl": "a.jsonl.gz",
    "massive": "a.jsonl",
    "parquet": "a.parquet",
    "tsv": "a.tsv.zst",
    "csv": "a.csv",
    "text": "a.txt",
    "conll": "a.conll",
    "snips": "a.json",
    "rasa": "a.yml",
    "slot-folder": "a",
    "json": "b.json",
    "label-studio": "c.json",
}

any_character = st.characters(exclude_categories=("Cs", "Cn", "Co"))
telling_characters = st.sampled_from("ab éक़्ตำ東京\u200d\u0301\u2028\x85\ufeff\t \xa0'\"#,|-:{}()💡")
any_text = st.text(st.one_of(any_character, telling_characters), min_size=1, max_size=25)


def plain(forbidden: str) -> st.SearchStrategy[str]:
    characters = st.one_of(any_character, telling_characters).filter(lambda c: c not in forbidden and not c.isspace())
    return st.text(characters, min_size=1, max_size=6).map(clean_text).filter(bool)


@st.composite
def utterances(draw: st.DrawFn, forbidden: str = "", whole_words: bool = False) -> Utterance:
    pieces = draw(st.lists(st.tuples(plain(forbidden), st.none() | plain(forbidden + "[]():")), min_size=1, max_size=5))
    separator = " " if whole_words or draw(st.booleans()) else ""
    text, slots = "", []
    for value, slot_type in pieces:
        start = len(text) + len(separator) if text else 0
        text = f"{text}{separator}{value}" if text else value
        if slot_type:
            slots.append(Slot(start, len(text), slot_type))
    try:
        text, moved = normalise_with_slots(text, [{"start": s.start, "end": s.end, "type": s.type} for s in slots])
    except DataError:  # pieces that compose into one character cannot have a slot between them
        text, moved = clean_text(text), ()
    label = st.just("") | plain(forbidden)
    return Utterance(
        text=text,
        slots=moved,
        id=draw(label),
        lang=draw(label),
        domain=draw(label),
        intent=draw(plain(forbidden)),
        origin=draw(label),
    )


def read_back(corpus: Corpus, format_name: str) -> Corpus:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, FILE_NAMES[format_name])
        assert write_corpus(corpus, path, format=format_name) == corpus.count()
        again = read_corpus(path, format=format_name)
        return Corpus.from_table(again.table())


@pytest.mark.parametrize("format_name", ["jsonl", "parquet", "csv", "json", "label-studio"])
@given(st.lists(utterances(), min_size=1, max_size=6))
@ROUND_TRIP
def test_formats_with_a_place_for_everything(format_name: str, rows: list[Utterance]):
    assert read_back(Corpus.from_utterances(rows), format_name).utterances() == rows


@given(st.lists(utterances(forbidden="\t\n\r"), min_size=1, max_size=6))
@ROUND_TRIP
def test_tsv(rows: list[Utterance]):
    assert read_back(Corpus.from_utterances(rows), "tsv").utterances() == rows


@given(st.lists(utterances(forbidden="[]"), min_size=1, max_size=6))
@ROUND_TRIP
def test_massive(rows: list[Utterance]):
    assert read_back(Corpus.from_utterances(rows), "massive").utterances() == rows


@given(st.lists(utterances(), min_size=1, max_size=6))
@ROUND_TRIP
def test_conll(rows: list[Utterance]):
    assert read_back(Corpus.from_utterances(rows), "conll").utterances() == rows


@given(st.lists(utterances(), min_size=1, max_size=6))
@ROUND_TRIP
def test_snips_groups_by_intent_and_keeps_all_else(rows: list[Utterance]):
    intents = list(dict.fromkeys(row.intent for row in rows))
    grouped = sorted(rows, key=lambda row: intents.index(row.intent))
    assert read_back(Corpus.from_utterances(rows), "snips").utterances() == grouped


def labels_only(rows: list[Utterance]) -> list[Utterance]:
    return [Utterance(text=row.text, intent=row.intent, slots=row.slots) for row in rows]


def is_for_rasa(row: Utterance) -> bool:
    return not any(slot.type[0] in "\"'" for slot in row.slots)


@given(st.lists(utterances(forbidden="[]"), min_size=1, max_size=6))
@ROUND_TRIP
def test_rasa(rows: list[Utterance]):
    rows = [row for row in labels_only(rows) if is_for_rasa(row)]
    assume(rows)
    assert read_back(Corpus.from_utterances(rows), "rasa").utterances() == rows


@given(st.lists(utterances(whole_words=True), min_size=1, max_size=6))
@ROUND_TRIP
def test_slot_folder(rows: list[Utterance]):
    rows = [
        replace(row, slots=tuple(replace(slot, type=slot.type.replace(" ", "_")) for slot in row.slots))
        for row in labels_only(rows)
    ]
    assert read_back(Corpus.from_utterances(rows), "slot-folder").utterances() == rows


@given(st.lists(plain("").filter(lambda t: t != "\\data\\"), min_size=1, max_size=6))
@ROUND_TRIP
def test_plain_text(texts: list[str]):
    rows = [Utterance(text=text) for text in texts]
    assert read_back(Corpus.from_utterances(rows), "text").utterances() == rows


@pytest.mark.parametrize("format_name", ["jsonl", "parquet", "massive"])
@given(st.lists(st.tuples(st.integers(-9, 9), st.booleans(), st.floats(allow_nan=False, width=32))), st.data())
@ROUND_TRIP
def test_further_columns_keep_their_types(format_name: str, values: list[tuple[int, bool, float]], data: st.DataObject):
    others = pa.table(
        {
            "n_votes": pa.array([v[0] for v in values], pa.int64()),
            "is_clear": pa.array([v[1] for v in values], pa.bool_()),
            "weight": pa.array([v[2] if abs(v[2]) < 1e30 else None for v in values], pa.float64()),
            "partition": pa.array([data.draw(st.text("abc", max_size=3)) for _ in values], pa.string()),
            "text": pa.array(["a b"] * len(values)),
        }
    )
    corpus = Corpus.from_table(others)
    if len(others) and any(abs(v[2]) < 1e30 for v in values):
        assert read_back(corpus, format_name).table().equals(corpus.table().combine_chunks())


@given(st.lists(any_text | st.none(), max_size=8))
@settings(max_examples=300, deadline=None)
def test_the_column_form_of_normalise_is_normalise(texts: list[str | None]):
    expected = [None if text is None else clean_text(text) for text in texts]
    assert clean_column(pa.array(texts, pa.string())).to_pylist() == expected


@given(any_text, st.integers(0, 24), st.integers(1, 25))
@settings(max_examples=300, deadline=None)
def test_slots_move_along_with_normalised_text(text: str, start: int, length: int):
    end = min(start + length, len(text))
    try:
        moved_text, slots = normalise_with_slots(text, [{"start": start, "end": end, "type": "t"}])
    except DataError:
        return
    assert moved_text == clean_text(text)
    (slot,) = slots
    assert clean_text(text[start:end]) == moved_text[slot.start : slot.end]


@given(st.lists(utterances(forbidden="[]\t"), min_size=1, max_size=4))
@settings(max_examples=15, deadline=None)
def test_the_content_of_a_written_file_tells_its_format(rows: list[Utterance]):
    for format_name, file_name in FILE_NAMES.items():
        if format_name in ("slot-folder", "label-studio"):
            continue
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore", SeedcornWarning)
            path = Path(folder, file_name)
            kept = [row for row in rows if format_name != "rasa" or is_for_rasa(row)]
            if not kept:
                continue
            write_corpus(Corpus.from_utterances(kept), path, format=format_name)
            assert detect_format(path) == format_name


def test_every_format_is_tried_here():
    assert set(FILE_NAMES) == {name for name, format in FORMATS.items() if format.write}
    assert unicodedata.is_normalized("NFC", clean_text("क़"))


def test_every_single_character_is_normalised_as_in_python():
    characters = [chr(c) for c in range(0x20, 0x20000) if not 0xD800 <= c < 0xE000]
    texts = [f"{prefix}{c}{suffix}" for c in characters for prefix, suffix in (("a", "b"), ("\u0928", "\u093c"))]
    assert clean_column(pa.array(texts)).to_pylist() == [clean_text(text) for text in texts]


@given(st.text(st.characters(categories=("Mn", "Mc", "Lo")), max_size=6))
@settings(max_examples=300, deadline=None)
def test_marks_and_letters_are_composed_as_in_python(text: str):
    assert clean_column(pa.array([text])).to_pylist() == [clean_text(text)]
