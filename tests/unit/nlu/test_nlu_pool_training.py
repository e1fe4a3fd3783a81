"""Self-training at a budget: labels with reasons, rounds decided by held-out misses."""

from functools import partial

import numpy as np
import pytest

from budget_training import NARRATION, SETTINGS, TRAIN
from seedcorn.corpus.utterances import Utterance
from seedcorn.nlu.cross_fitting import CrossFitted, log_odds_of
from seedcorn.nlu.linear_file import load_linear, save_linear
from seedcorn.nlu.operating_point import Threshold
from seedcorn.nlu.pool_labels import PoolReason
from seedcorn.nlu.pool_training import PoolTraining, RoundOutcome, compare, self_train_at_budget
from seedcorn.nlu.without_pool import train_without_pool
from seedcorn.relevance.requests import fit_request_gate


@pytest.fixture(scope="module")
def trained(
    teacher: CrossFitted, pool: list[str], own_and_others: tuple[list[Utterance], list[Utterance]]
) -> PoolTraining:
    own, others = own_and_others
    gate = fit_request_gate([u.text for u in (*own[:10], *others[:200])], NARRATION * 5, random_seed=1)
    return self_train_at_budget(teacher, pool, gate=gate, train=TRAIN, settings=SETTINGS, random_seed=1)


def test_the_threshold_decides_and_is_saved_with_the_model(
    teacher: CrossFitted, pool: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    model = teacher.at_budget(0.02)
    is_own = log_odds_of(model, ["alarm_set"], pool) > teacher.threshold(0.02).value
    assert [p.intent == "alarm_set" for p in model.predict(pool)] == is_own.tolist()
    path = tmp_path_factory.mktemp("model") / "model.npz"
    save_linear(model, path)
    assert load_linear(path).predict(pool) == model.predict(pool)


def test_every_pool_text_gets_a_label_a_weight_and_a_reason(trained: PoolTraining, pool: list[str]) -> None:
    assert trained.rounds[0].kept
    assert [x.position for x in trained.labels] == list(range(len(pool)))
    accepted = [x for x in trained.labels if x.weight > 0]
    assert all(x.decision is PoolReason.ACCEPTED and x.confidence >= SETTINGS.least_probability for x in accepted)
    assert np.mean([x.position < 40 for x in accepted]) > 0.9
    assert accepted[0].reason.startswith("accepted as the functionality: alarm_set")
    assert [u.text for u in trained.pseudo_labelled(pool)] == [pool[x.position] for x in accepted]
    assert not any(x.weight for x in trained.labels if x.position >= len(pool) - len(NARRATION))


def test_the_slots_are_the_teachers(trained: PoolTraining, teacher: CrossFitted) -> None:
    assert trained.model.crf is teacher.model.crf


def test_the_cap_keeps_the_most_like_requests(teacher: CrossFitted, pool: list[str]) -> None:
    gate = fit_request_gate([u.text for u in teacher.labelled.rows], NARRATION * 5, random_seed=1)
    capped = SETTINGS.model_copy(update={"most_per_seed": 0.5, "n_rounds": 1})
    made = self_train_at_budget(teacher, pool, gate=gate, train=TRAIN, settings=capped, random_seed=1)
    assert made.rounds[0].n_accepted == 5
    if made.rounds[0].kept:
        over = [x.position for x in made.labels if x.decision is PoolReason.OVER_CAP]
        kept = [x.position for x in made.labels if x.weight > 0]
        requests = gate.probabilities(pool)
        assert requests[kept].min() >= requests[over].max()


def test_without_pool_and_without_dev_there_is_still_a_model(
    own_and_others: tuple[list[Utterance], list[Utterance]],
) -> None:
    own, others = own_and_others
    fitted = train_without_pool(own[:10], others[:60], [], train=TRAIN, settings=SETTINGS)
    gate = fit_request_gate([u.text for u in fitted.labelled.rows], NARRATION * 5)
    made = self_train_at_budget(fitted, [], gate=gate, train=TRAIN, settings=SETTINGS)
    assert made.rounds == ()
    assert made.labels == ()
    assert made.model.operating_point is not None


def test_a_round_is_discarded_only_when_it_is_worse_with_confidence(teacher: CrossFitted) -> None:
    assert compare(teacher, teacher, budget=0.02).kept
    threshold = Threshold(value=0.0, standard_error=0.1)
    outcome = partial(RoundOutcome, round=1, n_accepted=3, missed_before=0.2, missed_after=0.25, threshold=threshold)
    assert outcome(change=0.05, standard_error=0.04).kept
    assert not outcome(change=0.05, standard_error=0.02).kept
