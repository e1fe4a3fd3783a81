"""The recogniser of the language pipeline, and what is reported of it."""

from pathlib import Path

import numpy as np
import pytest

from seedcorn.config import dump_config
from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import ConfigError, DataError
from seedcorn.pipelines.language import LanguageConfig, run_language
from seedcorn.pipelines.language_measures import changed, marked, rates, reduction_row
from seedcorn.pipelines.language_recogniser import (
    RecogniserSettings,
    SpeechFiles,
    TestBedChoice,
    lexicon_of,
    recognised,
    speech_digests,
    speech_of,
)
from seedcorn.pipelines.language_systems import estimated
from seedcorn.runs import open_run
from seedcorn.speech.alphabet import Alphabet
from seedcorn.speech.decoding import DecoderSettings
from seedcorn.speech.posteriors import Posteriors


def spelt(texts, symbols=("", " ", *"abcdef")):
    """Posteriors that spell the texts, blanks between equal symbols."""
    alphabet = Alphabet(tuple(symbols))
    logps = []
    for text in texts:
        columns = [c for letter in f"{text} " for c in (alphabet.index_of[letter], alphabet.blank)]
        steps = np.full((len(columns), len(alphabet)), np.log(0.01))
        steps[np.arange(len(columns)), columns] = np.log(0.9)
        logps.append(steps.astype(np.float16))
    return Posteriors(
        ids=tuple(map(str, range(len(texts)))), logps=tuple(logps), alphabet=alphabet, seconds_per_step=0.03
    )


def test_speech_comes_in_the_order_of_the_utterances() -> None:
    heard = spelt(["a", "bb"])
    turned = speech_of(heard, [Utterance(text="bb", id="1"), Utterance(text="a", id="0")])
    assert turned.ids == ("1", "0")


def test_an_utterance_without_speech_is_named() -> None:
    with pytest.raises(DataError, match="'7'"):
        speech_of(spelt(["a"]), [Utterance(text="x", id="7")])


def test_latin_words_are_also_spelt_as_they_sound() -> None:
    alphabet = Alphabet(("", " ", *"नमोहाजय"))
    lexicon = lexicon_of(["mohan", "नमो"], alphabet)
    assert "नमो" in lexicon.words
    assert "mohan" in lexicon.words


def test_words_that_cannot_be_spelt_are_left_out() -> None:
    assert lexicon_of(["abc", "xyz"], Alphabet(("", " ", *"abc"))).left_out == ("xyz",)


def test_clear_speech_is_understood() -> None:
    model = estimated(["abc de", "fad", "de abc"], order=2, vocabulary=None)
    found = recognised(spelt(["abc de", "fad"]), model, settings=DecoderSettings(beam_size=8), n_threads=1)
    assert found == ["abc de", "fad"]


def test_one_way_to_hear_is_given() -> None:
    with pytest.raises(ValueError, match="either"):
        RecogniserSettings()
    assert RecogniserSettings(test_bed=TestBedChoice()).files is None


def speech_folder(folder: Path) -> SpeechFiles:
    """Write posteriors for dev, a manifest with one recording for test, and name both."""
    spelt(["a"]).save(folder / "dev.npz")
    (folder / "a.wav").write_bytes(b"sound")
    (folder / "test.jsonl").write_text('{"audio": "a.wav"}\n')
    return SpeechFiles(dev="dev.npz", test="test.jsonl", checkpoint="somewhere")


def test_other_audio_or_symbols_are_other_speech(tmp_path: Path) -> None:
    files = speech_folder(tmp_path)
    before = speech_digests(files, relative_to=tmp_path)
    assert speech_digests(files, relative_to=tmp_path) == before
    (tmp_path / "a.wav").write_bytes(b"another sound")
    assert speech_digests(files, relative_to=tmp_path) != before
    (tmp_path / "symbols.txt").write_text("<blank>\n")
    with_symbols = files.model_copy(update={"symbols": "symbols.txt"})
    assert "symbols" in speech_digests(with_symbols, relative_to=tmp_path)


def test_missing_speech_is_told_before_anything_is_trained(tmp_path: Path) -> None:
    files = speech_folder(tmp_path)
    builtin = {"path": "builtin:requests", "lang": "hi", "n_rows": 10}
    config = LanguageConfig.model_validate(
        {
            "name": "x",
            "data": {
                "source_lang": "en",
                "target_lang": "hi",
                "transcripts": builtin,
                "source": [builtin],
                "pairs": [{"path": "builtin:pairs"}],
                "dev": builtin,
                "test": builtin,
            },
            "recogniser": {"files": files.model_dump()},
        }
    )
    (tmp_path / "a.wav").unlink()
    for error, message in ((DataError, "1 missing"), (ConfigError, "'test.jsonl'")):
        with open_run(tmp_path / "run", random_seed=1, resolved_config=dump_config(config)) as run:
            with pytest.raises(error, match=message):
                run_language(config, run=run, relative_to=tmp_path)
            assert not (run.folder / "data").exists()
        (tmp_path / "test.jsonl").unlink(missing_ok=True)


TEST = [Utterance(text="play the song", intent="play"), Utterance(text="stop", intent="stop")]


def test_differences_are_marked_in_place() -> None:
    assert (
        marked("play the song", "play a new song") == "play [-the-] {+a+} {+new+} song"
        or marked("play the song", "play a new song") == "play {+a+} [-the-] {+new+} song"
    )
    assert marked("stop", "stop") == "stop"


def test_changed_utterances_are_mended_first() -> None:
    rows = changed(TEST, ["play song", "stop"], ["play the song", "top"])
    assert [(row["change"], row["said"]) for row in rows] == [("mended", "play the song"), ("broken", "stop")]


def test_rates_and_their_reduction() -> None:
    before, after = ["play song", "top"], ["play the song", "top"]
    assert rates(TEST, before)["wer"] == 0.5
    found = reduction_row(TEST, before, after, rng=np.random.default_rng(0))
    assert found["reduction"] == 0.5
