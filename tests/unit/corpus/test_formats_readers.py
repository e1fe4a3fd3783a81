"""Each format as others write it: hand-made files in, utterances out."""

import gzip
import json
import warnings
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seedcorn.corpus.formats import detect_format, read_corpus, write_corpus
from seedcorn.corpus.formats.massive_markup import bracketed_slots
from seedcorn.corpus.utterances import Corpus, Slot, Utterance
from seedcorn.errors import DataError, SeedcornWarning


def values(utterance: Utterance) -> list[tuple[str, str]]:
    return [(slot.type, utterance.value(slot)) for slot in utterance.slots]


def massive_line(utt: str, annot_utt: str, locale: str = "en-US") -> str:
    row = {"id": "7", "locale": locale, "partition": "dev", "scenario": "alarm", "intent": "alarm_set"}
    return json.dumps(row | {"utt": utt, "annot_utt": annot_utt}, ensure_ascii=False) + "\n"


def test_massive(tmp_path: Path):
    path = tmp_path / "some.jsonl.gz"
    line = massive_line("wake me at five on friday", "wake me at [time : five] on [date : friday]")
    path.write_bytes(gzip.compress(line.encode()))
    corpus = read_corpus(path)
    (utterance,) = corpus.utterances()
    assert detect_format(path) == "massive"
    assert (utterance.id, utterance.lang, utterance.domain, utterance.intent) == ("7", "en-US", "alarm", "alarm_set")
    assert values(utterance) == [("time", "five"), ("date", "friday")]
    assert corpus.table().column("partition").to_pylist() == ["dev"]


@pytest.mark.parametrize(
    ("annotated", "text", "expected"),
    [
        ("[time : 明日] の [place : 東京] は", "明日の東京は", [("time", "明日"), ("place", "東京")]),
        ("[time:五時] に起こして", "五時に起こして", [("time", "五時")]),
        ("ตั้งปลุก [time : ห้าโมง]", "ตั้งปลุก ห้าโมง", [("time", "ห้าโมง")]),
        ("  two  [n : spaces  here ] ", "two spaces here", [("n", "spaces here")]),
        ("حط منبه [time : بعد ساعتين]", "حط منبه بعد ساعتين", [("time", "بعد ساعتين")]),
        ("at [time : 5 : 30]", "at 5 : 30", [("time", "5 : 30")]),
        ("no slots", "no slots", []),
    ],
)
def test_brackets_are_aligned_whatever_the_white_space(annotated: str, text: str, expected: list[tuple[str, str]]):
    slots = bracketed_slots(annotated, text)
    assert [(slot.type, text[slot.start : slot.end]) for slot in slots] == expected


def test_massive_texts_that_differ_are_refused(tmp_path: Path):
    path = tmp_path / "some.jsonl"
    path.write_text(massive_line("fine", "fine") + massive_line("wake me", "wake [person : him]"), encoding="utf-8")
    with pytest.raises(DataError, match=rf"{path}:2: wanted an annotated text that reads 'wake me', found 'wake him'"):
        read_corpus(path).count()


def test_slot_offsets_follow_the_text_into_normal_form(tmp_path: Path):
    path = tmp_path / "some.jsonl"
    text = "cafe\u0301  au\tlait  at five "
    slots = [{"start": 18, "end": 24, "type": "time"}, {"start": 0, "end": 14, "type": "drink"}]
    path.write_text(json.dumps({"text": text, "slots": slots}) + "\n", encoding="utf-8")
    (utterance,) = read_corpus(path).utterances()
    assert utterance.text == "café au lait at five"
    assert values(utterance) == [("drink", "café au lait"), ("time", "five")]


def test_slot_folder(tmp_path: Path):
    (tmp_path / "seq.in").write_text("play lady gaga now\nhello \n", encoding="utf-8")
    (tmp_path / "seq.out").write_text("O B-artist I-artist O\nO\n", encoding="utf-8")
    (tmp_path / "label").write_text("PlayMusic\nGreet\n", encoding="utf-8")
    first, second = read_corpus(tmp_path).utterances()
    assert (first.intent, values(first)) == ("PlayMusic", [("artist", "lady gaga")])
    assert (second.text, second.intent, second.slots) == ("hello", "Greet", ())


