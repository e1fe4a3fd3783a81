"""The teacher: which intents it brings up, what it is trained on, confidences calibrated on what was held out."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixed_model import NEW, FixedModel
from seedcorn.corpus.predictions import Prediction
from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import DataError
from seedcorn.nlu.model import NluModel
from seedcorn.nlu.teacher import functionality_of, train_teacher

ROWS = st.lists(st.builds(Utterance, text=st.just("go"), intent=st.sampled_from("abcd")), max_size=6)


@given(ROWS, ROWS)
def test_the_functionality_is_the_intents_of_the_seed_alone(seed: list[Utterance], background: list[Utterance]) -> None:
    own = {u.intent for u in seed}
    shared = own & {u.intent for u in background}
    if not seed or shared:
        with pytest.raises(DataError, match=", ".join(sorted(shared)) or "seed utterances"):
            functionality_of(seed, background)
        return
    assert functionality_of(seed, background) == own


def test_it_is_trained_on_all_and_calibrated_on_what_its_copies_did_not_see() -> None:
    seed = [Utterance(text=f"play {n}", intent=NEW) for n in range(6)]
    background = [Utterance(text=f"stop {n}", intent="other") for n in range(6)]
    answers = {
        u.text: Prediction(intent=NEW, intent_probability=0.9, slots=(), slot_probabilities=(), all_slots_probability=1)
        for u in (*seed, *background)
    }
    asked: list[tuple[Sequence[Utterance], frozenset[str]]] = []

    def train(rows: Sequence[Utterance], *, excluded_intents: frozenset[str], random_seed: int) -> NluModel:
        assert random_seed == 7
        asked.append((rows, excluded_intents))
        return FixedModel(answers)

    teacher = train_teacher(seed, background, train=train, n_calibration_folds=3, random_seed=7)  # type: ignore[arg-type]
    assert len(asked) == 4
    assert list(asked[0][0]) == [*seed, *background]
    assert all(excluded == {NEW} for _, excluded in asked)
    held_out = [u for rows, _ in asked[1:] for u in (*seed, *background) if u not in rows]
    assert sorted(u.text for u in held_out) == sorted(answers)
    # It is sure of the functionality every time, and right every second one.
    calibrated = teacher.calibration.calibrated(answers["play 0"])
    assert calibrated.intent_probability == pytest.approx(0.5, abs=0.1)


def test_an_empty_seed_and_a_shared_intent_are_refused_before_anything_is_trained() -> None:
    new, other = Utterance(text="play jazz", intent=NEW), Utterance(text="stop", intent="other")

    def train(*_: object, **__: object) -> NluModel:
        raise AssertionError

    with pytest.raises(DataError, match="seed utterances"):
        train_teacher([], [other], train=train)
    with pytest.raises(DataError, match=NEW):
        train_teacher([new], [other, new], train=train)
