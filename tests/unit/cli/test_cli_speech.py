"""seedcorn speech train, decode, wer and export, file to file."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seedcorn.cli import run
from seedcorn.speech.alphabet import Alphabet
from seedcorn.speech.posteriors import Posteriors

SPACED = Alphabet(("", " ", *"adeglnopsuy"))
KANA = Alphabet(("", *"あさひる"))
REFERENCES = {"u1": "play a song", "u2": "go on", "u3": ""}
HEARD = {"u1": "play a song ", "u2": "go on ", "u3": "__"}


def peaked(path: str, alphabet: Alphabet, n_repeats: int = 1) -> np.ndarray:
    """Return posteriors that say ``path``, each symbol ``n_repeats`` steps long; _ is the blank."""
    logps = np.full((len(path), len(alphabet)), np.log(0.02))
    for step, symbol in enumerate(path):
        logps[step, alphabet.index_of["" if symbol == "_" else symbol]] = np.log(0.7)
    return np.repeat(logps, n_repeats, axis=0)


def write_arpa(path: Path, logps: dict[str, float]) -> Path:
    """Write a unigram model; values are log10."""
    rows = {"<unk>": -3.0, "<s>": -99.0, "</s>": -1.0} | logps
    lines = [f"\\data\\\nngram 1={len(rows)}\n\n\\1-grams:", *(f"{logp}\t{word}" for word, logp in rows.items())]
    path.write_text("\n".join(lines) + "\n\n\\end\\\n", encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    heard = {i: peaked(path, SPACED) for i, path in HEARD.items()}
    Posteriors(
        ids=tuple(heard),
        logps=tuple(logps.astype(np.float16) for logps in heard.values()),
        alphabet=SPACED,
        seconds_per_step=0.03,
    ).save(tmp_path / "heard.npz")
    np.savez(tmp_path / "arrays.npz", **heard)
    (tmp_path / "symbols.txt").write_text("<blank>\n|\n" + "\n".join(SPACED.symbols[2:]) + "\n", "utf-8")
    write_arpa(tmp_path / "lm.arpa", {"play": -1.0, "a": -0.7, "song": -1.2, "go": -1.0, "on": -0.9, "old": -1.5})
    (tmp_path / "text").write_text("".join(f"{i} {text}\n" for i, text in REFERENCES.items()), "utf-8")
    return tmp_path


def result_of(capsys, *arguments: object) -> dict:
    assert run(["speech", *map(str, arguments), "--json"]) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def message_of(capsys, *arguments: object) -> str:
    assert run(["speech", *map(str, arguments)]) == 2
    return capsys.readouterr().err


def rows_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_what_was_said_is_decoded_into_three_formats_that_measure_the_same(folder: Path, capsys) -> None:
    for name in ("out.jsonl", "out.trn", "out"):
        arguments = ("decode", folder / "heard.npz", "-o", folder / name, "--lm", folder / "lm.arpa", "-q")
        assert result_of(capsys, *arguments)["n_utterances"] == 3
        assert result_of(capsys, "wer", folder / "text", folder / name)["word_error_rate"] == 0.0
    assert (folder / "out.trn").read_text("utf-8") == "play a song (u1)\ngo on (u2)\n (u3)\n"
    assert (folder / "out").read_text("utf-8") == "u1 play a song\nu2 go on\nu3\n"


def test_json_lines_hold_the_n_best_with_scores_and_times(folder: Path, capsys) -> None:
    arguments = ("decode", folder / "heard.npz", "-o", folder / "out.jsonl", "--lm", folder / "lm.arpa", "-q")
    result_of(capsys, *arguments, "--n-best", "3", "--lm-weight", "0.5", "--word-bonus", "0.25")
    first, *_ = rows_of(folder / "out.jsonl")
    assert (first["id"], first["text"], len(first["hypotheses"])) == ("u1", "play a song", 3)
    scores = [h["score"] for h in first["hypotheses"]]
    assert scores == sorted(scores, reverse=True)
    best = first["hypotheses"][0]
    assert best["score"] == pytest.approx(best["acoustic_logp"] + 0.5 * best["lm_logp"] + 0.25 * 3, abs=1e-3)
    assert [word["word"] for word in best["words"]] == ["play", "a", "song"]
    assert (best["words"][1]["start_seconds"], best["words"][1]["end_seconds"]) == (0.15, 0.18)


def test_arrays_from_elsewhere_need_symbols_and_can_have_another_rate(folder: Path, capsys) -> None:
    arguments = ["decode", folder / "arrays.npz", "-o", folder / "out.jsonl", "--lm", folder / "lm.arpa", "-q"]
    assert "--symbols" in message_of(capsys, *arguments)
    ends = []
    for more in ((), ("--seconds-per-step", "0.04")):
        result_of(capsys, *arguments, "--symbols", folder / "symbols.txt", *more)
        ends.append(rows_of(folder / "out.jsonl")[0]["hypotheses"][0]["words"][-1]["end_seconds"])
    assert ends == [pytest.approx(11 * 0.02), pytest.approx(11 * 0.04)]


def test_several_models_are_mixed_without_merging(folder: Path, capsys) -> None:
    other = write_arpa(folder / "other.arpa", {"lay": -0.5, "song": -0.5})
    both = ("decode", folder / "heard.npz", "-o", folder / "out.jsonl", "--lm", folder / "lm.arpa", "--lm", other, "-q")
    assert result_of(capsys, *both)["n_lexicon_words"] == 7
    equal = rows_of(folder / "out.jsonl")[0]["hypotheses"][0]["lm_logp"]
    result_of(capsys, *both, "--mixture-weight", "0.9", "--mixture-weight", "0.1")
    uneven = rows_of(folder / "out.jsonl")[0]["hypotheses"][0]["lm_logp"]
    words = [(0.1, 1e-3), (10**-0.7, 1e-3), (10**-1.2, 10**-0.5), (0.1, 0.1)]  # play a song </s>, in both models
    assert equal == pytest.approx(sum(np.log(0.5 * a + 0.5 * b) for a, b in words), abs=1e-3)
    assert uneven == pytest.approx(sum(np.log(0.9 * a + 0.1 * b) for a, b in words), abs=1e-3)


@pytest.mark.parametrize(("weights", "message"), [((1.0,), "1 for 2"), ((0.7, 0.7), "sum to 1")])
def test_wrong_mixture_weights_are_told_before_anything_is_heard(folder: Path, capsys, weights, message) -> None:
    lm = folder / "lm.arpa"
    chosen = [part for weight in weights for part in ("--mixture-weight", weight)]
    (folder / "heard.npz").write_text("no posteriors", "utf-8")
    error = message_of(capsys, "decode", folder / "heard.npz", "-o", folder / "o", "--lm", lm, "--lm", lm, *chosen)
    assert message in error


def test_words_that_cannot_be_spelt_are_left_out_refused_or_spoken_otherwise(folder: Path, capsys) -> None:
    write_arpa(folder / "lm.arpa", {"play": -1.0, "a": -0.7, "song": -1.2, "go": -1.0, "ऑन": -0.9})
    arguments = ["decode", folder / "heard.npz", "-o", folder / "out", "--lm", folder / "lm.arpa", "-q"]
    assert run(["speech", *map(str, arguments)]) == 0
    assert "1 words that the alphabet cannot spell are left out of the lexicon (ऑन)" in capsys.readouterr().err
    refused = message_of(capsys, *arguments, "--unspellable", "refuse")
    assert "--spoken-as" in refused
    assert "missing characters: ऑ न" in refused
    (folder / "spoken.tsv").write_text("ऑन\ton\n", encoding="utf-8")
    assert result_of(capsys, *arguments, "--spoken-as", folder / "spoken.tsv")["n_lexicon_words"] == 5
    assert "u2 go ऑन\n" in (folder / "out").read_text("utf-8")
    (folder / "spoken.tsv").write_text("on\n", "utf-8")
    assert "spoken.tsv:1: wanted a word, a tab" in message_of(capsys, *arguments, "--spoken-as", folder / "spoken.tsv")


def test_words_outside_the_model_get_what_the_setting_says(folder: Path, capsys) -> None:
    write_arpa(folder / "lm.arpa", {"play": -1.0, "a": -0.7, "go": -1.0, "on": -1.0})
    (folder / "words.txt").write_text("play a song go on old\n", "utf-8")
    logps = {}
    for setting in ("unknown", "floor", "characters"):
        arguments = ("decode", folder / "heard.npz", "-o", folder / "out.jsonl", "--lm", folder / "lm.arpa", "-q")
        result_of(capsys, *arguments, "--words", folder / "words.txt", "--oov", setting, "--lm-weight", "0.1")
        row = rows_of(folder / "out.jsonl")[0]
        assert row["text"] == "play a song"
        logps[setting] = row["hypotheses"][0]["lm_logp"]
    assert logps["floor"] == pytest.approx(logps["unknown"] + np.log(0.5), abs=1e-3)  # song and old share <unk>
    assert logps["characters"] < logps["unknown"]


def test_tuning_needs_a_transcript_for_each_utterance(folder: Path, capsys) -> None:
    arguments = ["decode", folder / "heard.npz", "-o", folder / "out", "--lm", folder / "lm.arpa", "-q"]
    wrong = ("--lm-weight", "1", "--word-bonus", "-5")
    rates = []
    for more in ((), ("--tune", folder / "text")):
        result_of(capsys, *arguments, *wrong, *more)
        rates.append(result_of(capsys, "wer", folder / "text", folder / "out")["word_error_rate"])
    assert rates[1] < rates[0]
    (folder / "text").write_text("u1 play a song\n", "utf-8")
    assert "2 without a reference (u2, u3)" in message_of(capsys, *arguments, "--tune", folder / "text")


def test_a_language_without_spaces_is_decoded_without_a_lexicon(folder: Path, capsys) -> None:
    np.savez(folder / "kana.npz", u1=peaked("あさ_さひる", KANA))
    (folder / "kana.symbols").write_text("<blank>\n" + "\n".join(KANA.symbols[1:]) + "\n", encoding="utf-8")
    (folder / "kana.txt").write_text("あさひる\nひるあさ\nさあひ\nるる\n", encoding="utf-8")
    assert run(["lm", "estimate", *f"{folder}/kana.txt -o {folder}/kana.lm --tokens words --order 2 -q".split()]) == 0
    capsys.readouterr()
    arguments = ("decode", folder / "kana.npz", "-o", folder / "out.jsonl", "--symbols", folder / "kana.symbols")
    assert result_of(capsys, *arguments, "--lm", folder / "kana.lm", "-q")["n_lexicon_words"] == 4
    assert rows_of(folder / "out.jsonl")[0]["text"] == "あささひる"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("source", "", "a folder without any of them"),
        ("source.npz", "no arrays", "found another kind of file"),
        ("source.jsonl", '{"audio": "nowhere.wav"}\n', "1 missing, as"),
        ("source.jsonl", '{"text": "a"}\n', 'source.jsonl:1: wanted an object with "audio"'),
    ],
)
def test_what_cannot_be_decoded_gives_one_message_and_no_file(
    folder: Path, capsys, name: str, content: str, message: str
) -> None:
    if content:
        (folder / name).write_text(content, "utf-8")
    else:
        (folder / name).mkdir()
    arguments = ["decode", folder / name, "-o", folder / "out", "--lm", folder / "lm.arpa", "--checkpoint", "none"]
    assert message in message_of(capsys, *arguments)
    assert not (folder / "out").exists()


def test_error_rates_have_signature_comparison_and_alignments(folder: Path, capsys) -> None:
    (folder / "before.trn").write_text("play song (u1)\ngone (u2)\nuh (u3)\n", "utf-8")
    (folder / "after.jsonl").write_text(
        "".join(
            json.dumps({"id": i, "text": t}) + "\n" for i, t in {"u1": "play a son", "u2": "go on", "u3": ""}.items()
        ),
        "utf-8",
    )
    files = ("wer", folder / "text", folder / "after.jsonl", "--baseline", folder / "before.trn")
    found = result_of(capsys, *files)
    assert (found["word_error_rate"], found["baseline_word_error_rate"]) == (1 / 5, 4 / 5)
    assert found["relative_reduction"] == pytest.approx(0.75)
    assert found["reduction_low"] <= found["relative_reduction"] <= found["reduction_high"]
    assert "normaliser:words" in found["signature"]
    assert found == result_of(capsys, *files)
    plain = result_of(capsys, "wer", folder / "text", folder / "after.jsonl", "--normaliser", "white-space")
    assert "normaliser:white-space" in plain["signature"]
    assert run(["speech", "wer", str(folder / "text"), str(folder / "before.trn"), "--alignments", "1"]) == 0
    assert "\nu1\nREF: play a song\nHYP: play * song\n          D\n" in capsys.readouterr().out


def test_slices_follow_the_corpus_and_the_transcripts(folder: Path, capsys) -> None:
    rows = [
        {"id": "u1", "text": "Play a song!", "intent": "music", "slots": [{"start": 7, "end": 11, "type": "what"}]},
        {"id": "u2", "text": "go on", "intent": "next"},
        {"id": "u3", "text": ""},
    ]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows[:2]), "utf-8")
    (folder / "text").write_text("u1 play a song\nu2 go on\n", "utf-8")
    (folder / "said").write_text("u1 play a dong\nu2 go on\n", "utf-8")
    (folder / "seen.jsonl").write_text('{"text": "a", "intent": "music"}\n', "utf-8")
    files = ["wer", folder / "text", folder / "said"]
    found = result_of(capsys, *files, "--corpus", folder / "corpus.jsonl", "--transcripts", folder / "seen.jsonl")
    of = {name.removeprefix("word_error_rate_of_"): rate for name, rate in found.items() if "_of_" in name}
    assert of == {
        "entity_words": 1.0,
        "other_words": 0.0,
        "frequent_intents": 1 / 3,
        "rare_intents": 0.0,
        "intent_music": 1 / 3,
        "intent_next": 0.0,
    }
    assert "--corpus" in message_of(capsys, *files, "--transcripts", folder / "seen.jsonl")
    (folder / "seen.jsonl").write_text('{"text": "a"}\n', "utf-8")
    options = ["--corpus", folder / "corpus.jsonl", "--transcripts", folder / "seen.jsonl"]
    assert "transcripts with intents" in message_of(capsys, *files, *options)
    (folder / "text").write_text("u1 play a song\nu2 go off\n", "utf-8")
    assert "others in 1 utterances, as 'u2': 'go on'" in message_of(capsys, *files, *options[:2])
    (folder / "corpus.jsonl").write_text(json.dumps(rows[0]) + "\n", "utf-8")
    assert "utterance 'u2' in the corpus" in message_of(capsys, *files, *options[:2])


def test_references_without_words_and_unpaired_ids_are_told(folder: Path, capsys) -> None:
    (folder / "silent").write_text("u1\nu2\nu3\n", "utf-8")
    assert "at least one reference word" in message_of(capsys, "wer", folder / "silent", folder / "text")
    (folder / "fewer").write_text("u1 a\n", "utf-8")
    assert "2 without a hypothesis" in message_of(capsys, "wer", folder / "text", folder / "fewer")


def test_a_manifest_of_recordings_is_a_reference_too(folder: Path, capsys) -> None:
    (folder / "manifest.jsonl").write_text('{"audio_filepath": "wavs/u2.wav", "text": "go on"}\n', "utf-8")
    (folder / "said").write_text("u2 go on\n", "utf-8")
    assert result_of(capsys, "wer", folder / "manifest.jsonl", folder / "said")["hits"] == 2


def test_export_writes_what_other_recognisers_read(folder: Path, capsys) -> None:
    arguments = ["export", folder / "lm.arpa", "-o", folder / "out"]
    assert "either --acoustic-model or --symbols" in message_of(capsys, *arguments)
    exported = result_of(capsys, *arguments, "--symbols", folder / "symbols.txt")
    assert exported["n_words"] == 6
    names = {"L.fst.txt", "L.input.syms", "L.output.syms", "lexicon.txt", "symbols.txt", "words.txt"}
    assert {path.name for path in (folder / "out").iterdir()} == names
    assert (folder / "out" / "symbols.txt").read_text("utf-8") == (folder / "symbols.txt").read_text("utf-8")
    assert "song\ts o n g |" in (folder / "out" / "lexicon.txt").read_text("utf-8").splitlines()
    (folder / "words").write_text("go ऑन\n", encoding="utf-8")
    refused = message_of(
        capsys,
        "export",
        folder / "words",
        "-o",
        folder / "no",
        "--symbols",
        folder / "symbols.txt",
        "--unspellable",
        "refuse",
    )
    assert "ऑन" in refused
    assert not (folder / "no").exists()


def test_export_does_not_write_over_what_it_reads(folder: Path, capsys) -> None:
    own = folder / "symbols.txt"
    before = own.read_bytes()
    refused = message_of(capsys, "export", folder / "lm.arpa", "-o", folder, "--symbols", own)
    assert "another file to write" in refused
    assert own.read_bytes() == before
    assert not (folder / "lexicon.txt").exists()


def test_a_test_bed_is_trained_and_hears_recordings_of_other_rates(folder: Path, capsys, monkeypatch) -> None:
    soundfile = pytest.importorskip("soundfile")
    pytest.importorskip("espeakng_loader")
    pytest.importorskip("torch")
    from seedcorn.speech import test_bed
    from seedcorn.speech.acoustic import NetworkShape, load_acoustic_model

    shape = NetworkShape(n_channels=8, n_blocks=1, n_hidden=4, n_lstm_layers=1)
    training = replace(test_bed.TINY_TEST_BED.training, n_epochs=1)
    smallest = test_bed.TestBedSettings(n_sentences=6, shape=shape, training=training)
    monkeypatch.setattr(test_bed, "TINY_TEST_BED", smallest)
    words = ["play", "a", "song", "go", "on", "now", "and", "again"]
    (folder / "texts.txt").write_text("".join(f"{a} {b}\n" for a in words for b in words), "utf-8")
    train = ["train", folder / "texts.txt", "-o", folder / "model", "--size", "tiny", "-q"]
    trained = result_of(capsys, *train, "--lang", "en-us", "--checkpoints", folder / "checkpoints")
    assert trained["symbols"] == len(load_acoustic_model(folder / "model").alphabet)
    assert "languages are named" in message_of(capsys, *train, "--lang", "xx-nowhere").lower()

    noise = np.random.default_rng(0).normal(scale=0.1, size=(8_000, 2))
    soundfile.write(folder / "u1.flac", noise, 8_000)
    soundfile.write(folder / "u2.wav", np.zeros(4_000), 16_000)
    soundfile.write(folder / "u3.wav", np.zeros(400), 16_000)
    (folder / "wav.scp").write_text("u1 u1.flac\nu2 u2.wav\nu3 u3.wav\n", "utf-8")
    arguments = ["decode", folder, "-o", folder / "out", "--lm", folder / "lm.arpa", "-q"]
    assert "--checkpoint NAME" in message_of(capsys, *arguments)
    assert run(["speech", *map(str, arguments), "--acoustic-model", str(folder / "model")]) == 0
    notes = capsys.readouterr().err
    assert "1 of 3 recordings (8000 Hz, 2 channels) were converted to 16000 Hz mono" in notes
    assert [line.split(" ")[0] for line in (folder / "out").read_text("utf-8").splitlines()] == ["u1", "u2", "u3"]
