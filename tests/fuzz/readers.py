"""Every reader and every saved model: how a good file is made, and how a file is read and used to the end."""

import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from language_models import SENTENCES, small_model
from seedcorn.config import Settings, load_config
from seedcorn.corpus.formats import SKIP, read_corpus, write_corpus
from seedcorn.corpus.formats.pairs import read_pairs, write_pairs
from seedcorn.corpus.pairs import PairCorpus, SentencePair
from seedcorn.corpus.utterances import Corpus, Slot, Utterance
from seedcorn.errors import SeedcornWarning
from seedcorn.lm.arpa_writing import write_arpa
from seedcorn.lm.model_file import read_model, write_model
from seedcorn.lm.text_files import read_texts
from seedcorn.nlu.calibration import NluCalibration, load_calibration, save_calibration
from seedcorn.nlu.linear import LinearSettings, train_linear
from seedcorn.nlu.linear_file import load_linear, save_linear
from seedcorn.relevance.linear import load_relevance_model, relevance_scores, save_relevance_model
from seedcorn.relevance.logistic import fit_logistic
from seedcorn.selection import Scores, read_scores, write_scores
from seedcorn.speech.alphabet import Alphabet
from seedcorn.speech.posteriors import Posteriors, read_posteriors
from seedcorn.speech.recordings import read_manifest
from seedcorn.speech.transcripts import read_transcripts
from seedcorn.translation.nbest import read_moses

