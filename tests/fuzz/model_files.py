"""Saved models: damaged byte by byte, and changed by hand inside archives that are whole and sealed again."""

import io
import json
import random
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow as pa
from corpus_files import ROWS
from damage import Damage, Reader
from mutations import mutated
from numpy.typing import NDArray

from language_models import SENTENCES, small_model
from seedcorn.lm.arpa_writing import write_arpa
from seedcorn.lm.automaton import NgramArrays
from seedcorn.lm.model_file import read_model, write_model
from seedcorn.lm.ngram_model import NgramModel
from seedcorn.lm.vocabulary import Vocabulary, WordTable
from seedcorn.nlu.calibration import NluCalibration, load_calibration, save_calibration
from seedcorn.nlu.linear import LinearSettings, train_linear
from seedcorn.nlu.linear_file import load_linear, save_linear
from seedcorn.relevance.linear import load_relevance_model, relevance_scores, save_relevance_model
from seedcorn.relevance.logistic import fit_logistic
from seedcorn.selection import Scores, read_scores, write_scores
from seedcorn.speech.alphabet import Alphabet
from seedcorn.speech.decoding import decode
from seedcorn.speech.fusion import WeightedModel
from seedcorn.speech.lexicon import symbol_lexicon
from seedcorn.speech.posteriors import Posteriors, read_posteriors
from seedcorn.speech.settings import DecoderSettings
from seedcorn.tensor_files import sealed

_TEXTS = [row.text for row in ROWS]
_ODD_NUMBERS = (-1, 0, 1, 2**31 - 1, -(2**31), 2**40, 1e30, -1e30, float("nan"), float("inf"), 255, 65536)
_ODD_TYPES = ("<f4", "<f8", "<i4", "<i8", "|u1", "|b1", "<c8", "<U3", ">f4", "<u8")
_MOST_STEPS = 100
Arrays = dict[str, NDArray[np.generic]]


def changed(arrays: Mapping[str, NDArray[np.generic]], rng: random.Random) -> Arrays:
    """Return ``arrays`` with one of them changed: a number, its size, its shape, its type, its name, or gone."""
    new = dict(arrays)
    name = rng.choice(sorted(new))
    array = new[name]
    if array.dtype == np.uint8 and array.ndim == 1 and rng.random() < 0.7:
        new[name] = np.frombuffer(mutated(array.tobytes(), rng), np.uint8)
        return new
    match rng.randrange(10):
        case 0:
            del new[name]
        case 1:
            new["x" + name] = new.pop(name)
        case 2:
            new[name] = array.reshape(-1)[: rng.randrange(array.size + 1)]
        case 3:
            new[name] = array.reshape(rng.choice(((-1,), (1, -1), (-1, 1))))
        case 4:
            with np.errstate(all="ignore"), suppress(ValueError):
                new[name] = array.astype(rng.choice(_ODD_TYPES))
        case 5:
            new[name] = np.concatenate([array, array]) if array.ndim else array
        case _:
            new[name] = _with_other_numbers(array, rng)
    return new


def _with_other_numbers(array: NDArray[np.generic], rng: random.Random) -> NDArray[np.generic]:
    flat = array.reshape(-1).copy()
    for _ in range(rng.choice((1, 1, 3)) if flat.size else 0):
        number = rng.choice(_ODD_NUMBERS)
        with np.errstate(all="ignore"), suppress(ValueError):
            flat[rng.randrange(flat.size)] = np.array(number).astype(flat.dtype)
    return flat.reshape(array.shape)


def by_bytes_or(by_hand: Damage) -> Damage:
    """Return a damage that is half of the time ``by_hand``, else byte by byte."""
    return lambda content, rng: by_hand(content, rng) if rng.random() < 0.5 else mutated(content, rng)


def archive_by_hand(content: bytes, rng: random.Random) -> bytes:
    """Return an npz file with a changed array, whole."""
    with np.load(io.BytesIO(content)) as stored:
        arrays = {name: stored[name] for name in stored.files}
    written = io.BytesIO()
    np.savez(written, allow_pickle=False, **changed(arrays, rng))  # type: ignore[arg-type]
    return written.getvalue()


