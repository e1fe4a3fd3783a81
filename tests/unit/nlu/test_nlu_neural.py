from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seedcorn.corpus.builtin import builtin_requests
from seedcorn.corpus.utterances import Slot, Utterance
from seedcorn.errors import ConfigError, DataError
from seedcorn.nlu.bio_decoding import best_bio_labels, bio_labels

torch = pytest.importorskip("torch")

from seedcorn.evaluation.nlu import outcomes  # noqa: E402
from seedcorn.nlu.neural import NeuralNlu, NeuralSettings  # noqa: E402
from seedcorn.nlu.neural_file import load_neural, save_neural  # noqa: E402
from seedcorn.nlu.neural_training import train_neural  # noqa: E402

TINY = NeuralSettings(n_dimensions=32, n_layers=1, n_heads=2, dropout=0.1, learning_rate=5e-3, most_epochs=12)
INTENTS = ("alarm_set", "train_book", "thermostat_set", "music_play", "list_remove", "news_query", "email_send")
TEXTS = ["play some jazz", "", "!!!", "wake me up at 6 p. m."]


@pytest.fixture(scope="module")
def requests() -> list[Utterance]:
    rows = builtin_requests(1600, lang="en", random_seed=1).utterances()
    return [u for u in rows if u.intent in INTENTS]


@pytest.fixture(scope="module")
def model(requests: list[Utterance]) -> NeuralNlu:
    return train_neural(requests[:250], settings=TINY)


def test_learns_the_built_in_requests(model: NeuralNlu, requests: list[Utterance]) -> None:
    result = outcomes(requests[250:], model.predict([u.text for u in requests[250:]]))
    assert result.intent_accuracy > 0.7
    assert result.slot_f1 > 0.4


def test_probabilities_are_distributions(model: NeuralNlu) -> None:
    np.testing.assert_allclose(model.intent_probabilities(TEXTS).sum(axis=1), 1.0)
    assert model.intent_probabilities([]).shape == (0, len(model.intents))
    for prediction in model.predict(TEXTS):
        assert len(prediction.slots) == len(prediction.slot_probabilities)
        assert all(0 <= p <= 1 for p in prediction.slot_probabilities)


def test_a_text_without_tokens_has_no_slots(model: NeuralNlu) -> None:
    assert model.predict([""])[0].slots == ()


def test_a_text_is_predicted_alike_alone_and_in_a_batch(model: NeuralNlu, requests: list[Utterance]) -> None:
    texts = [u.text for u in requests[:20]]
    together = [(p.intent, p.slots) for p in model.predict(texts)]
    assert [(p.intent, p.slots) for text in texts for p in model.predict([text])] == together


def test_saved_model_predicts_the_same(model: NeuralNlu, tmp_path: Path) -> None:
    save_neural(model, tmp_path / "model.safetensors")
    assert load_neural(tmp_path / "model.safetensors").predict(TEXTS) == model.predict(TEXTS)


def test_loading_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_text("no model", "utf-8")
    with pytest.raises(DataError, match="a neural NLU model"):
        load_neural(tmp_path / "model.safetensors")


def test_one_random_seed_gives_one_model(requests: list[Utterance]) -> None:
    settings = NeuralSettings(n_dimensions=16, n_layers=1, n_heads=2, most_epochs=1)
    first, second, other = (
        train_neural(requests[:40], settings=settings, random_seed=seed).intent_probabilities(TEXTS)
        for seed in (4, 4, 5)
    )
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


def test_a_single_example() -> None:
    row = Utterance(text="play jazz", intent="music", slots=(Slot(5, 9, "genre"),))
    (prediction,) = train_neural([row], settings=TINY).predict(["play jazz"])
    assert (prediction.intent, prediction.intent_probability) == ("music", 1.0)


def test_text_without_intent_lowers_the_excluded_intent() -> None:
    rows = [Utterance(text="play jazz", intent="music"), Utterance(text="stop it", intent="stop")]
    near = [Utterance(text="play chess")] * 4
    settings = NeuralSettings(n_dimensions=16, n_layers=1, n_heads=2, most_epochs=15, learning_rate=5e-3)
    plain = train_neural(rows, settings=settings)
    taught = train_neural([*rows, *near], excluded_intents=["music"], settings=settings)
    music = plain.intents.index("music")
    before, after = (m.intent_probabilities(["play chess"])[0, music] for m in (plain, taught))
    assert after < 0.5 < before


def test_without_excluded_intents_text_without_intent_is_refused() -> None:
    with pytest.raises(DataError, match="an intent for every"):
        train_neural([Utterance(text="a", intent="b"), Utterance(text="c")], settings=TINY)


def test_an_unknown_checkpoint_is_refused(requests: list[Utterance], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="checkpoint"):
        train_neural(requests[:30], settings=replace(TINY, checkpoint=str(tmp_path / "none")))


def test_a_pretrained_checkpoint_is_tuned_saved_and_loaded(encoder_checkpoint: Path, tmp_path: Path) -> None:
    rows = [Utterance(text=f"play {g}", intent="music", slots=(Slot(5, 5 + len(g), "genre"),)) for g in ("jazz", "rap")]
    rows += [Utterance(text="stop it", intent="stop"), Utterance(text="stop", intent="stop")]
    settings = NeuralSettings(checkpoint=str(encoder_checkpoint), learning_rate=1e-2, most_epochs=25, dropout=0.0)
    model = train_neural(rows, settings=settings)
    predictions = model.predict([u.text for u in rows] + [""])
    assert [(p.intent, p.slots) for p in predictions[:4]] == [(u.intent, u.slots) for u in rows]
    save_neural(model, tmp_path / "model.safetensors")
    assert load_neural(tmp_path / "model.safetensors").predict([*TEXTS, "play rap"]) == model.predict(
        [*TEXTS, "play rap"]
    )


def test_decoding_forbids_ill_formed_labels() -> None:
    labels = bio_labels(["b", "a"])
    assert labels == ("O", "B-a", "I-a", "B-b", "I-b")
    logps = np.full((3, 5), -9.0)
    logps[0, 0] = logps[1, 2] = logps[2, 4] = 0.0  # the best label of each token alone: O, I-a, I-b
    logps[0, 1] = -1.0
    logps[1, 1] = -2.0
    logps[2, 2] = -2.0
    assert best_bio_labels(logps, labels) == ["B-a", "I-a", "I-a"]
    assert best_bio_labels(np.zeros((0, 5)), labels) == []