ROWS = [
    Utterance(text="heat it to ninety", intent="heat", slots=(Slot(11, 17, "degrees"),), id="u1", lang="en"),
    Utterance(text="चाय गर्म करो", intent="heat", slots=(Slot(0, 3, "drink"),), id="u2", lang="hi"),
    Utterance(text="stop the kettle", intent="stop", id="u3", lang="en", origin="own"),
    Utterance(text="お湯を止めて", intent="stop", id="u4", lang="ja"),
]
CORPUS_FILES = {
    "jsonl": "a.jsonl",
    "jsonl-gz": "a.jsonl.gz",
    "jsonl-zst": "a.jsonl.zst",
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
OTHER_FILES = {
    "rasa-markdown": ("a.md", "## intent:heat\n- heat it to [ninety](degrees)\n\n## synonym:x\n- y\n"),
    "rasa-json": (
        "r.json",
        '{"rasa_nlu_data": {"common_examples": [{"text": "stop it", "intent": "s", "entities": []}]}}',
    ),
    "clinc150": ("c.json", '{"train": [["heat it", "heat"], ["stop", "stop"]], "test": [["halt", "stop"]]}'),
    "snips-nlu": (
        "n.json",
        '{"language": "en", "entities": {}, "intents": {"go": {"utterances": [{"data": [{"text": "go to "}, '
        '{"text": "Rome", "entity": "city", "slot_name": "to"}]}]}}}',
    ),
    "doccano": ("d.jsonl", '{"text": "heat it to ninety", "label": [[11, 17, "degrees"]], "cats": ["heat"]}\n'),
    "conllu": (
        "a.conllu",
        "# sent_id = 1\n1\theat\theat\tVERB\t_\t_\t0\troot\t_\t_\n2\tit\tit\tPRON\t_\t_\t1\tobj\t_\t_\n\n",
    ),
    "kaldi": ("text", "spk1-u1 heat it\nspk1-u2 stop\n"),
}


class _AnySettings(Settings):
    """A configuration to read mutated files as."""

    name: str = "a"
    n: int = 1
    parts: dict[str, list[float]] = {}


@dataclass(frozen=True)
class Reader:
    """The bytes of a good file, the name it has, and what reads it and uses what was read."""

    name: str
    content: bytes
    read: Callable[[Path], object]


def use_corpus(path: Path) -> object:
    """Read every row, bad ones skipped, and write them again."""
    table = read_corpus(path, on_error=SKIP).table()
    write_corpus(Corpus.from_table(table), path.with_name("again.jsonl"))
    return table


def use_model(path: Path) -> object:
    """Read a language model and score with it."""
    return read_model(path).sentence_logps([*SENTENCES, "words that are not there"])


def use_nlu(path: Path) -> object:
    """Read an NLU model and predict with it."""
    return load_linear(path).predict([row.text for row in ROWS])


def _corpus_readers(folder: Path) -> list[Reader]:
    readers = []
    for name, file_name in CORPUS_FILES.items():
        format_name = name.removesuffix("-gz").removesuffix("-zst")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SeedcornWarning)
            write_corpus(Corpus.from_utterances(ROWS), folder / file_name, format=format_name)
        readers.append(Reader(f"{name}:{file_name}", (folder / file_name).read_bytes(), use_corpus))
    readers += [Reader(f"{name}:{file}", content.encode(), use_corpus) for name, (file, content) in OTHER_FILES.items()]
    names = {"info": {"features": {"label": {"names": ["heat", "stop"], "_type": "ClassLabel"}}}}
    table = pa.table({"text": ["a", "b"], "label": [0, 1], "at": pa.array([0, 1], pa.timestamp("s"))})
    table = table.replace_schema_metadata({"huggingface": json.dumps(names)})
    pq.write_table(table, folder / "hf.parquet")
    with pa.OSFile(str(folder / "hf.arrow"), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return [
        *readers,
        *(Reader(f"hugging-face:{n}", (folder / n).read_bytes(), use_corpus) for n in ("hf.parquet", "hf.arrow")),
    ]


def _pair_readers(folder: Path) -> list[Reader]:
    pairs = [SentencePair(source="heat it", target="chauffe"), SentencePair(source="stop", target="arrête")]
    readers = []
    for name in ("p.tsv", "p.jsonl", "p.parquet"):
        write_pairs(PairCorpus.from_pairs(pairs), folder / name)
        readers.append(Reader(f"pairs:{name}", (folder / name).read_bytes(), _use_pairs))
    variants = "".join(f'<tuv xml:lang="{lang}"><seg>{lang}</seg></tuv>' for lang in ("en", "fr"))
    tmx = f'<?xml version="1.0"?><tmx><body><tu>{variants}</tu></body></tmx>'
    return [*readers, Reader("pairs:p.tmx", tmx.encode(), _use_pairs)]


def _use_pairs(path: Path) -> object:
    return read_pairs(path, source_lang="en", target_lang="fr", on_error=SKIP).table()


def _model_readers(folder: Path) -> list[Reader]:
    model = small_model()
    write_model(model, folder / "m.lm")
    write_arpa(model, folder / "m.arpa")
    save_linear(train_linear(ROWS, settings=LinearSettings(n_crf_iterations=5)), folder / "n.npz")
    even = np.log(np.full((3, 2), 0.5)).astype(np.float16)
    posteriors = Posteriors(ids=("a", "b"), logps=(even, even), alphabet=Alphabet(("", "x")), seconds_per_step=0.02)
    posteriors.save(folder / "p.npz")
    uses: dict[str, Callable[[Path], object]] = {
        "m.lm": use_model,
        "m.arpa": use_model,
        "n.npz": use_nlu,
        "p.npz": read_posteriors,
    }
    return [
        *(Reader(f"model:{name}", (folder / name).read_bytes(), use) for name, use in uses.items()),
        *_saved_readers(folder),
        *(_network_readers(folder) if find_spec("torch") else []),
    ]


def _saved_readers(folder: Path) -> list[Reader]:
    save_calibration(NluCalibration(), folder / "c.npz")
    write_scores(Scores(values=np.array([0.5, 1.5]), name="relevance"), folder / "s.npz")
    save_relevance_model(
        fit_logistic(["heat it", "warm it"] * 5, ["stop it now", "go on"] * 5, ["play"] * 5).model, folder / "r.npz"
    )
    readings: dict[str, Callable[[Path], object]] = {
        "c.npz": load_calibration,
        "s.npz": read_scores,
        "r.npz": lambda path: relevance_scores([pa.array(["heat it"])], load_relevance_model(path)),
    }
    return [Reader(f"saved:{name}", (folder / name).read_bytes(), read) for name, read in readings.items()]


def _network_readers(folder: Path) -> list[Reader]:
    """Networks of the smallest sizes; the paraphrase network's two files are mutated apart."""
    from seedcorn.nlu.encoders import SmallEncoder
    from seedcorn.nlu.neural import JointNetwork, NeuralNlu, NeuralSettings, load_neural, save_neural
    from seedcorn.speech.acoustic import AcousticModel, CtcNetwork, NetworkShape, load_acoustic_model

    shape = NetworkShape(n_channels=4, n_blocks=1, n_hidden=4, n_lstm_layers=1)
    alphabet = Alphabet(("", " ", "x"))
    AcousticModel(network=CtcNetwork(shape, 3).eval(), alphabet=alphabet, shape=shape).save(folder / "a.safetensors")
    settings = NeuralSettings(n_dimensions=4, n_layers=1, n_heads=2)
    encoder = SmallEncoder(n_dimensions=4, n_layers=1, n_heads=2, dropout=0.0)
    network = JointNetwork(encoder, n_intents=2, n_labels=3, dropout=0.0)
    labels = ("O", "B-degrees", "I-degrees")
    neural = NeuralNlu(network=network, intents=("heat", "stop"), labels=labels, settings=settings)
    save_neural(neural, folder / "n.safetensors")
    return [
        Reader("network:a.safetensors", (folder / "a.safetensors").read_bytes(), load_acoustic_model),
        Reader(
            "network:n.safetensors",
            (folder / "n.safetensors").read_bytes(),
            lambda path: load_neural(path).predict([row.text for row in ROWS]),
        ),
    ]


def _read_manifest(path: Path) -> None:
    """Read a manifest beside its audio file, which is not what is damaged."""
    audio = path.parent / "a" / "u1.wav"
    audio.parent.mkdir(exist_ok=True)
    audio.touch()
    read_manifest(path)


def _other_readers() -> list[Reader]:
    nbest = "0 ||| a b ||| translation_logp= -1 F= -1 -2 ||| -1\n1 ||| c ||| translation_logp= -2 ||| -2\n"
    manifest = '{"audio_filepath": "a/u1.wav", "text": "heat it", "pred_text": "heat"}\n'
    return [
        Reader("nbest:n.txt", nbest.encode(), lambda path: list(read_moses(path, ["x", "y"]))),
        Reader("transcripts:t.trn", b"{ uh / @ } heat it (u1)\nstop (u2)\n", read_transcripts),
        Reader("transcripts:t.txt", b"u1 heat it\nu2 stop\n", read_transcripts),
        Reader("transcripts:t.jsonl", manifest.encode(), read_transcripts),
        Reader("manifest:r.jsonl", manifest.encode(), _read_manifest),
        Reader("lm-text:l.txt", "heat it\nचाय गर्म\n".encode(), lambda path: list(read_texts(path))),
        Reader(
            "config:c.yaml", b"name: a\nn: 2\nparts: {x: [1, 2.5], y: []}\n", lambda p: load_config(p, _AnySettings)
        ),
    ]


def readers(folder: Path) -> list[Reader]:
    """Return all readers with their good files, which are made in ``folder``."""
    return [*_corpus_readers(folder), *_pair_readers(folder), *_model_readers(folder), *_other_readers()]
