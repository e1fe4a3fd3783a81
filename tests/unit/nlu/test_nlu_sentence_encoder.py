from pathlib import Path

import numpy as np
import pytest

import seedcorn.nlu.linear as linear_module
from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import DataError
from seedcorn.nlu.linear import load_linear, save_linear, train_linear
from seedcorn.nlu.sentence_encoder import MOST_REMEMBERED, RememberingEncoder, fit_view, load_sentence_encoder

MEANINGS = {"wake me at six": 0, "rouse me tomorrow": 0, "alarm please": 0, "play some jazz": 1, "put on a tune": 1}


class Meanings:
    """Knows what a text means, whatever its words; counts what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts) -> np.ndarray:
        self.asked += texts
        return np.eye(2, dtype=np.float32)[[MEANINGS[text] for text in texts]]


@pytest.fixture
def encoder() -> RememberingEncoder:
    return RememberingEncoder("meanings", Meanings())


def test_a_text_is_encoded_once(encoder: RememberingEncoder) -> None:
    texts = ["alarm please", "play some jazz", "alarm please"]
    first = encoder.encode(texts)
    np.testing.assert_array_equal(first, [[1, 0], [0, 1], [1, 0]])
    np.testing.assert_array_equal(encoder.encode(texts[::-1]), first[::-1])
    assert sorted(encoder.encoder.asked) == ["alarm please", "play some jazz"]


def test_it_forgets_rather_than_grow_without_end(encoder: RememberingEncoder) -> None:
    encoder.remembered.update({str(n): np.zeros(2, np.float32) for n in range(MOST_REMEMBERED)})
    np.testing.assert_array_equal(encoder.encode(["alarm please"]), [[1, 0]])
    assert list(encoder.remembered) == ["alarm please"]


def test_the_model_answers_by_meaning_where_no_word_is_shared(encoder: RememberingEncoder) -> None:
    rows = [Utterance(text="wake me at six", intent="alarm"), Utterance(text="play some jazz", intent="music")] * 2
    model = train_linear(rows, encoder=encoder)
    assert [p.intent for p in model.predict(["rouse me tomorrow", "put on a tune"])] == ["alarm", "music"]
    assert model.predict([]) == []


def test_a_saved_model_finds_its_encoder_by_name(
    encoder: RememberingEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [Utterance(text="wake me at six", intent="alarm"), Utterance(text="play some jazz", intent="music")]
    model = train_linear(rows, encoder=encoder)
    save_linear(model, tmp_path / "model.npz")
    asked: list[str] = []
    monkeypatch.setattr(linear_module, "load_sentence_encoder", lambda name: (asked.append(name), encoder)[1])
    texts = list(MEANINGS)
    assert load_linear(tmp_path / "model.npz").predict(texts) == model.predict(texts)
    assert asked == ["meanings"]


def test_an_encoder_that_is_not_there_is_named(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    with pytest.raises(DataError, match="no-such-encoder"):
        load_sentence_encoder(str(tmp_path / "no-such-encoder"))


def test_a_view_keeps_what_differs_most(encoder: RememberingEncoder) -> None:
    view = fit_view(encoder, list(MEANINGS), n_directions=1)
    vectors = view.vectors(list(MEANINGS))
    assert vectors.shape == (5, 1)
    same = [a for (a, n) in zip(vectors[:, 0], MEANINGS.values(), strict=True) if n == 0]
    other = [a for (a, n) in zip(vectors[:, 0], MEANINGS.values(), strict=True) if n == 1]
    assert np.ptp(same) == pytest.approx(0.0)
    assert abs(same[0] - other[0]) == pytest.approx(2**0.5)
    assert vectors.mean() == pytest.approx(0.0, abs=1e-6)
