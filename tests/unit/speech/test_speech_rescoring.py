"""N-best lists of other recognisers: read, rescored, tuned by word errors."""

from pathlib import Path

import numpy as np
import pytest

from seedcorn.errors import ConfigError, DataError
from seedcorn.speech.nbest_files import RECOGNISER, RecognisedText, read_nbest
from seedcorn.speech.rescoring import (
    SpeechWeights,
    check_model_names,
    rescore,
    tune_speech_weights,
    with_models,
)


class Likes:
    """A language model for the tests: each word it knows costs 1, each other 5."""

    def __init__(self, *known: str) -> None:
        self.known = known

    def sentence_logps(self, texts):
        return np.array([-float(sum(1 if w in self.known else 5 for w in text.split())) for text in texts])


def hypotheses(*texts: str) -> list[RecognisedText]:
    return [RecognisedText(text=t, features={RECOGNISER: -float(rank)}) for rank, t in enumerate(texts)]


LISTS = [
    hypotheses("turn on the late", "turn on the light"),
    hypotheses("play musik", "play music", "lay music"),
    hypotheses("good morning", "good mourning"),
]
REFERENCES = ["turn on the light", "play music", "good morning"]
LM = Likes("turn", "on", "the", "light", "play", "music", "good", "morning")


def test_tuning_finds_weights_that_mend_the_lists() -> None:
    tuned = tune_speech_weights(with_models(LISTS, {"lm": LM}), REFERENCES, models=["lm"])
    assert tuned.before == pytest.approx(2 / 8)
    assert tuned.after == tuned.oracle == 0
    assert tuned.weights.of["lm"] > 0
    assert [h.text for h in rescore(with_models(LISTS, {"lm": LM}), tuned.weights)] == REFERENCES


def test_a_model_that_does_not_help_gets_no_weight() -> None:
    tuned = tune_speech_weights(with_models([LISTS[2]], {"lm": LM}), [REFERENCES[2]], models=["lm"])
    assert tuned.weights == SpeechWeights(of={RECOGNISER: 1.0, "lm": 0.0})
    assert tuned.before == tuned.after == 0


def test_words_are_counted_and_ties_keep_the_order() -> None:
    lists = [[RecognisedText(text="a b"), RecognisedText(text="a b c"), RecognisedText(text="c b a")]]
    assert rescore(lists, SpeechWeights(word_bonus=1.0))[0].text == "a b c"
    assert rescore(lists, SpeechWeights())[0].text == "a b"


def test_missing_features_and_unequal_lists_are_refused() -> None:
    with pytest.raises(DataError, match=r"'lm'.*features recogniser"):
        rescore(LISTS, SpeechWeights(of={"lm": 1.0}))
    with pytest.raises(DataError, match="2 for 3"):
        tune_speech_weights(LISTS, REFERENCES[:2], models=[])
    with pytest.raises(ConfigError, match="distinct"):
        check_model_names(["a", "a"])


def test_json_lines_are_read(tmp_path: Path) -> None:
    path = tmp_path / "whisper.jsonl"
    path.write_text('{"id": "u1", "hypotheses": [{"text": "Hi.", "score": -0.5, "am": -3}, {"text": ""}]}\n\n', "utf-8")
    (found,) = read_nbest(path).values()
    assert found[0] == RecognisedText(text="Hi.", features={RECOGNISER: -0.5, "am": -3.0})
    assert found[1].features == {}


def test_kaldi_text_is_read_in_the_order_of_ranks_and_costs_are_turned(tmp_path: Path) -> None:
    text, costs = tmp_path / "nbest.txt", tmp_path / "scores.txt"
    text.write_text("u-1-2 b\nu-1-1 a\nv-1\n", "utf-8")
    costs.write_text("u-1-1 10.5\nu-1-2 11\nv-1 3\n", "utf-8")
    found = read_nbest(text, scores=costs)
    assert [(h.text, h.features[RECOGNISER]) for h in found["u-1"]] == [("a", -10.5), ("b", -11.0)]
    assert found["v"][0].text == ""


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", "[]\n", r"a\.jsonl:1.*hypotheses"),
        ("a.jsonl", '{"id": 1, "hypotheses": []}\n', "at least one hypothesis"),
        ("a.jsonl", '{"id": 1, "hypotheses": [{"text": "a", "score": "x"}]}\n', "finite number as 'score'"),
        ("a.jsonl", '{"id": 1, "hypotheses": [{"text": "a", "score": NaN}]}\n', "NaN, which is not JSON"),
        ("a.jsonl", '{"id": 1, "hypotheses": [{"score": 1}]}\n', '"text"'),
        ("a.jsonl", '{"id": 1, "hypotheses": [{"text": "a"}]}\n' * 2, r"a\.jsonl:2.*again"),
        ("a.txt", "noid words\n", r"a\.txt:1.*id-1"),
        ("a.txt", "\n", "n-best lists, found none"),
    ],
)
def test_bad_lists_are_named_with_their_line(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content, "utf-8")
    with pytest.raises(DataError, match=message):
        read_nbest(tmp_path / name)


def test_a_missing_score_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("u-1 a\nu-2 b\n", "utf-8")
    (tmp_path / "s.txt").write_text("u-1 1\n", "utf-8")
    with pytest.raises(DataError, match="score of 'u-2'"):
        read_nbest(tmp_path / "a.txt", scores=tmp_path / "s.txt")
