"""Manifests, audio files, stored posteriors, a pretrained checkpoint, and the tiny test bed, end to end."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from seedcorn.errors import ConfigError, DataError, SeedcornWarning
from seedcorn.speech import sources
from seedcorn.speech.acoustic import AcousticModel, CtcNetwork, NetworkShape, emit, load_acoustic_model
from seedcorn.speech.acoustic_training import TrainingSettings, train_acoustic_model, training_sentences, waves_of
from seedcorn.speech.alphabet import Alphabet, alphabet_of
from seedcorn.speech.checkpoint import emit_with_checkpoint, load_ctc_checkpoint, seconds_per_step
from seedcorn.speech.features import mixed_at
from seedcorn.speech.posteriors import Posteriors, read_posteriors
from seedcorn.speech.recordings import Recording, read_manifest, read_waves
from seedcorn.speech.sources import read_source
from seedcorn.speech.synthesis import SpeakerSet, Voice, random_voices, synthesise

soundfile = pytest.importorskip("soundfile")
SHAPE = NetworkShape(n_channels=8, n_blocks=1, n_hidden=4, n_lstm_layers=1)
TEXTS = ["turn it on", "turn it off", "play it"]


def spoken() -> list[np.ndarray]:
    return synthesise(TEXTS, random_voices(3, lang="en-us", speakers=SpeakerSet.TRAIN, rng=np.random.default_rng(0)))


def write_audio(path: Path, *, rate: int = 16_000, n_channels: int = 1, n_seconds: float = 0.5) -> Path:
    wave = np.random.default_rng(0).normal(scale=0.1, size=(int(rate * n_seconds), n_channels))
    soundfile.write(path, wave, rate)
    return path


def test_same_voices_say_the_same_whatever_was_said_before() -> None:
    first = spoken()
    synthesise(["something else"], [Voice(lang="hi", variant="Andy")])
    assert all(np.array_equal(a, b) for a, b in zip(first, spoken(), strict=True))
    assert not set(SpeakerSet.TRAIN.variants) & set(SpeakerSet.UNSEEN.variants)
    assert all(len(samples) > 5_000 for samples in first)


_INTERRUPTED = """
import signal
from seedcorn.speech import synthesis

def collect(_engine, _samples, _n_samples, _events):
    signal.raise_signal(signal.SIGINT)
    return 0

synthesis._Engine._collect = collect
signal.signal(signal.SIGINT, signal.default_int_handler)  # commands in the background are started without
try:
    synthesis.synthesise(["hello"], [synthesis.Voice(lang="en-us", variant="Andy")])
except KeyboardInterrupt:
    print("interrupted")