def language_model_by_hand(content: bytes, rng: random.Random) -> bytes:
    """Return a file of a language model with a changed array, its checksums right."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.lm"
        path.write_bytes(content)
        model = read_model(path)
        parts = {"order_begins": model.order_begins, **model.arrays._asdict(), **model.vocabulary.table._asdict()}
        name = rng.choice(sorted(parts))
        array = parts[name]
        new = array[: rng.randrange(len(array) + 1)] if rng.random() < 0.15 else _with_other_numbers(array, rng)
        parts[name] = new if rng.random() < 0.9 else np.concatenate([new, new])
        made = NgramModel(
            vocabulary=Vocabulary(WordTable._make(parts[n] for n in WordTable._fields)),
            arrays=NgramArrays._make(parts[n] for n in NgramArrays._fields),
            order_begins=parts["order_begins"],
        )
        write_model(made, path)
        return path.read_bytes()


def network_by_hand(content: bytes, rng: random.Random) -> bytes:
    """Return a safetensors file with a changed array or description, sealed again."""
    from safetensors.numpy import load, save

    n_bytes = int.from_bytes(content[:8], "little")
    about: dict[str, str] = json.loads(content[8 : 8 + n_bytes]).get("__metadata__", {})
    arrays: Arrays = dict(load(content))
    if about and rng.random() < 0.5:
        about = {name: _resealed(text, arrays, rng) for name, text in about.items()}
    else:
        arrays = {n: a for n, a in changed(arrays, rng).items() if a.dtype.kind in "fiub"}
        about = {name: json.dumps(sealed(json.loads(text), arrays)) for name, text in about.items()}
    return save({n: np.ascontiguousarray(a) for n, a in arrays.items()}, about)


def _resealed(text: str, arrays: Arrays, rng: random.Random) -> str:
    damaged = json_by_hand(text.encode(), rng)
    try:
        return json.dumps(sealed(json.loads(damaged), arrays))
    except (ValueError, TypeError, RecursionError):
        return damaged.decode("utf-8", "replace")


def json_by_hand(content: bytes, rng: random.Random) -> bytes:
    """Return JSON with one value of another kind or size in it."""
    tree = json.loads(content)
    here: object = tree
    while isinstance(here, dict | list) and here:
        key = rng.choice(sorted(here)) if isinstance(here, dict) else rng.randrange(len(here))
        below = here[key]
        if not isinstance(below, dict | list) or not below or rng.random() < 0.3:
            here[key] = rng.choice((None, True, -1, 0, 10**9, 10**30, 1e300, "x", "", [], {}, [[]], below, [below]))
            break
        here = below
    return json.dumps(tree).encode()


def model_readers(folder: Path) -> list[Reader]:
    """Return the readers of all saved models; good files are made in ``folder``."""
    return [
        *_language_model_readers(folder),
        *_array_readers(folder),
        *(_network_readers(folder) if find_spec("torch") else []),
    ]


def _language_model_readers(folder: Path) -> list[Reader]:
    model = small_model()
    write_model(model, folder / "m.lm")
    for name in ("m.arpa", "m.arpa.gz"):
        write_arpa(model, folder / name)
    own = {"m.lm": (folder / "m.lm").read_bytes()}
    by_hand = {"m.lm": language_model_by_hand}
    return [
        Reader(name="language model", files=own, read=_score, is_sealed=True),
        Reader(name="language model by hand", files=own, read=_score, damages=by_hand),
        Reader(name="arpa", files={"m.arpa": (folder / "m.arpa").read_bytes()}, read=_score),
        Reader(name="arpa gzip", files={"m.arpa.gz": (folder / "m.arpa.gz").read_bytes()}, read=_score, is_sealed=True),
    ]


def _score(path: Path) -> object:
    return read_model(path).sentence_logps([*SENTENCES, "words that are not there"]).tolist()


def _array_readers(folder: Path) -> list[Reader]:
    even = np.log(np.full((3, 2), 0.5)).astype(np.float16)
    posteriors = Posteriors(ids=("a", "b"), logps=(even, even), alphabet=Alphabet(("", "x")), seconds_per_step=0.02)
    posteriors.save(folder / "p.npz")
    save_linear(train_linear(ROWS, settings=LinearSettings(n_crf_iterations=5)), folder / "n.npz")
    save_calibration(NluCalibration(), folder / "c.npz")
    write_scores(Scores(values=np.array([0.5, 1.5]), name="relevance"), folder / "s.npz")
    relevance = fit_logistic(["heat it", "warm it"] * 5, ["stop it now", "go on"] * 5, ["play"] * 5).model
    save_relevance_model(relevance, folder / "r.npz")
    np.savez(folder / "f.npz", u1=even.astype(np.float32), u2=even.astype(np.float32))
    uses: dict[str, tuple[str, Callable[[Path], object]]] = {
        "NLU model, linear": ("n.npz", lambda path: load_linear(path).predict(_TEXTS)),
        "calibration": ("c.npz", _calibrated),
        "scores": ("s.npz", lambda path: read_scores(path).values.tolist()),
        "relevance model": ("r.npz", _relevance),
        "posteriors": ("p.npz", _decoded),
    }
    readers = [_array_reader(name, file, folder, use) for name, (file, use) in uses.items()]
    foreign = {"f.npz": (folder / "f.npz").read_bytes(), "symbols.txt": b"<blank>\n|\n"}
    damages = {"f.npz": by_bytes_or(archive_by_hand)}
    return [
        *(reader for both in readers for reader in both),
        Reader(name="posteriors of others", files=foreign, read=_foreign, damages=damages),
    ]


def _array_reader(name: str, file: str, folder: Path, use: Callable[[Path], object]) -> list[Reader]:
    content = {file: (folder / file).read_bytes()}
    return [
        Reader(name=name, files=content, read=use, is_sealed=True),
        Reader(name=f"{name} by hand", files=content, read=use, damages={file: archive_by_hand}),
    ]


def _calibrated(path: Path) -> object:
    return load_calibration(path).intent(np.array([0.1, 0.9])).tolist()


def _relevance(path: Path) -> object:
    scores = relevance_scores([pa.array(["heat it"])], load_relevance_model(path))
    return scores.values.tolist()


def _decoded(path: Path) -> object:
    return _searched(read_posteriors(path))


def _foreign(path: Path) -> object:
    return _searched(read_posteriors(path, symbols=path.with_name("symbols.txt")))


def _searched(posteriors: Posteriors) -> object:
    """Search posteriors, which compiled code does."""
    if sum(map(len, posteriors.logps)) > _MOST_STEPS:
        return None
    lexicon = symbol_lexicon(posteriors.alphabet)
    lists = decode(
        posteriors.logps,
        lexicon=lexicon,
        models=[WeightedModel(model=small_model())],
        settings=DecoderSettings(beam_size=4),
    )
    return [[hypothesis.words for hypothesis in found] for found in lists]


def _network_readers(folder: Path) -> list[Reader]:
    """Return those of networks of the smallest sizes."""
    from seedcorn.diversity.paraphrase import load_paraphrase_network
    from seedcorn.nlu.neural_file import load_neural
    from seedcorn.speech.acoustic import emit, load_acoustic_model

    _save_networks(folder)
    waves = [np.zeros(400, np.float32)]
    uses: dict[str, tuple[tuple[str, ...], Callable[[Path], object]]] = {
        "NLU model, neural": (("n.safetensors",), lambda path: load_neural(path).predict(_TEXTS)),
        "acoustic model": (
            ("a.safetensors",),
            lambda path: [rows.tolist() for rows in emit(load_acoustic_model(path), waves)],
        ),
        "paraphrase network": (
            ("w/paraphrase.safetensors", "w/paraphrase.json"),
            lambda path: load_paraphrase_network(path).encode(_TEXTS).tolist(),
        ),
    }
    readers = []
    for name, (files, use) in uses.items():
        content = {file: (folder / file).read_bytes() for file in files}
        target = files[0].split("/")[0]
        damages = {file: network_by_hand if file.endswith("safetensors") else json_by_hand for file in files}
        readers += [
            Reader(name=name, files=content, read=use, target=target, is_sealed=True),
            Reader(name=f"{name} by hand", files=content, read=use, target=target, damages=damages),
        ]
    return readers


def _save_networks(folder: Path) -> None:
    import torch

    from seedcorn.corpus.word_vectors import fit_word_vectors
    from seedcorn.diversity.paraphrase import NetworkShape as ParaphraseShape
    from seedcorn.diversity.paraphrase import ParaphraseNetwork, save_paraphrase_network
    from seedcorn.nlu.encoders import SmallEncoder
    from seedcorn.nlu.neural import JointNetwork, NeuralNlu, NeuralSettings
    from seedcorn.nlu.neural_file import save_neural
    from seedcorn.speech.acoustic import AcousticModel, CtcNetwork, NetworkShape

    torch.manual_seed(1)
    shape = NetworkShape(n_channels=4, n_blocks=1, n_hidden=4, n_lstm_layers=1)
    alphabet = Alphabet(("", " ", "x"))
    AcousticModel(network=CtcNetwork(shape, 3).eval(), alphabet=alphabet, shape=shape).save(folder / "a.safetensors")
    settings = NeuralSettings(n_dimensions=4, n_layers=1, n_heads=2)
    encoder = SmallEncoder(n_dimensions=4, n_layers=1, n_heads=2, dropout=0.0)
    network = JointNetwork(encoder, n_intents=2, n_labels=3, dropout=0.0)
    labels = ("O", "B-degrees", "I-degrees")
    neural = NeuralNlu(network=network, intents=("heat", "stop"), labels=labels, settings=settings)
    save_neural(neural, folder / "n.safetensors")
    words = fit_word_vectors(_TEXTS * 3, n_dimensions=2)
    small = ParaphraseShape(
        n_hidden=4, n_ngram_buckets=16, n_ngram_dimensions=2, n_attention_heads=1, n_meaning=4, n_signs=4
    )
    save_paraphrase_network(ParaphraseNetwork(small, words), folder / "w")
