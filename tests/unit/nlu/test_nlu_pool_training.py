"""Self-training at a budget: cross-fitted teachers, labels with reasons, rounds decided by held-out misses."""

from functools import partial

import numpy as np
import pytest

from seedcorn.corpus.builtin import builtin_requests
from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import ConfigError, DataError
from seedcorn.nlu.cross_fitting import CrossFitted, log_odds_of
from seedcorn.nlu.linear import LinearNlu, LinearSettings, train_linear
from seedcorn.nlu.linear_file import load_linear, save_linear
from seedcorn.nlu.operating_point import Threshold
from seedcorn.nlu.pool_labels import PoolReason
from seedcorn.nlu.pool_training import PoolTraining, PoolTrainingSettings, RoundOutcome, compare, self_train_at_budget
from seedcorn.nlu.without_pool import train_without_pool
from seedcorn.relevance.requests import fit_request_gate

NARRATION = [
    f"the {who} {did} {when}" for who in ("man", "woman") for did in ("slept", "left") for when in ("", "early")
]
TRAIN = partial(train_linear, settings=LinearSettings(slot_intents=("alarm_set",), n_crf_iterations=20))
SETTINGS = PoolTrainingSettings(false_alarm_budget=0.02, n_folds=2, n_rounds=2, least_probability=0.4)


@pytest.fixture(scope="module")
def own_and_others() -> tuple[list[Utterance], list[Utterance]]:
    rows = builtin_requests(1200, lang="en", random_seed=1).utterances()
    return [u for u in rows if u.intent == "alarm_set"], [u for u in rows if u.intent != "alarm_set"]


@pytest.fixture(scope="module")
def teacher(own_and_others: tuple[list[Utterance], list[Utterance]]) -> CrossFitted:
    own, others = own_and_others
    dev = [*own[10:20], *others[200:300]]
    return train_without_pool(own[:10], others[:200], dev, train=TRAIN, settings=SETTINGS, random_seed=1)


@pytest.fixture(scope="module")
def pool(own_and_others: tuple[list[Utterance], list[Utterance]]) -> list[str]:
    own, others = own_and_others
    return [u.text for u in (*own[20:60], *others[300:400])] + NARRATION


@pytest.fixture(scope="module")
def trained(
    teacher: CrossFitted, pool: list[str], own_and_others: tuple[list[Utterance], list[Utterance]]
) -> PoolTraining:
    own, others = own_and_others
    gate = fit_request_gate([u.text for u in (*own[:10], *others[:200])], NARRATION * 5, random_seed=1)
    return self_train_at_budget(teacher, pool, gate=gate, train=TRAIN, settings=SETTINGS, random_seed=1)


def test_held_out_log_odds_are_of_models_that_did_not_see_the_utterance(teacher: CrossFitted) -> None:
    rows, functionality = teacher.labelled.rows, teacher.labelled.functionality
    for fold, model in enumerate(teacher.fold_models):
        held_out = np.flatnonzero(teacher.folds == fold).tolist()
        expected = log_odds_of(model, functionality, [rows[i].text for i in held_out])
        assert teacher.log_odds[held_out] == pytest.approx(expected)
    seen = log_odds_of(teacher.model, functionality, [u.text for u in rows])
    is_own = teacher.labelled.is_own[: len(rows)]
    assert seen[is_own].mean() > teacher.log_odds[: len(rows)][is_own].mean()


def test_a_larger_budget_misses_no_more(teacher: CrossFitted) -> None:
    missed = [teacher.missed(budget).sum() for budget in (0.001, 0.01, 0.1)]
    assert missed[0] >= missed[1] >= missed[2]


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


def test_what_cannot_be_trained_on_is_refused(own_and_others: tuple[list[Utterance], list[Utterance]]) -> None:
    own, others = own_and_others
    with pytest.raises(DataError, match="without the intents of the seed"):
        train_without_pool(own[:5], [*others[:5], own[6]], [], train=TRAIN)
    with pytest.raises(DataError, match="at least two utterances of the functionality"):
        train_without_pool(own[:1], others[:5], [], train=TRAIN)


def test_other_models_than_linear_ones_are_refused(
    own_and_others: tuple[list[Utterance], list[Utterance]],
) -> None:
    own, others = own_and_others

    class Other:
        intents = ("alarm_set",)

    with pytest.raises(ConfigError, match="the model 'linear'"):
        train_without_pool(own[:5], others[:20], [], train=lambda *_, **__: Other())  # type: ignore[arg-type]


def test_the_same_seed_gives_the_same_model(
    teacher: CrossFitted, own_and_others: tuple[list[Utterance], list[Utterance]]
) -> None:
    own, others = own_and_others
    dev = [*own[10:20], *others[200:300]]
    again = train_without_pool(own[:10], others[:200], dev, train=TRAIN, settings=SETTINGS, random_seed=1)
    assert isinstance(again.model, LinearNlu)
    assert (again.log_odds == teacher.log_odds).all()