"""


def test_an_interruption_while_the_engine_hands_over_samples_is_not_lost() -> None:
    # In a process of its own: a test may run in another thread than the main one, to which signals come.
    done = subprocess.run([sys.executable, "-c", _INTERRUPTED], capture_output=True, check=True)
    assert done.stdout.strip() == b"interrupted"


def test_unknown_languages_are_refused() -> None:
    with pytest.raises(DataError, match="'xx-nowhere'"):
        synthesise(["a"], [Voice(lang="xx-nowhere", variant="")])
    with pytest.raises(DataError, match="one voice a text"):
        synthesise(["a"], [])


def test_noise_has_the_level_asked_for() -> None:
    rng = np.random.default_rng(0)
    speech, noise = (rng.normal(size=10_000).astype(np.float32) for _ in range(2))
    added = mixed_at(speech, noise, snr_db=10.0) - speech
    assert 10 * np.log10(np.mean(speech**2) / np.mean(added**2)) == pytest.approx(10.0, abs=0.01)
    silence = np.zeros(100, dtype=np.float32)
    assert np.array_equal(mixed_at(silence, noise, snr_db=0.0), silence)


def test_training_sentences_are_shuffled_and_without_digits() -> None:
    texts = ["one two three four five six", "room 12 please", "single"]
    [sentence] = training_sentences(texts, n_sentences=5, rng=np.random.default_rng(0))
    assert sorted(sentence.split()) == sorted(texts[0].split())
    assert sentence != texts[0]


def test_resumed_training_ends_like_an_unbroken_one(tmp_path: Path) -> None:
    alphabet = alphabet_of([t.split() for t in TEXTS])
    audio = spoken()

    def trained(n_epochs: int, folder: Path | None) -> list[np.ndarray]:
        # The learning rate follows the whole course, so the first part is cut off, not shortened.
        settings = TrainingSettings(n_epochs=2, seconds_per_batch=4.0)
        model = train_acoustic_model(
            audio,
            TEXTS,
            alphabet=alphabet,
            shape=SHAPE,
            settings=settings,
            random_seed=3,
            checkpoints=folder,
            last_epoch=n_epochs,
        )
        model.save(tmp_path / "model.safetensors")
        return emit(load_acoustic_model(tmp_path / "model.safetensors"), waves_of(audio))

    unbroken = trained(2, None)
    trained(1, tmp_path)
    resumed = trained(2, tmp_path)
    assert all(np.array_equal(a, b) for a, b in zip(unbroken, resumed, strict=True))


def test_the_same_model_is_saved_as_the_same_bytes(tmp_path: Path) -> None:
    alphabet = alphabet_of([t.split() for t in TEXTS])
    model = AcousticModel(network=CtcNetwork(SHAPE, len(alphabet)), alphabet=alphabet, shape=SHAPE)
    saved = set()
    for number in range(20):
        model.save(tmp_path / f"{number}.safetensors")
        saved.add((tmp_path / f"{number}.safetensors").read_bytes())
    assert len(saved) == 1


def test_text_outside_the_alphabet_is_refused() -> None:
    with pytest.raises(DataError, match="training text 1"):
        train_acoustic_model(
            spoken()[:2],
            ["turn it on", "xyz"],
            alphabet=alphabet_of([["turn", "it", "on"]]),
            shape=SHAPE,
            settings=TrainingSettings(n_epochs=1),
            random_seed=0,
        )


def test_posteriors_come_back_from_disk(tmp_path: Path) -> None:
    alphabet = Alphabet(("", " ", "a"))
    logps = tuple(np.log(np.full((n, 3), 1 / 3)).astype(np.float16) for n in (2, 0, 3))
    stored = Posteriors(ids=("x", "y", "z"), logps=logps, alphabet=alphabet, seconds_per_step=0.03)
    stored.save(tmp_path / "p.npz")
    read = read_posteriors(tmp_path / "p.npz")
    assert (read.ids, read.alphabet, read.seconds_per_step) == (stored.ids, alphabet, 0.03)
    assert all(np.array_equal(a, b) for a, b in zip(read.logps, logps, strict=True))


def test_foreign_arrays_need_their_symbols(tmp_path: Path) -> None:
    folder = tmp_path / "arrays"
    folder.mkdir()
    np.save(folder / "u1.npy", np.log(np.full((2, 3), 1 / 3)))
    with pytest.raises(DataError, match="--symbols"):
        read_posteriors(folder)
    (tmp_path / "symbols").write_text("<blank>\n|\na\n", "utf-8")
    assert read_posteriors(folder, symbols=tmp_path / "symbols").ids == ("u1",)
    (tmp_path / "symbols").write_text("a\nb\n", "utf-8")
    with pytest.raises(DataError, match="one blank symbol"):
        read_posteriors(folder, symbols=tmp_path / "symbols")
    (tmp_path / "no.npz").write_text("no arrays", "utf-8")
    with pytest.raises(DataError, match="wanted posteriors"):
        read_posteriors(tmp_path / "no.npz")


def test_kaldi_folder_and_json_lines_list_the_same(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.wav")
    write_audio(tmp_path / "b.flac")
    (tmp_path / "wav.scp").write_text("a a.wav\nb b.flac\n", "utf-8")
    (tmp_path / "text").write_text("a turn it on\n", "utf-8")
    (tmp_path / "m.jsonl").write_text(
        '{"audio": "a.wav", "text": "turn it on"}\n{"id": "b", "audio": "b.flac"}\n', "utf-8"
    )
    assert read_manifest(tmp_path) == read_manifest(tmp_path / "m.jsonl")
    assert [r.text for r in read_manifest(tmp_path)] == ["turn it on", None]


def test_a_part_of_a_file_is_not_taken_for_the_whole(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.wav")
    (tmp_path / "m.jsonl").write_text('{"audio_filepath": "a.wav", "offset": 0.0}\n', "utf-8")
    assert [r.id for r in read_manifest(tmp_path / "m.jsonl")] == ["a"]
    (tmp_path / "m.jsonl").write_text('{"audio_filepath": "a.wav", "offset": 1.5}\n', "utf-8")
    with pytest.raises(DataError, match=r'm.jsonl:1: wanted one file an utterance, found "offset" 1.5'):
        read_manifest(tmp_path / "m.jsonl")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"wav.scp": "a nowhere.wav\n"}, "1 missing, as .*nowhere.wav"),
        ({"wav.scp": f"a {'long' * 200}.wav\n"}, "1 missing, as .*longlong"),
        ({"wav.scp": "a sox a.wav - |\n"}, "Commands are not run"),
        ({"wav.scp": "a a.wav\n", "text": "b hello\n"}, "none for 'b'"),
        ({"wav.scp": "a a.wav\n", "segments": "a-1 a 0 1\n"}, "a segments file"),
        ({"wav.scp": ""}, "at least one recording"),
        ({"text": "a hello\n"}, "no wav.scp"),
    ],
)
def test_bad_kaldi_folders_are_refused(tmp_path: Path, files: dict[str, str], message: str) -> None:
    write_audio(tmp_path / "a.wav")
    for name, content in files.items():
        (tmp_path / name).write_text(content, "utf-8")
    with pytest.raises(DataError, match=message):
        read_manifest(tmp_path)


def test_other_rates_and_channels_are_converted_and_said(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.wav", rate=8_000, n_channels=2)
    write_audio(tmp_path / "b.wav")
    (tmp_path / "wav.scp").write_text("a a.wav\nb b.wav\n", "utf-8")
    with pytest.warns(SeedcornWarning, match=r"1 of 2 recordings \(8000 Hz, 2 channels\) were converted to 16000 Hz"):
        waves = list(read_waves(read_manifest(tmp_path), samples_per_second=16_000))
    assert [len(w) for w in waves] == [8_000, 8_000]
    (tmp_path / "b.wav").write_text("no audio", "utf-8")
    with pytest.raises(DataError, match="wav or flac"):
        list(read_waves(read_manifest(tmp_path)[1:], samples_per_second=16_000))


def test_recordings_need_a_recogniser(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.wav")
    (tmp_path / "wav.scp").write_text("a a.wav\n", "utf-8")
    with pytest.raises(ConfigError, match="--checkpoint"):
        read_source(tmp_path)


def test_many_recordings_are_heard_in_parts_and_one_note_says_how_many_were_converted(
    tmp_path: Path, monkeypatch
) -> None:
    alphabet = alphabet_of([t.split() for t in TEXTS])
    untrained = CtcNetwork(SHAPE, len(alphabet))
    AcousticModel(network=untrained, alphabet=alphabet, shape=SHAPE).save(tmp_path / "model")
    for name in "abcd":
        write_audio(tmp_path / f"{name}.wav", rate=16_000 if name == "a" else 8_000)
    (tmp_path / "wav.scp").write_text("".join(f"{name} {name}.wav\n" for name in "abcd"), "utf-8")
    monkeypatch.setattr(sources, "RECORDINGS_AT_A_TIME", 2)
    with pytest.warns(SeedcornWarning, match="3 of 4 recordings") as notes:
        heard = read_source(tmp_path, acoustic_model=tmp_path / "model")
    assert len(notes) == 1
    assert heard.ids == ("a", "b", "c", "d")
    assert [len(logps) for logps in heard.logps] == [len(heard.logps[0])] * 4


def test_what_is_no_acoustic_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no weights", "utf-8")
    for path in (tmp_path, tmp_path / "text", tmp_path / "absent"):
        with pytest.raises(DataError, match="an acoustic model"):
            load_acoustic_model(path)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A tiny random CTC checkpoint with all that belongs to one."""
    transformers = pytest.importorskip("transformers")
    (tmp_path / "vocab.json").write_text(
        json.dumps({"<pad>": 0, "<s>": 1, "</s>": 2, "<unk>": 3, "|": 4, "A": 5}), "utf-8"
    )
    tokenizer = transformers.Wav2Vec2CTCTokenizer(str(tmp_path / "vocab.json"), word_delimiter_token="|")
    config = transformers.Wav2Vec2Config(
        vocab_size=6,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        conv_dim=(8, 8),
        conv_kernel=(10, 8),
        conv_stride=(5, 4),
        num_feat_extract_layers=2,
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
    )
    for part in (transformers.Wav2Vec2ForCTC(config), tokenizer, transformers.Wav2Vec2FeatureExtractor()):
        part.save_pretrained(tmp_path / "checkpoint")
    return tmp_path / "checkpoint"


