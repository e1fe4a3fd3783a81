"""The recogniser of the language pipeline, and what is reported of it."""

from pathlib import Path

import numpy as np
import pytest

from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import DataError
from seedcorn.evaluation.wer import character_errors, word_errors
from seedcorn.language.data import LanguageData
from seedcorn.language.measures import changed, marked, rates, reduction_row
from seedcorn.language.posteriors import ReadSpeech, SpeechPosteriors, SynthesiseSpeech, posteriors_of
from seedcorn.language.recogniser import Recogniser, lexicon_of, recognise
from seedcorn.lm.domain_model import estimate_texts, own_words
from seedcorn.runs import Context, content_of
from seedcorn.speech.alphabet import Alphabet
from seedcorn.speech.posteriors import Posteriors
from seedcorn.speech.settings import DecoderSettings


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
    turned = posteriors_of(heard, [Utterance(text="bb", id="1"), Utterance(text="a", id="0")])
    assert turned.ids == ("1", "0")


def test_an_utterance_without_speech_is_named() -> None:
    with pytest.raises(DataError, match="'7'"):
        posteriors_of(spelt(["a"]), [Utterance(text="x", id="7")])


def test_latin_words_are_also_spelt_as_they_sound() -> None:
    alphabet = Alphabet(("", " ", *"नमोहाजय"))
    lexicon = lexicon_of(["mohan", "नमो"], alphabet)
    assert "नमो" in lexicon.words
    assert "mohan" in lexicon.words


def test_words_that_cannot_be_spelt_are_left_out() -> None:
    assert lexicon_of(["abc", "xyz"], Alphabet(("", " ", *"abc"))).left_out == ("xyz",)


def test_clear_speech_is_understood() -> None:
    model = estimate_texts(["abc de", "fad", "de abc"], order=2)
    speech = spelt(["abc de", "fad"])
    lexicon = lexicon_of(own_words(model), speech.alphabet)
    found = recognise(speech, model, lexicon, settings=DecoderSettings(beam_size=8), n_threads=1)
    assert found == ["abc de", "fad"]


def test_one_way_to_hear_is_given() -> None:
    with pytest.raises(ValueError, match="either"):
        Recogniser()
    assert Recogniser(test_bed=SynthesiseSpeech()).files is None


def speech_folder(folder: Path) -> dict[str, str]:
    """Write posteriors for dev, a manifest with one recording for test, and name both."""
    spelt(["a"]).save(folder / "dev.npz")
    (folder / "a.wav").write_bytes(b"sound")
    (folder / "test.jsonl").write_text('{"audio": "a.wav"}\n', "utf-8")
    return {"dev": "dev.npz", "test": "test.jsonl", "checkpoint": "somewhere"}


def read_from(folder: Path, **changes: str) -> ReadSpeech:
    return ReadSpeech.model_validate(speech_folder(folder) | changes, context={"relative_to": folder})


def test_other_audio_or_symbols_are_other_speech(tmp_path: Path) -> None:
    before = content_of(read_from(tmp_path))
    assert content_of(read_from(tmp_path)) == before
    (tmp_path / "symbols.txt").write_text("<blank>\n", "utf-8")
    assert content_of(read_from(tmp_path, symbols="symbols.txt")) != before
    found = read_from(tmp_path)
    (tmp_path / "a.wav").write_bytes(b"another sound")
    assert content_of(found) != before


def test_missing_speech_is_told_when_the_configuration_is_read(tmp_path: Path) -> None:
    given = speech_folder(tmp_path)
    (tmp_path / "a.wav").unlink()
    with pytest.raises(DataError, match="1 missing"):
        ReadSpeech.model_validate(given, context={"relative_to": tmp_path})
    (tmp_path / "test.jsonl").unlink()
    with pytest.raises(ValueError, match=r"test\.jsonl"):
        ReadSpeech.model_validate(given, context={"relative_to": tmp_path})


def test_posteriors_are_read_in_the_order_of_dev_and_test(tmp_path: Path) -> None:
    spelt(["a", "bb", "c"]).save(tmp_path / "all.npz")
    stage = ReadSpeech.model_validate({"dev": "all.npz", "test": "all.npz"}, context={"relative_to": tmp_path})
    data = LanguageData(
        source_lang="en",
        target_lang="xx",
        transcripts=[],
        source=[],
        dev=[Utterance(text="bb", id="1")],
        test=[Utterance(text="c", id="2"), Utterance(text="a", id="0")],
        dev_source=[],
        oracle_target=[],
    )
    heard = stage(data, context=Context())
    (tmp_path / "saved").mkdir()
    heard.save(tmp_path / "saved")
    again = SpeechPosteriors.load(tmp_path / "saved")
    assert (again.dev.ids, again.test.ids) == (("1",), ("2", "0"))
    assert heard.counts == {"n_dev": 1, "n_test": 2}


TEST = [Utterance(text="play the song", intent="play"), Utterance(text="stop", intent="stop")]
SAID = [u.text for u in TEST]


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
    before, after = (word_errors(SAID, found) for found in (["play song", "top"], ["play the song", "top"]))
    assert rates(before, character_errors(SAID, SAID)).items() >= {"wer": 0.5, "cer": 0.0, "deletions": 1}.items()
    found = reduction_row(before.statistics(), after.statistics(), rng=np.random.default_rng(0))
    assert found["reduction"] == 0.5
