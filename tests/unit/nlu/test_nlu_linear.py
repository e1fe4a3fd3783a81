from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seedcorn.corpus.builtin import builtin_requests
from seedcorn.corpus.utterances import Slot, Utterance
from seedcorn.errors import DataError
from seedcorn.evaluation.nlu import outcomes
from seedcorn.nlu.crf import sure_stretches, train_crf
from seedcorn.nlu.linear import LinearNlu, LinearSettings, train_linear
from seedcorn.nlu.linear_file import load_linear, save_linear


@pytest.fixture(scope="module")
def requests() -> list[Utterance]:
    return builtin_requests(500, lang="en", random_seed=1).utterances()


@pytest.fixture(scope="module")
def model(requests: list[Utterance]) -> LinearNlu:
    return train_linear(requests[:400])


def test_learns_intents_and_slots_of_the_built_in_requests(model: LinearNlu, requests: list[Utterance]) -> None:
    held_out = requests[400:]
    result = outcomes(held_out, model.predict([u.text for u in held_out]))
    assert result.intent_accuracy > 0.8
    assert result.slot_f1 > 0.7


def test_learns_hindi() -> None:
    rows = builtin_requests(400, lang="hi", random_seed=2).utterances()
    result = outcomes(rows[300:], train_linear(rows[:300]).predict([u.text for u in rows[300:]]))
    assert result.intent_accuracy > 0.7
    assert result.slot_f1 > 0.6


def test_learns_slots_in_unspaced_text() -> None:
    rows = [
        Utterance(text=f"{city}の天気を教えて", intent="weather", slots=(Slot(0, len(city), "place"),))
        for city in ("東京", "大阪", "京都", "札幌", "名古屋")
    ]
    (prediction,) = train_linear(rows).predict(["東京の天気は"])
    assert prediction.slots == (Slot(0, 2, "place"),)


def test_probabilities_are_distributions(model: LinearNlu) -> None:
    probabilities = model.intent_probabilities(["play some jazz", "", "!!!", "xyzzy"])
    assert probabilities.shape == (4, len(model.intents))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    for prediction in model.predict(["play some jazz", "", "!!!"]):
        assert 0 <= prediction.intent_probability <= 1
        assert all(0 <= p <= 1 for p in prediction.slot_probabilities)


def test_no_text_gives_no_prediction(model: LinearNlu) -> None:
    assert model.predict([]) == []


def test_saved_model_predicts_the_same(model: LinearNlu, requests: list[Utterance], tmp_path: Path) -> None:
    texts = [u.text for u in requests[400:]]
    save_linear(model, tmp_path / "model.npz")
    assert load_linear(tmp_path / "model.npz").predict(texts) == model.predict(texts)


def test_loading_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.npz").write_text("no model", "utf-8")
    with pytest.raises(DataError, match="a linear NLU model"):
        load_linear(tmp_path / "model.npz")


