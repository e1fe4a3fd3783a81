"""Readers of speech, translations, answers of annotators, texts, pages, records and configurations."""

import json
import random
import struct
import tempfile
from collections.abc import Callable, Sequence
from datetime import date
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import yaml
from corpus_files import EXPORT, ROWS
from damage import Damage, Reader
from model_files import by_bytes_or, json_by_hand

from seedcorn.config import Settings, load_config
from seedcorn.growth.answers import read_answers, read_renames
from seedcorn.growth.pipeline import GrowthConfig
from seedcorn.intent.pipeline import IntentConfig
from seedcorn.language.pipeline import LanguageConfig
from seedcorn.lm.text_files import read_texts
from seedcorn.report.page import Figure, Page, Section, Table, render
from seedcorn.report.saved import CONTENT_NAME, read_page, write_page
from seedcorn.runs.record import read_record
from seedcorn.speech.file_to_file import read_words
from seedcorn.speech.lexicon import read_spoken_as
from seedcorn.speech.nbest_files import read_nbest
from seedcorn.speech.posteriors import read_symbols
from seedcorn.speech.recordings import Recording, read_manifest, read_waves
from seedcorn.speech.transcripts import read_transcripts
from seedcorn.studies.intent import IntentStudyConfig
from seedcorn.translation.given_translations import given_translations
from seedcorn.translation.nbest import read_moses
from seedcorn.translation.transliteration import read_lexicon
from small_runs import INTENT_STUDY

Use = Callable[[Path], object]
_CONFIGS = Path(__file__).parents[2] / "configs"
_TEXTS = [row.text for row in ROWS]
_INTENTS = ("heat", "stop")
_NBEST = "0 ||| a b ||| translation_logp= -1 F= -1 -2 ||| -1\n1 ||| c ||| translation_logp= -2 ||| -2\n"
_MANIFEST = '{"audio_filepath": "a/u1.wav", "duration": 1.5, "text": "heat it", "pred_text": "heat"}\n'
_HEARD = '{"id": "u1", "text": "a", "hypotheses": [{"text": "a", "score": -1.5}, {"text": "b", "score": -2}]}\n'


def other_readers() -> list[Reader]:
    """Return the readers of everything that is neither a corpus, nor sentence pairs, nor a model."""
    readers = [*_speech_readers(), *_translation_readers(), *_growth_readers(), *_kept_readers(), *_config_readers()]
    return [*readers, *(_audio_readers() if find_spec("soundfile") else [])]


def _single(name: str, file: str, content: str, read: Use, by_hand: Damage | None = None) -> Reader:
    damages = {file: by_bytes_or(by_hand)} if by_hand else {}
    return Reader(name=name, files={file: content.encode()}, read=read, damages=damages)


def json_line_by_hand(content: bytes, rng: random.Random) -> bytes:
    """Return JSON lines with a value of one line changed."""
    lines = content.splitlines()
    number = rng.randrange(len(lines))
    lines[number] = json_by_hand(lines[number], rng)
    return b"\n".join(lines)


def _speech_readers() -> list[Reader]:
    kaldi = {"n.txt": b"u1-1 a b\nu1-2 a\n", "scores": b"u1-1 -2.5\nu1-2 -3\n"}
    folder = {"k/wav.scp": b"u1 a.wav\n", "k/text": b"u1 heat it\n", "k/a.wav": b"RIFF"}
    return [
        _single("transcripts, trn", "t.trn", "{ uh / @ } heat it (u1)\nstop (u2)\n", read_transcripts),
        _single("transcripts, Kaldi", "t.txt", "u1 heat it\nu2 stop\n", read_transcripts),
        _single("transcripts, JSON lines", "t.jsonl", _MANIFEST, read_transcripts, json_line_by_hand),
        Reader(
            name="manifest of recordings",
            files={"r.jsonl": _MANIFEST.encode(), "a/u1.wav": b"RIFF"},
            read=read_manifest,
            target="r.jsonl",
            damages={"r.jsonl": by_bytes_or(json_line_by_hand)},
        ),
        Reader(name="Kaldi folder of recordings", files=folder, read=read_manifest, target="k"),
        _single("n-best of a recogniser", "n.jsonl", _HEARD, read_nbest, json_line_by_hand),
        Reader(
            name="n-best of Kaldi",
            files=kaldi,
            read=lambda path: read_nbest(path, scores=path.with_name("scores")),
            target="n.txt",
        ),
        _single("symbols", "symbols.txt", "<blank> 0\n| 1\na 2\n", read_symbols),
        _single("words as spoken", "w.tsv", "ninety\tnayntee\nninety\tnainti\n", read_spoken_as),
        _single("list of words", "w.txt", "heat\nit\n", read_words),
        _single("text of language models", "l.txt", "heat it\nचाय गर्म\n", lambda path: list(read_texts(path))),
    ]


