"""Readers of corpora and of sentence pairs: every format, as we write it and as other tools do."""

import json
import tempfile
import warnings
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from damage import Reader

from seedcorn.corpus.formats import SKIP, read_corpus, write_corpus
from seedcorn.corpus.formats.pairs import read_pairs, write_pairs
from seedcorn.corpus.pairs import PairCorpus, SentencePair
from seedcorn.corpus.utterances import Corpus, Slot, Utterance
from seedcorn.errors import SeedcornWarning

ROWS = [
    Utterance(text="heat it to ninety", intent="heat", slots=(Slot(11, 17, "degrees"),), id="u1", lang="en"),
    Utterance(text="चाय गर्म करो", intent="heat", slots=(Slot(0, 3, "drink"),), id="u2", lang="hi"),
    Utterance(text="stop the kettle", intent="stop", id="u3", lang="en", origin="own"),
    Utterance(text="お湯を止めて", intent="stop", id="u4", lang="ja"),
]
_OWN = {
    "jsonl": "a.jsonl",
    "jsonl gzip": "a.jsonl.gz",
    "jsonl zstd": "a.jsonl.zst",
    "json": "a.json",
    "label-studio": "b.json",
    "massive": "m.jsonl",
    "parquet": "a.parquet",
    "tsv": "a.tsv",
    "csv": "a.csv",
    "text": "a.txt",
    "conll": "a.conll",
    "snips": "s.json",
    "rasa": "a.yml",
}
EXPORT = [
    {
        "id": 1,
        "data": {"text": "heat it to ninety", "id": "u1"},
        "annotations": [
            {
                "completed_by": {"email": "a@b.c"},
                "result": [
                    {"type": "choices", "from_name": "intent", "to_name": "text", "value": {"choices": ["heat"]}},
                    {
                        "type": "labels",
                        "from_name": "slots",
                        "to_name": "text",
                        "value": {"start": 11, "end": 17, "text": "ninety", "labels": ["degrees"]},
                    },
                ],
            }
        ],
        "predictions": [{"score": 0.5, "result": []}],
    },
    {"id": 2, "data": {"text": "stop the kettle", "id": "u3"}, "annotations": [{"was_cancelled": True, "result": []}]},
]
_FOREIGN = {
    "rasa markdown": ("a.md", "## intent:heat\n- heat it to [ninety](degrees)\n\n## synonym:x\n- y\n"),
    "rasa with roles": (
        "n.yml",
        'version: "3.1"\nnlu:\n- intent: go\n  examples: |\n    - from [Rome]{"entity": "city", "role": "from"} to '
        '[Oslo]{"entity": "city", "group": "1", "value": "OSL"}\n- synonym: OSL\n  examples: |\n    - Oslo\n'
        "- lookup: city\n  examples: |\n    - Rome\n- regex: zip\n  examples: |\n    - \\d{5}\n",
    ),
    "rasa json": (
        "r.json",
        '{"rasa_nlu_data": {"common_examples": [{"text": "stop it", "intent": "s", "entities": '
        '[{"start": 5, "end": 7, "value": "it", "entity": "what"}]}]}}',
    ),
    "clinc150": ("c.json", '{"train": [["heat it", "heat"], ["stop", "stop"]], "test": [["halt", "stop"]]}'),
    "pairs of text and intent": ("p.json", '[["heat it", "heat"], ["stop", "stop"]]'),
    "massive table": (
        "m.csv",
        "id,locale,scenario,intent,utt,annot_utt\n1,en-US,heat,heat_it,heat it to ten,heat it to [degrees : ten]\n",
    ),
    "snips-nlu": (
        "n.json",
        '{"language": "en", "entities": {}, "intents": {"go": {"utterances": [{"data": [{"text": "go to "}, '
        '{"text": "Rome", "entity": "city", "slot_name": "to"}]}]}}}',
    ),
    "doccano": ("d.jsonl", '{"text": "heat it to ninety", "label": [[11, 17, "degrees"]], "cats": ["heat"]}\n'),
    "json array": ("o.json", '[{"Utterance": "heat it", "Intent": "heat"}, {"Utterance": "stop", "Intent": "stop"}]'),
    "label studio export": ("l.json", json.dumps(EXPORT)),
    "nemo manifest": ("m.json", '{"audio_filepath": "a.wav", "duration": 1.5, "text": "heat it"}\n'),
    "excel csv": ("e.csv", '\ufeffsep=;\r\nUtterance;Intent\r\n"heat; it";heat\r\nstop;stop\r\n'),
    "labels in tsv": ("l.tsv", 'Sentence\tlabel\theat\nheat it\theat\t[[0, 4, "verb"]]\nstop\tstop\t\n'),
    "conllu": (
        "a.conllu",
        "# sent_id = 1\n1\theat\theat\tVERB\t_\t_\t0\troot\t_\t_\n2\tit\tit\tPRON\t_\t_\t1\tobj\t_\t_\n\n",
    ),
    "iob with intent": ("t.bio", "# intent = heat\nheat O\nit O\nto O\nninety B-degrees\n\n# intent: stop\nstop O\n"),
    "conll 2003": ("c.conll", "-DOCSTART- -X- -X- O\n\nheat VB I-VP O\nRome NNP I-NP I-LOC\n\n"),
    "kaldi": ("text", "spk1-u1 heat it\nspk1-u2 stop\n"),
}


def corpus_readers(folder: Path) -> list[Reader]:
    """Return the readers of corpora; good files are made in ``folder``."""
    return [*_own_readers(folder), *_foreign_readers(), *_arrow_readers(folder), *_folder_readers(folder)]