def test_training_is_deterministic(requests: list[Utterance], tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        save_linear(train_linear(requests[:60], random_seed=3), tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize("slots", [(), (Slot(5, 9, "genre"),)])
def test_a_single_example_and_a_single_intent(slots: tuple[Slot, ...]) -> None:
    model = train_linear([Utterance(text="play jazz", intent="music", slots=slots)])
    (prediction,) = model.predict(["play jazz"])
    assert prediction.intent == "music"
    assert prediction.intent_probability == 1.0
    assert prediction.slots == slots


def test_two_intents_one_without_slots() -> None:
    rows = [Utterance(text="hello there", intent="greet"), Utterance(text="play jazz", intent="music")]
    assert [p.intent for p in train_linear(rows).predict(["hello there", "play jazz"])] == ["greet", "music"]


def test_weights_decide_between_contradicting_labels() -> None:
    rows = [Utterance(text="lights on", intent=intent) for intent in ("a", "b")]
    assert train_linear(rows, weights=[5.0, 1.0]).predict(["lights on"])[0].intent == "a"
    assert train_linear(rows, weights=[1.0, 5.0]).predict(["lights on"])[0].intent == "b"


def test_slot_weight_zero_keeps_the_intent_and_ignores_the_slots() -> None:
    rows = [
        Utterance(text="play jazz", intent="music", slots=(Slot(5, 9, "genre"),)),
        Utterance(text="play jazz", intent="music"),
    ]
    assert train_linear(rows, slot_weights=[1.0, 0.0]).predict(["play jazz"])[0].slots == (Slot(5, 9, "genre"),)
    assert train_linear(rows, slot_weights=[0.0, 1.0]).predict(["play jazz"])[0].slots == ()


def test_slots_are_limited_to_the_wanted_intents(requests: list[Utterance]) -> None:
    wanted = requests[0].intent
    model = train_linear(requests[:200], settings=LinearSettings(slot_intents=(wanted,)))
    predictions = model.predict([u.text for u in requests[:200]])
    types = {s.type for u in requests[:200] if u.intent == wanted for s in u.slots}
    assert {s.type for p in predictions for s in p.slots} <= types
    assert all(p.intent == wanted for p in predictions if p.slots)


@pytest.mark.parametrize("rows", [[], [Utterance(text="play jazz")]])
def test_nothing_to_train_on_is_refused(rows: list[Utterance]) -> None:
    with pytest.raises(DataError):
        train_linear(rows)


def test_other_intents_are_taken_over_from_the_teacher(requests: list[Utterance]) -> None:
    own = requests[0].intent
    teacher = train_linear(requests[:200])
    more = [*requests[:200], *(replace(u, intent="") for u in requests[200:300] if u.intent != own)]
    student = train_linear(more, excluded_intents=[own], teacher=teacher)
    anew = train_linear(more, excluded_intents=[own])
    texts = [u.text for u in requests[300:]]
    others = [i for i, intent in enumerate(teacher.intents) if intent != own]
    column = teacher.intents.index(own)
    assert student.intents == teacher.intents
    margins = student.maxent.margins(texts)
    np.testing.assert_allclose(margins[:, others], teacher.maxent.margins(texts)[:, others], atol=1e-5)
    np.testing.assert_allclose(margins[:, column], anew.maxent.margins(texts)[:, column], atol=1e-5)
    assert np.abs(margins[:, column] - teacher.maxent.margins(texts)[:, column]).max() > 0.01


def test_nothing_is_learnt_from_unsure_tokens(requests: list[Utterance]) -> None:
    own = [u for u in requests if u.intent == "alarm_set" and u.slots][:12]
    texts, slots = [u.text for u in own], [u.slots for u in own]
    all_sure = train_crf(texts, slots, max_iterations=20)
    wrong = [tuple(Slot(s.start, s.end, "wrong") for s in its) for its in slots]
    unsure = [range(len(text)) for text in texts]
    masked = train_crf([*texts, *texts], [*slots, *wrong], unsure_tokens=[*[()] * len(own), *unsure], max_iterations=20)
    assert masked.labels == all_sure.labels
    assert masked.slots(texts) == all_sure.slots(texts)


def test_stretches_lie_between_unsure_tokens() -> None:
    assert sure_stretches(6, (2,)) == [(0, 2), (3, 6)]
    assert sure_stretches(3, (0, 1, 2)) == []
    assert sure_stretches(2, ()) == [(0, 2)]


def test_marginals_sum_to_one_at_every_token(model: LinearNlu, requests: list[Utterance]) -> None:
    for marginals in model.crf.marginals([u.text for u in requests[400:420]]):
        assert marginals.sum(axis=1) == pytest.approx(1.0)


def test_without_slot_weights_no_slots_are_learnt_and_a_teachers_are_taken_over(
    model: LinearNlu, requests: list[Utterance]
) -> None:
    without = train_linear(requests[:100], slot_weights=[0.0] * 100)
    assert without.crf.labels == ()
    assert train_linear(requests[:100], teacher=model, slots_of_teacher=True).crf is model.crf