@pytest.mark.parametrize(
    ("tags", "message"),
    [("O O\nO\nO\n", "3 in seq.out"), ("O\nO\n", "wanted 2 tags"), ("O X-y\nO\n", "found 'X-y' at 'b'")],
)
def test_slot_folder_that_does_not_fit_is_refused(tmp_path: Path, tags: str, message: str):
    (tmp_path / "seq.in").write_text("a b\nc\n", encoding="utf-8")
    (tmp_path / "seq.out").write_text(tags, encoding="utf-8")
    (tmp_path / "label").write_text("A\nC\n", encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_corpus(tmp_path).count()


def snips_text(intent: str, *pieces: tuple[str, str]) -> str:
    data = [{"text": text, "entity": entity} if entity else {"text": text} for text, entity in pieces]
    return json.dumps({intent: [{"data": data}]}, ensure_ascii=False)


def test_snips_folder_prefers_full_files_and_notes_the_partition(tmp_path: Path):
    folder = tmp_path / "PlayMusic"
    folder.mkdir()
    (folder / "train_PlayMusic.json").write_text(snips_text("PlayMusic", ("part", "")), encoding="utf-8")
    (folder / "train_PlayMusic_full.json").write_text(
        snips_text("PlayMusic", ("play ", ""), ("jazz", "genre"), (" now", "")), encoding="utf-8"
    )
    (folder / "validate_PlayMusic.json").write_text(snips_text("PlayMusic", ("stop", "")), encoding="utf-8")
    corpus = read_corpus(tmp_path)
    assert [values(u) for u in corpus.utterances()] == [[("genre", "jazz")], []]
    assert corpus.table().column("partition").to_pylist() == ["train", "validate"]


def test_snips_in_latin1_is_read_as_such_and_says_so(tmp_path: Path):
    path = tmp_path / "train.json"
    path.write_bytes(snips_text("PlayMusic", ("play ", ""), ("Motörhead", "artist")).encode("latin-1"))
    with pytest.warns(SeedcornWarning, match="not UTF-8 .* read as Latin-1"):
        corpus = read_corpus(path)
    assert values(corpus.utterances()[0]) == [("artist", "Motörhead")]
    with pytest.warns(SeedcornWarning, match="read as Latin-1"):  # a further pass reads it anew
        assert values(corpus.utterances()[0]) == [("artist", "Motörhead")]


def test_conll_with_and_without_the_text(tmp_path: Path):
    path = tmp_path / "some.conll"
    path.write_text(
        "# id = 1\n# intent = play\n# text = play 'jazz'\nplay O\n' O\njazz B-genre\n' O\n\n\n"
        "# intent: greet\nhi\tUH\tO\nall\tDT\tB-who\n\nx\tI-who\n",
        encoding="utf-8",
    )
    first, second, third = read_corpus(path).utterances()
    assert detect_format(path) == "conll"
    assert (first.id, first.intent, first.text, values(first)) == ("1", "play", "play 'jazz'", [("genre", "jazz")])
    assert (second.intent, second.text, values(second)) == ("greet", "hi all", [("who", "all")])
    assert (third.intent, values(third)) == ("", [("who", "x")])


def test_rasa(tmp_path: Path):
    path = tmp_path / "nlu.yml"
    path.write_text(
        'version: "3.1"\nnlu:\n- intent: set alarm\n  examples: |\n    - wake me at [five am](time)\n'
        '    - [NYC]{"entity": "city", "value": "New York"} time\n- synonym: x\n  examples: |\n    - y\n'
        "- intent: greet\n  examples:\n  - text: |\n      hello\n    metadata: {a: 1}\n",
        encoding="utf-8",
    )
    with pytest.warns(SeedcornWarning, match="left out 1 examples of a synonym, 1 synonym values of entities"):
        first, second, third = read_corpus(path).utterances()
    assert detect_format(path) == "rasa"
    assert (first.intent, values(first)) == ("set alarm", [("time", "five am")])
    assert (second.text, values(second)) == ("NYC time", [("city", "NYC")])
    assert (third.intent, third.text) == ("greet", "hello")


def test_rasa_mistakes_name_their_line(tmp_path: Path):
    path = tmp_path / "nlu.yml"
    path.write_text("nlu:\n- intent: a\n  examples: |\n    - fine\n    not so\n", encoding="utf-8")
    with pytest.raises(DataError, match=rf"{path}:5: wanted an example as '- text'"):
        read_corpus(path)


def test_tsv_without_header_is_text_and_origin(tmp_path: Path):
    path = tmp_path / "pool.tsv"
    path.write_text('he said "hi\tfilms\n\nhello\tsongs\n', encoding="utf-8")
    assert [(u.text, u.origin) for u in read_corpus(path).utterances()] == [
        ('he said "hi', "films"),
        ("hello", "songs"),
    ]


def test_csv_quoting_and_further_columns(tmp_path: Path):
    path = tmp_path / "some.csv"
    path.write_text(
        'votes,text,intent,slots\n3,"play, ""jazz""",play,"[{""start"": 7, ""end"": 11, ""type"": ""g""}]"\n', "utf-8"
    )
    corpus = read_corpus(path, lang="en")
    (utterance,) = corpus.utterances()
    assert (utterance.text, utterance.lang, values(utterance)) == ('play, "jazz"', "en", [("g", "jazz")])
    assert corpus.table().column("votes").to_pylist() == ["3"]


def test_parquet_from_elsewhere_with_nulls_and_large_strings(tmp_path: Path):
    table = pa.table({"text": pa.array(["a\u2028b", "c"], pa.large_string()), "lang": [None, "en"], "n": [1, 2]})
    pq.write_table(table, tmp_path / "some.parquet")
    corpus = read_corpus(tmp_path / "some.parquet")
    assert [(u.text, u.lang) for u in corpus.utterances()] == [("a b", ""), ("c", "en")]
    assert corpus.schema.names[-1] == "n"


def test_formats_are_told_by_content_even_against_the_name(tmp_path: Path):
    for name, content in {"massive": massive_line("a", "a"), "jsonl": '{"text": "a"}\n', "snips": '{"A": []}'}.items():
        path = tmp_path / "data.txt"
        path.write_text(content, encoding="utf-8")
        assert detect_format(path) == name


def test_text_that_ends_in_o_is_no_conll(tmp_path: Path):
    path = tmp_path / "pool.txt"
    path.write_text("tell me about vitamin O\n", encoding="utf-8")
    assert detect_format(path) == "text"
    path.write_text("tell O\nme O\n\nplay O\njazz B-genre\n", encoding="utf-8")
    assert detect_format(path) == "conll"


def test_format_can_be_overridden(tmp_path: Path):
    path = tmp_path / "braces.txt"
    path.write_text('{"text": "a"}\n', encoding="utf-8")
    assert [u.text for u in read_corpus(path, format="text").utterances()] == ['{"text": "a"}']
    with pytest.raises(DataError, match="Did you mean 'json'"):
        read_corpus(path, format="jsn")


def test_corpora_are_read_anew_on_each_pass(tmp_path: Path):
    path = tmp_path / "some.txt"
    path.write_text("one\ntwo\n", encoding="utf-8")
    corpus = read_corpus(path)
    assert corpus.count() == corpus.count() == 2


def test_writing_says_which_columns_have_no_place(tmp_path: Path):
    corpus = Corpus.from_utterances([Utterance(text="a", id="1", intent="b")])
    with pytest.warns(SeedcornWarning, match="no place for id, intent: left out"):
        write_corpus(corpus, tmp_path / "a.txt")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_corpus(Corpus.from_utterances([Utterance(text="a")]), tmp_path / "a.txt")


@pytest.mark.parametrize(
    ("format_name", "utterance"),
    [
        ("massive", Utterance(text="a [b] c")),
        ("massive", Utterance(text="a", slots=(Slot(0, 1, "x:y"),))),
        ("rasa", Utterance(text="a")),
        ("rasa", Utterance(text="a [b](c)", intent="i")),
        ("tsv", Utterance(text="a", id="1\t2")),
        ("slot-folder", Utterance(text="abc", slots=(Slot(1, 2, "x"),))),
        ("conll", Utterance(text="abc", id="1\n2")),
    ],
)
def test_what_a_format_cannot_express_is_refused_and_leaves_no_file(
    tmp_path: Path, format_name: str, utterance: Utterance
):
    with pytest.raises(DataError, match="row 0"):
        write_corpus(Corpus.from_utterances([utterance]), tmp_path / "out", format=format_name)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_corpus_keeps_its_columns(tmp_path: Path):
    corpus = Corpus.from_table(pa.table({"text": pa.array([], pa.string()), "votes": pa.array([], pa.int64())}))
    write_corpus(corpus, tmp_path / "none.parquet")
    assert read_corpus(tmp_path / "none.parquet").table().equals(corpus.table())
