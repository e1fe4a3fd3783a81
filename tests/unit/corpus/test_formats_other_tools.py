"""Files as other tools write them: read right, or refused by name, never read as something else."""

import json
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seedcorn.corpus.columns import ColumnChoice
from seedcorn.corpus.formats import detect_format, read_corpus, write_corpus
from seedcorn.corpus.utterances import Corpus, Slot, Utterance
from seedcorn.errors import DataError, SeedcornWarning

HEAT = Utterance(text="heat it to ninety", intent="heat", slots=(Slot(11, 17, "degrees"),))


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def labels(path: Path, **options: object) -> list[tuple[str, str, list[tuple[str, str]]]]:
    read = read_corpus(path, **options).utterances()  # type: ignore[arg-type]
    return [(u.text, u.intent, [(s.type, u.value(s)) for s in u.slots]) for u in read]


HEATED = [("heat it to ninety", "heat", [("degrees", "ninety")])]
TWO = [("Mach das Licht an", "light", []), ("Stopp, bitte", "stop", [])]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", '\ufeffUtterance,Intent\r\nMach das Licht an,light\r\n"Stopp, bitte",stop\r\n'),
        ("b.csv", "sentence;intent\nMach das Licht an;light\nStopp, bitte;stop\n"),
        ("c.csv", 'sep=;\ntext;label\nMach das Licht an;light\n"Stopp, bitte";stop\n'),
        ("d.csv", "TEXT\tCategory\nMach das Licht an\tlight\nStopp, bitte\tstop\n"),
        ("e.csv", ' text , intent ,\nMach das Licht an,light,\n"Stopp, bitte",stop,\n'),
        ("f.tsv", "query\tintent\nMach das Licht an\tlight\nStopp, bitte\tstop\n"),
        ("g.json", '[{"text": "Mach das Licht an", "intent": "light"}, {"query": "Stopp, bitte", "label": "stop"}]'),
        ("h.json", '{"train": [["Mach das Licht an", "light"]], "oos_test": [["Stopp, bitte", "stop"]]}'),
        ("i.jsonl", '{"sentence": "Mach das Licht an", "label": "light"}\n{"text": "Stopp, bitte", "label": "stop"}\n'),
    ],
)
def test_headers_and_keys_are_recognised_by_usual_names(tmp_path: Path, name: str, content: str):
    assert labels(written(tmp_path, name, content)) == TWO


def test_columns_can_be_named(tmp_path: Path):
    path = written(tmp_path, "a.csv", "satz#klasse\nMach das Licht an#light\nStopp, bitte#stop\n")
    with pytest.raises(DataError, match="Name the columns"):
        read_corpus(path, columns=ColumnChoice(intent="klasse", delimiter="#"))
    assert labels(path, columns=ColumnChoice(text="satz", intent="klasse", delimiter="#")) == TWO
    headless = written(tmp_path, "b.tsv", "Mach das Licht an\tlight\nStopp, bitte\tstop\n")
    assert labels(headless, columns=ColumnChoice(text="1", intent="2")) == TWO
    with pytest.raises(DataError, match="wanted the column 'nix' as text, found columns"):
        read_corpus(headless, columns=ColumnChoice(text="nix"))


def test_a_header_without_text_is_refused_and_not_read_as_a_row(tmp_path: Path):
    with pytest.raises(DataError, match="found 2 fields: satz, intent"):
        read_corpus(written(tmp_path, "a.csv", "satz,intent\nMach das Licht an,light\n"))


def test_a_field_of_any_length_is_read(tmp_path: Path):
    path = written(tmp_path, "long.csv", "text,intent\n" + "x " * 100_000 + ",a\nplay,b\n")
    assert [len(u.text) for u in read_corpus(path).utterances()] == [199_999, 4]


ENTITY = {"start": 11, "end": 17, "value": "ninety", "entity": "degrees"}
SPAN = {"start": 11, "end": 17, "text": "ninety", "labels": ["degrees"]}
RESULT = [{"type": "labels", "value": SPAN}, {"type": "choices", "value": {"choices": ["heat"]}}]