def test_pretrained_checkpoint_hears_recordings(tmp_path: Path, checkpoint: Path, capfd) -> None:
    write_audio(tmp_path / "a.wav")
    write_audio(tmp_path / "short.wav", n_seconds=0.0005)
    (tmp_path / "m.jsonl").write_text('{"audio": "a.wav"}\n{"audio": "short.wav"}\n', "utf-8")
    capfd.readouterr()
    heard = read_source(tmp_path / "m.jsonl", checkpoint=str(checkpoint))
    assert capfd.readouterr() == ("", "")
    assert heard.ids == ("a", "short")
    assert [heard.alphabet.symbols[c] for c in (0, 4, 5)] == ["", " ", "a"]
    assert len(heard.logps[0]) > 300
    assert heard.seconds_per_step == pytest.approx(20 / 16_000)
    assert len(heard.logps[1]) == 0
    assert np.allclose(np.exp(heard.logps[0].astype(float)).sum(axis=1), 1, atol=0.01)


def test_checkpoints_of_spectral_features_hear_too_and_time_is_measured(tmp_path: Path, checkpoint: Path) -> None:
    transformers = pytest.importorskip("transformers")
    config = transformers.Wav2Vec2BertConfig(
        vocab_size=6,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        feature_projection_input_dim=32,
    )
    features = transformers.SeamlessM4TFeatureExtractor(feature_size=16, num_mel_bins=16)
    for part in (transformers.Wav2Vec2BertForCTC(config), features):
        part.save_pretrained(checkpoint)
    loaded = load_ctc_checkpoint(str(checkpoint))
    lengths = [len(p) for p in emit_with_checkpoint(loaded, [np.ones(n, np.float32) for n in (0, 1, 400, 8_000)])]
    assert lengths[:3] == [0, 0, 0]
    assert seconds_per_step(loaded) == pytest.approx(0.5 / lengths[3], rel=0.1)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "vocab.json").unlink(), "files of it missing"),
        (lambda folder: (folder / "preprocessor_config.json").unlink(), "feature extractor"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"\xff" * 100), "header"),
        (lambda folder: (folder / "config.json").write_text('{"model_type": "bert"}', "utf-8"), "AutoModelForCTC"),
        (lambda folder: folder.rename(folder.with_name("elsewhere")), "checkpoint: wanted a CTC checkpoint"),
    ],
    ids=["no tokenizer", "no feature extractor", "damaged weights", "another model", "no folder"],
)
def test_checkpoints_that_lack_something_are_refused(
    tmp_path: Path, checkpoint: Path, damage: Callable[[Path], object], message: str
) -> None:
    damage(checkpoint)
    with pytest.raises(DataError, match=message):
        load_ctc_checkpoint(str(checkpoint))