def _use(path: Path) -> object:
    """Read every row, bad ones skipped, and write them again."""
    table = read_corpus(path, on_error=SKIP).table()
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as again:
        write_corpus(Corpus.from_table(table), again.name)
    return table.to_pylist()


def _all_rows(path: Path) -> object:
    """Read every row; a file whose first bytes are damaged is text without a good row, which skipping would accept."""
    return read_corpus(path).table().to_pylist()


def _own_readers(folder: Path) -> list[Reader]:
    readers = []
    for name, file in _OWN.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SeedcornWarning)
            write_corpus(Corpus.from_utterances(ROWS), folder / file, format=name.split()[0])
        content = {file: (folder / file).read_bytes()}
        is_sealed = file.endswith((".gz", ".zst"))
        readers.append(Reader(name=name, files=content, read=_all_rows if is_sealed else _use, is_sealed=is_sealed))
    return readers


def _foreign_readers() -> list[Reader]:
    return [Reader(name=name, files={file: text.encode()}, read=_use) for name, (file, text) in _FOREIGN.items()]


def _tables() -> dict[str, tuple[pa.Table, dict[str, object]]]:
    """Return the tables of other projects, with what Hugging Face notes of their columns."""
    label = {"names": ["heat", "stop"], "_type": "ClassLabel"}
    tags = {"feature": {"names": ["O", "B-degrees"], "_type": "ClassLabel"}, "_type": "Sequence"}
    stamps = pa.array([0, 1], pa.timestamp("s"))
    return {
        "class labels": (pa.table({"text": ["a", "b"], "label": [0, 1], "at": stamps}), {"label": label}),
        "tokens and tags": (
            pa.table({"tokens": [["heat", "it"], ["to", "ninety"]], "ner_tags": [[0, 0], [0, 1]]}),
            {"ner_tags": tags},
        ),
        "massive": (pa.table({"utt": ["heat it"], "annot_utt": ["heat [what : it]"], "intent": [0]}), {}),
        "odd columns": (
            pa.table(
                {"text": ["a"], "audio": [b"\x00"], "price": pa.array([None], pa.decimal128(5, 2)), "none": [None]}
            ),
            {},
        ),
    }


def _noted(table: pa.Table, features: dict[str, object]) -> pa.Table:
    return table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})


def _arrow_readers(folder: Path) -> list[Reader]:
    readers = []
    for name, (table, features) in _tables().items():
        pq.write_table(_noted(table, features), folder / "t.parquet")
        content = {"t.parquet": (folder / "t.parquet").read_bytes()}
        readers.append(Reader(name=f"parquet, {name}", files=content, read=_use))
    table, features = _tables()["class labels"]
    return [*readers, Reader(name="arrow file", files={"t.arrow": _stream_of(_noted(table, features))}, read=_use)]


def _stream_of(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def _folder_readers(folder: Path) -> list[Reader]:
    table, features = _tables()["class labels"]
    state = json.dumps({"_data_files": [{"filename": "data-00000-of-00001.arrow"}], "_split": "train"})
    part = {
        "data-00000-of-00001.arrow": _stream_of(table),
        "state.json": state.encode(),
        "dataset_info.json": json.dumps({"features": features}).encode(),
    }
    splits = {f"d/train/{name}": content for name, content in part.items()} | {
        "d/dataset_dict.json": b'{"splits": ["train"]}'
    }
    plain = [Utterance(text=row.text, intent=row.intent, slots=row.slots) for row in (ROWS[0], ROWS[2])]
    write_corpus(Corpus.from_utterances(plain), folder / "slots", format="slot-folder")
    slots = {f"s/{path.name}": path.read_bytes() for path in sorted((folder / "slots").iterdir())}
    return [
        Reader(name="datasets folder", files=splits, read=_use, target="d"),
        Reader(name="slot folder", files=slots, read=_use, target="s"),
    ]


def pair_readers(folder: Path) -> list[Reader]:
    """Return the readers of sentence pairs; good files are made in ``folder``."""
    pairs = [SentencePair(source="heat it", target="chauffe"), SentencePair(source="stop", target="arrête")]
    files: dict[str, bytes] = {}
    for name in ("p.tsv", "p.jsonl", "p.parquet"):
        write_pairs(PairCorpus.from_pairs(pairs), folder / name)
        files[name] = (folder / name).read_bytes()
    files["p.tmx"] = _tmx({"en": "heat it", "fr": "chauffe", "hi_IN": "गर्म"}).encode()
    files["t.jsonl"] = b'{"translation": {"en": "heat it", "fr": "chauffe"}}\n'
    files["t.arrow"] = _stream_of(pa.table({"translation": [{"en": "heat it", "fr": "chauffe"}]}))
    single = [Reader(name=f"pairs, {name}", files={name: content}, read=_use_pairs) for name, content in files.items()]
    sides = {"p.en": b"heat it\nstop\n", "p.fr": "chauffe\narrête\n".encode()}
    return [*single, Reader(name="pairs, two files of lines", files=sides, read=_use_sides)]


def _tmx(variants: dict[str, str]) -> str:
    written = "".join(f'<tuv xml:lang="{lang}"><seg>{text}</seg></tuv>' for lang, text in variants.items())
    return f'<?xml version="1.0"?><tmx version="1.4"><header/><body><tu>{written}</tu></body></tmx>'


def _use_pairs(path: Path) -> object:
    return read_pairs(path, source_lang="en", target_lang="fr", on_error=SKIP).table().to_pylist()


def _use_sides(path: Path) -> object:
    return read_pairs(path, target=path.with_suffix(".fr"), on_error=SKIP).table().to_pylist()