@pytest.mark.parametrize(
    "document",
    [
        [{"id": 7, "data": {"text": HEAT.text}, "annotations": [{"result": RESULT}]}],
        [{"data": {"text": HEAT.text}, "annotations": [{"was_cancelled": True}], "predictions": [{"result": RESULT}]}],
        [{"text": HEAT.text, "label": [SPAN], "intent": "heat"}],
        [{"text": HEAT.text, "label": [[11, 17, "degrees"]], "cats": ["heat"]}],
        [
            {
                "text": HEAT.text,
                "entities": [{"label": "degrees", "start_offset": 11, "end_offset": 17}],
                "cats": ["heat"],
            }
        ],
        [{"tokens": HEAT.text.split(), "ner_tags": ["O", "O", "O", "B-degrees"], "label": "heat"}],
        [{"tokens": HEAT.text.split(), "tags": ["O", "O", "O", "U-degrees"], "label": "heat"}],
        [{"utt": HEAT.text, "annot_utt": "heat it to [degrees : ninety]", "intent": "heat"}],
        {"rasa_nlu_data": {"common_examples": [{"text": HEAT.text, "intent": "heat", "entities": [ENTITY]}]}},
    ],
)
def test_records_of_other_tools(tmp_path: Path, document: object):
    assert labels(written(tmp_path, "some.json", json.dumps(document, indent=1))) == HEATED
    if isinstance(document, list):
        assert labels(written(tmp_path, "some.jsonl", json.dumps(document[0]))) == HEATED


def test_snips_nlu_datasets_have_slot_names_and_say_what_is_left_out(tmp_path: Path):
    pieces = [{"text": "heat it to "}, {"text": "ninety", "entity": "number", "slot_name": "degrees"}]
    document = {
        "language": "en",
        "entities": {"number": {"data": [{"value": "ninety", "synonyms": []}]}},
        "intents": {"heat": {"utterances": [{"data": pieces}]}},
    }
    path = written(tmp_path, "dataset.json", json.dumps(document))
    with pytest.warns(SeedcornWarning, match="left out 1 lists of entity values"):
        assert labels(path) == HEATED


def test_label_studio_there_and_back(tmp_path: Path):
    table = Corpus.from_utterances([HEAT, Utterance(text="stop", intent="halt")]).table()
    table = table.append_column("confidence", pa.array([0.75, None])).append_column("reason", pa.array(["near", None]))
    write_corpus(Corpus.from_table(table), tmp_path / "tasks.json", format="label-studio")
    tasks = json.loads((tmp_path / "tasks.json").read_text("utf-8"))
    assert tasks[0]["predictions"][0]["score"] == 0.75
    assert tasks[0]["data"] == {"text": HEAT.text, "reason": "near"}
    assert labels(tmp_path / "tasks.json") == [*HEATED, ("stop", "halt", [])]
    assert read_corpus(tmp_path / "tasks.json").table().column("confidence").to_pylist() == [0.75, None]


def test_rasa_markdown_and_what_it_leaves_out(tmp_path: Path):
    content = "## intent:heat\n<!-- a comment -->\n- heat it to [ninety](degrees:90)\n\n## synonym:x\n- y\n- z\n"
    path = written(tmp_path, "nlu.md", content)
    with pytest.warns(SeedcornWarning, match="left out 2 examples of a synonym, 1 synonym values of entities"):
        assert labels(path) == HEATED


def rasa(folder: Path, example: str) -> Path:
    return written(folder, "nlu.yml", f"nlu:\n- intent: a\n  examples: |\n    - {example}\n")


def test_rasa_objects_may_hold_braces_and_roles_are_said_or_kept(tmp_path: Path):
    path = rasa(tmp_path, 'fly [NYC]{"entity": "city", "value": "New York {NY}", "role": "to"} now')
    with pytest.warns(SeedcornWarning, match="left out 1 roles of entities, 1 synonym values of entities"):
        assert labels(path) == [("fly NYC now", "a", [("city", "NYC")])]
    with pytest.warns(SeedcornWarning, match="left out 1 synonym values"):
        assert labels(path, columns=ColumnChoice(roles=True)) == [("fly NYC now", "a", [("city.to", "NYC")])]