@pytest.mark.parametrize("n_bytes", [20, 60, 200])
def test_a_wav_file_that_is_cut_short_is_refused(tmp_path: Path, n_bytes: int) -> None:
    soundfile = pytest.importorskip("soundfile")
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros(160, np.float32), 16_000)
    path.write_bytes(path.read_bytes()[:n_bytes])
    with pytest.raises(DataError):
        list(read_waves([Recording(id="a", audio=path)], samples_per_second=16_000))


@pytest.mark.parametrize(("n_bytes", "found"), [(0, "found none"), (320, "found 320 bytes of them")])
def test_a_wav_file_whose_header_tells_of_no_samples_is_refused(tmp_path: Path, n_bytes: int, found: str) -> None:
    """Recorders that are killed leave such ones; nothing of them would be heard."""
    soundfile = pytest.importorskip("soundfile")
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros(0, np.float32), 16_000)
    path.write_bytes(path.read_bytes() + bytes(n_bytes))
    with pytest.raises(DataError, match=f"wanted samples of sound, {found}"):
        list(read_waves([Recording(id="a", audio=path)], samples_per_second=16_000))


def test_samples_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    path = tmp_path / "a.wav"
    soundfile.write(path, np.array([0.0, np.nan], np.float32), 16_000, subtype="FLOAT")
    with pytest.raises(DataError, match="samples that are no numbers"):
        list(read_waves([Recording(id="a", audio=path)], samples_per_second=16_000))


@pytest.mark.parametrize("rate", [1_000, 3_158_272])
def test_rates_that_no_recorder_has_are_refused(tmp_path: Path, rate: int) -> None:
    path = write_audio(tmp_path / "a.wav", rate=rate, n_seconds=0.1)
    with pytest.raises(DataError, match="samples a second"):
        list(read_waves([Recording(id="a", audio=path)], samples_per_second=16_000))