def _audio_readers() -> list[Reader]:
    samples = np.arange(200, dtype="<i2").tobytes()
    form = struct.pack("<HHIIHH", 1, 1, 16_000, 32_000, 2, 16)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(samples)) + samples
    wav = b"RIFF" + struct.pack("<I", len(body)) + body
    return [Reader(name="wav file", files={"u1.wav": wav}, read=_waves)]


def _waves(path: Path) -> object:
    recording = Recording(id="u1", audio=path, text=None)
    return [wave.tolist() for wave in read_waves([recording], samples_per_second=16_000)]


def _translation_readers() -> list[Reader]:
    tasks = json.dumps(
        [{"data": {"id": "u1"}, "annotations": [{"result": [{"value": {"text": ["chauffe"]}}]}]}], ensure_ascii=False
    )
    rows = "u1\tchauffe\t-1.5\nu1\tchauffez\t-2\n"
    lines = '{"id": "u1", "hypotheses": [{"text": "chauffe", "score": -1}]}\n{"id": "u2", "text": "चाय"}\n'
    numbered = (
        "0 ||| chauffe ||| F= -1 ||| -1\n1 ||| thé ||| F= -2 ||| -2\n2 ||| a ||| F= 0 ||| 0\n3 ||| b ||| F= 0 ||| 0\n"
    )
    return [
        _single("n-best of Moses", "n.txt", _NBEST, lambda path: list(read_moses(path, ["x", "y"]))),
        _single("given translations, TSV", "t.tsv", rows, _given),
        _single("given translations, JSON lines", "t.jsonl", lines, _given, json_line_by_hand),
        _single("given translations, Moses", "t.moses", numbered, _given),
        _single("given translations, Label Studio", "t.json", tasks, _given, json_by_hand),
        _single("lexicon", "l.tsv", "kettle\tकेतली\ntea\tचाय\n", read_lexicon),
    ]


def _given(path: Path) -> object:
    return given_translations(path, ROWS)


def _growth_readers() -> list[Reader]:
    lines = "".join(
        json.dumps({"id": row.id, "text": row.text, "intent": row.intent, "annotator": "a"}, ensure_ascii=False) + "\n"
        for row in ROWS
    )
    renames = "heat: warm\nstop: [stop, halt]\n"
    return [
        _single("answers of our page", "a.jsonl", lines, _answers, json_line_by_hand),
        _single("answers of Label Studio", "a.json", json.dumps(EXPORT), _answers, json_by_hand),
        _single("renamed intents", "r.yaml", renames, lambda path: read_renames(path, intents=_INTENTS)),
    ]


def _answers(path: Path) -> object:
    return read_answers([path], asked=ROWS, intents=_INTENTS)


def _kept_readers() -> list[Reader]:
    """Return those of what a run folder keeps beside the results of its stages."""
    table = Table(caption="c", columns=("a", "b"), rows=(("x", 0.5),), percent_columns=("b",))
    section = Section(title="s", text="x", contents=(table, Figure(caption="c", spec={"mark": "bar"})))
    page = Page(title="t", lead="l", summary=(("a", "b"),), sections=(section,), signatures=("s",))
    record = {
        **dict.fromkeys(("stage", "fingerprint", "output_digest"), "a"),
        **{"settings": {"a": 1}, "inputs": {"a": "b"}, "versions": {"seedcorn": "1"}, "counts": {"n": 1}},
        "random_seed": 1,
    }
    return [
        Reader(
            name="page of a report",
            files={"p/report.json": _content_of(page)},
            read=lambda path: render(read_page(path)),
            target="p",
            damages={"p/report.json": by_bytes_or(json_by_hand)},
        ),
        Reader(
            name="record of a stage",
            files={"s/record.json": json.dumps(record).encode()},
            read=read_record,
            target="s",
            damages={"s/record.json": by_bytes_or(json_by_hand)},
        ),
    ]


def _content_of(page: Page) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        write_page(page, Path(folder))
        return (Path(folder) / CONTENT_NAME).read_bytes()


class _AnySettings(Settings):
    """A configuration to read mutated files as."""

    name: str = "a"
    n: int = 1
    parts: dict[str, list[float | date | None]] = {}


def _config_readers() -> list[Reader]:
    any_settings = "# c\nname: &n a\nn: 2\nparts: {x: [1, 2.5], y: [], z: [0x1f, 1e3, 2024-01-02, ~]}\n"
    kinds: Sequence[tuple[str, type[Settings]]] = (
        ("intent-builtin.yaml", IntentConfig),
        ("language-builtin.yaml", LanguageConfig),
        ("grow-builtin.yaml", GrowthConfig),
    )
    return [
        _single("configuration", "c.yaml", any_settings, lambda path: load_config(path, _AnySettings)),
        *(_config_reader(file, kind) for file, kind in kinds),
        _single(
            "configuration of a study",
            "study.yaml",
            yaml.safe_dump(INTENT_STUDY),
            lambda p: load_config(p, IntentStudyConfig),
        ),
    ]


def _config_reader(file: str, kind: type[Settings]) -> Reader:
    return _single(f"configuration, {file}", file, (_CONFIGS / file).read_text("utf-8"), lambda p: load_config(p, kind))