@pytest.mark.parametrize(
    "example", ['my [savings]("account")', "[[nested](a) thing](b)", "buy [a [b] c](item)", "[Bob] (person)", "[a]()"]
)
def test_rasa_markup_that_cannot_be_read_is_a_bad_row(tmp_path: Path, example: str):
    with pytest.raises(DataError, match="nlu.yml:4: wanted"):
        read_corpus(rasa(tmp_path, example))


def test_conll_document_starts_are_no_utterances_and_conllu_gives_texts(tmp_path: Path):
    path = written(tmp_path, "a.conll", "-DOCSTART- -X- -X- O\n\nheat VB O\nninety CD B-degrees\n\n")
    assert labels(path) == [("heat ninety", "", [("degrees", "ninety")])]
    row = "\t".join(["{}", "{}", "_", "VERB", "_", "_", "0", "_", "_", "{}"])
    tokens = [
        ("1-2", "don't", "_"),
        ("1", "do", "_"),
        ("2", "n't", "_"),
        ("3", "stop", "SpaceAfter=No"),
        ("4", "!", "_"),
    ]
    path = written(tmp_path, "a.conllu", "# sent_id = s1\n" + "\n".join(row.format(*t) for t in tokens) + "\n\n")
    assert detect_format(path) == "conllu"
    with pytest.warns(SeedcornWarning, match="tags, which are no slots"):
        assert [(u.id, u.text) for u in read_corpus(path).utterances()] == [("s1", "don't stop!")]


def test_kaldi_text_is_told_by_its_ids_and_said(tmp_path: Path):
    path = written(tmp_path, "text", "spk1-utt01 play jazz\nspk1-utt02 stop\n")
    with pytest.warns(SeedcornWarning, match="2 ids from the texts"):
        assert [(u.id, u.text) for u in read_corpus(path).utterances()] == [
            ("spk1-utt01", "play jazz"),
            ("spk1-utt02", "stop"),
        ]
    assert detect_format(written(tmp_path, "b.txt", "play b12 now\n5 more minutes\n")) == "text"


@pytest.mark.parametrize(
    ("content", "found"),
    [(b"PK\x03\x04abc", "a zip archive"), (b"%PDF-1.7", "a PDF"), (b"a\x00b", "bytes that are no text")],
)
def test_what_is_no_text_is_named(tmp_path: Path, content: bytes, found: str):
    with pytest.raises(DataError, match=f"found {found}"):
        read_corpus(written(tmp_path, "some.txt", content))


def huggingface(features: dict[str, object]) -> dict[str, str]:
    return {"huggingface": json.dumps({"info": {"features": features}})}


def test_class_labels_of_hugging_face(tmp_path: Path):
    names = {"names": ["heat", "stop"], "_type": "ClassLabel"}
    table = pa.table({"text": ["a", "b", "c"], "label": [1, 0, -1]})
    pq.write_table(table.replace_schema_metadata(huggingface({"label": names})), tmp_path / "a.parquet")
    assert labels(tmp_path / "a.parquet") == [("a", "stop", []), ("b", "heat", []), ("c", "", [])]

    tags = {"feature": {"names": ["O", "B-degrees", "I-degrees"], "_type": "ClassLabel"}, "_type": "Sequence"}
    table = pa.table({"tokens": [HEAT.text.split()], "ner_tags": [[0, 0, 0, 1]]})
    pq.write_table(table.replace_schema_metadata(huggingface({"ner_tags": tags})), tmp_path / "b.parquet")
    assert labels(tmp_path / "b.parquet") == [(HEAT.text, "", [("degrees", "ninety")])]
    pq.write_table(table, tmp_path / "c.parquet")
    with pytest.raises(DataError, match="wanted names as 'ner_tags'"):
        read_corpus(tmp_path / "c.parquet")

    table = pa.table({"text": ["a"], "label": [0]})
    halves = {"names": ["\ud800t"], "_type": "ClassLabel"}
    pq.write_table(table.replace_schema_metadata(huggingface({"label": halves})), tmp_path / "d.parquet")
    with pytest.raises(DataError, match="names of classes in whole characters"):
        read_corpus(tmp_path / "d.parquet")


