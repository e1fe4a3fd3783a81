"""Labels of pool texts: who is sure, like a request and under the cap of its intent is learnt from, and no other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.nlu.cross_fitting import CrossFitted
from seedcorn.nlu.pool_labels import LabellingSettings, PoolLabel, PoolReason, RequestPool, label_pool

N_TEXTS = 12


def labels_of(
    teacher: CrossFitted, pool: list[str], requests: list[float], asked: LabellingSettings
) -> tuple[PoolLabel, ...]:
    texts = RequestPool(texts=pool[:N_TEXTS], requests=np.array(requests), least_request=0.5)
    return label_pool(teacher.at_budget(0.02), teacher.labelled, teacher.calibration, texts, asked)


@settings(max_examples=25)
@given(
    requests=st.lists(st.sampled_from([0.0, 0.3, 0.5, 0.8, 1.0]), min_size=N_TEXTS, max_size=N_TEXTS),
    least=st.sampled_from([0.05, 0.5, 0.99]),
    most_per_seed=st.sampled_from([0.1, 0.3, 5.0]),
)
def test_each_decision_is_what_its_numbers_say(
    teacher: CrossFitted, pool: list[str], requests: list[float], least: float, most_per_seed: float
) -> None:
    asked = LabellingSettings(least_probability=least, most_per_seed=most_per_seed, pseudo_weight=0.25)
    labels = labels_of(teacher, pool, requests, asked)
    assert [x.position for x in labels] == list(range(N_TEXTS))
    passed = [x for x in labels if x.confidence >= least and requests[x.position] >= 0.5]
    assert all((x.decision is PoolReason.UNSURE) == (x.confidence < least) for x in labels)
    assert [x for x in labels if x.decision in (PoolReason.ACCEPTED, PoolReason.OVER_CAP)] == passed
    accepted = [x for x in labels if x.decision is PoolReason.ACCEPTED]
    assert [x.weight for x in labels] == [0.25 if x in accepted else 0.0 for x in labels]
    n_seed = sum(u.intent == "alarm_set" for u in teacher.labelled.rows)
    assert len(accepted) == min(len(passed), max(1, round(most_per_seed * n_seed)))
    # The cap takes those most like requests, of equals the first.
    ranked = sorted(passed, key=lambda x: (-requests[x.position], x.position))
    assert sorted(x.position for x in ranked[: len(accepted)]) == [x.position for x in accepted]


def test_what_is_accepted_has_its_slots_and_its_reason(teacher: CrossFitted, pool: list[str]) -> None:
    labels = labels_of(teacher, pool, [1.0] * N_TEXTS, LabellingSettings())
    accepted = [x for x in labels if x.weight]
    assert accepted
    slots = [tagged.slots for tagged in teacher.model.slot_views.slots([pool[x.position] for x in accepted])]
    assert [x.slots for x in accepted] == slots
    assert all(x.slots == () for x in labels if not x.weight)
    assert accepted[0].reason == f"accepted as the functionality: alarm_set {accepted[0].confidence:.2f}"


def test_of_no_texts_there_are_no_labels(teacher: CrossFitted) -> None:
    nothing = RequestPool(texts=[], requests=np.zeros(0), least_request=0.5)
    assert label_pool(teacher.model, teacher.labelled, teacher.calibration, nothing, LabellingSettings()) == ()


@pytest.mark.parametrize("wrong", [{"least_probability": 0}, {"most_per_seed": 0}, {"pseudo_weight": -1}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        LabellingSettings.model_validate(wrong)
