"""Two views of the intents: what is fine-tuned is saved with the other, and its log odds are added to those of that."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import log_softmax, logsumexp

from seedcorn.corpus.utterances import Utterance
from seedcorn.nlu.functionality import functionality_log_odds
from seedcorn.nlu.intent_views import IntentScores, OperatingPoint, nearest_and_random
from seedcorn.nlu.linear import LinearNlu, LinearSettings, train_linear
from seedcorn.nlu.linear_file import load_linear, save_linear
from seedcorn.nlu.sentence_encoder import CachedEncoder, load_sentence_encoder
from three_intents import ROWS, TEXTS

pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def encoder(encoder_checkpoint: Path) -> CachedEncoder:
    return load_sentence_encoder(str(encoder_checkpoint))


@pytest.fixture(scope="module")
def model(encoder: CachedEncoder) -> LinearNlu:
    settings = LinearSettings(slot_intents=("music",), encoder=encoder, fine_tune_intents=True)
    return train_linear(ROWS, settings=settings)


def test_a_saved_model_answers_as_before(model: LinearNlu, tmp_path: Path) -> None:
    assert model.fine_tuned is not None
    save_linear(model, tmp_path / "model.npz")
    loaded = load_linear(tmp_path / "model.npz")
    assert loaded.fine_tuned is not None
    assert loaded.predict(TEXTS) == model.predict(TEXTS)


def test_a_student_keeps_the_view_of_its_teacher(model: LinearNlu, encoder: CachedEncoder) -> None:
    settings = LinearSettings(slot_intents=("music",), encoder=encoder, fine_tune_intents=True)
    student = train_linear(
        [*ROWS, Utterance(text="put some blues on", intent="music")],
        excluded_intents=["music"],
        teacher=model,
        slots_of_teacher=True,
        settings=settings,
    )
    assert student.fine_tuned is model.fine_tuned
    assert student.maxent is not model.maxent


def test_the_nearest_others_are_all_seen(encoder: CachedEncoder) -> None:
    own, others = ROWS[:4], ROWS[4:]
    seen = nearest_and_random(own, others, encoder, np.random.default_rng(0), n_nearest=3, n_random=2)
    cosines = (encoder.encode([u.text for u in others]) @ encoder.encode([u.text for u in own]).T).max(axis=1)
    nearest = {others[i].text for i in np.argsort(-cosines, kind="stable")[:3]}
    assert len({u.text for u in seen}) == 5
    assert nearest == {u.text for u in seen[:3]}


ROWS_OF_FOUR = arrays(np.float64, st.tuples(st.integers(1, 5), st.just(4)), elements=st.floats(-8, 8))


@given(ROWS_OF_FOUR, st.floats(-5, 5))
def test_log_odds_are_added_and_decide(margins: np.ndarray, threshold: float) -> None:
    intents, own = ("a", "b", "c", "d"), np.array([True, False, True, False])
    by_network = log_softmax(margins[:, ::-1], axis=1)
    scores = IntentScores(intents, margins, by_network)
    network = logsumexp(by_network[:, own], axis=1) - logsumexp(by_network[:, ~own], axis=1)
    found = scores.log_odds(["a", "c"])
    np.testing.assert_allclose(found, functionality_log_odds(margins, own) + network, atol=1e-9)
    np.testing.assert_allclose(scores.probabilities.sum(axis=1), 1.0)
    chosen = OperatingPoint(functionality=("a", "c"), threshold=threshold).choose(scores)
    np.testing.assert_array_equal(own[chosen], found > threshold)


def test_without_a_second_view_nothing_changes(model: LinearNlu) -> None:
    alone = replace(model, fine_tuned=None).intent_views.scores(TEXTS)
    np.testing.assert_array_equal(alone.probabilities, model.maxent.probabilities(TEXTS))
    assert alone.ranked is alone.margins