def test_data_sets_saved_to_disk(tmp_path: Path):
    folder = tmp_path / "saved"
    info = {"features": {"label": {"names": ["heat", "stop"], "_type": "ClassLabel"}}}
    for split, texts in {"train": ["a", "b"], "test": ["c"]}.items():
        (folder / split).mkdir(parents=True)
        table = pa.table({"text": texts, "label": [1] * len(texts)})
        arrow = str(folder / split / "data-00000-of-00001.arrow")
        with pa.OSFile(arrow, "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        written(folder / split, "state.json", json.dumps({"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}))
        written(folder / split, "dataset_info.json", json.dumps(info))
    written(folder, "dataset_dict.json", json.dumps({"splits": ["train", "test"]}))
    assert labels(folder) == [("a", "stop", []), ("b", "stop", []), ("c", "stop", [])]
    assert read_corpus(folder).table().column("partition").to_pylist() == ["train", "train", "test"]
    assert labels(folder / "test") == [("c", "stop", [])]


def test_columns_that_json_cannot_hold_become_text_or_are_left_out(tmp_path: Path):
    table = pa.table(
        {
            "text": ["a"],
            "at": pa.array([0], pa.timestamp("ms")),
            "price": [Decimal("1.50")],
            "audio": pa.array([{"bytes": b"RIFF", "path": "x"}]),
            "ratio": [float("nan")],
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.warns(SeedcornWarning, match="left out 1 column 'audio'"):
        write_corpus(read_corpus(tmp_path / "a.parquet"), tmp_path / "a.jsonl")
    row = json.loads((tmp_path / "a.jsonl").read_text("utf-8"))
    assert row == {"text": "a", "at": "1970-01-01 00:00:00.000", "price": "1.50", "ratio": None}


def test_slots_are_trimmed_and_compared_with_the_value_they_name(tmp_path: Path):
    row = {"text": "play jazz now", "slots": [{"start": 4, "end": 10, "type": "genre"}]}
    assert labels(written(tmp_path, "a.jsonl", json.dumps(row))) == [("play jazz now", "", [("genre", "jazz")])]
    row = {"text": "play jazz", "slots": [{"start": 0, "end": 4, "type": "genre", "value": "jazz"}]}
    with pytest.raises(DataError, match="wanted a slot over 'jazz', found 'play'"):
        read_corpus(written(tmp_path, "b.jsonl", json.dumps(row)))
    row = {"text": "😀 jazz", "slots": [{"start": 3, "end": 7, "type": "genre", "text": "jazz"}]}
    assert labels(written(tmp_path, "c.jsonl", json.dumps(row))) == [("😀 jazz", "", [("genre", "jazz")])]


def test_paths_may_be_strings(tmp_path: Path):
    write_corpus(Corpus.from_utterances([HEAT]), str(tmp_path / "a.jsonl"))
    assert read_corpus(str(tmp_path / "a.jsonl")).utterances() == [HEAT]


@pytest.mark.parametrize(("name", "separator"), [("a.csv", ","), ("a.tsv", "\t"), ("a.txt", ";")])
def test_a_table_of_massive_has_its_slots(tmp_path: Path, name: str, separator: str) -> None:
    rows = [
        ["id", "locale", "partition", "scenario", "intent", "utt", "annot_utt"],
        ["1", "en-US", "test", "play", "play_music", "play some jazz", "play some [genre : jazz]"],
    ]
    path = tmp_path / name
    path.write_text("".join(separator.join(row) + "\n" for row in rows), "utf-8")
    (found,) = read_corpus(path).utterances()
    assert (found.text, found.lang, found.domain, found.intent) == ("play some jazz", "en-US", "play", "play_music")
    assert [(s.type, found.value(s)) for s in found.slots] == [("genre", "jazz")]
    path.write_text(path.read_text("utf-8").replace("[genre : jazz]", "[genre : rock]"), "utf-8")
    with pytest.raises(DataError, match=r":2: .*an annotated text that reads 'play some jazz'"):
        read_corpus(path).count()


def test_pairs_of_a_text_and_its_intent_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('[["play jazz", "music"], ["stop", "off"]]', "utf-8")
    found = [(u.text, u.intent) for u in read_corpus(tmp_path / "a.json").utterances()]
    assert found == [("play jazz", "music"), ("stop", "off")]
    (tmp_path / "b.json").write_text('[["play jazz", "music"], ["stop"]]', "utf-8")
    with pytest.raises(DataError, match="a JSON object"):
        read_corpus(tmp_path / "b.json").count()
