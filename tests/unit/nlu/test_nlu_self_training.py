from collections.abc import Collection, Sequence
from functools import partial

import pytest

from fixed_model import NEW, FixedModel
from seedcorn.corpus.builtin import builtin_general, builtin_requests
from seedcorn.corpus.predictions import Prediction
from seedcorn.corpus.utterances import Utterance
from seedcorn.nlu.linear import LinearSettings, train_linear
from seedcorn.nlu.model import NluModel
from seedcorn.nlu.pseudo_labels import Decision
from seedcorn.nlu.self_training import GatedSettings, SelfTraining, self_train

TRAIN = partial(train_linear, settings=LinearSettings(slot_intents=(NEW,)))


Data = tuple[list[Utterance], list[Utterance], list[Utterance], list[Utterance]]


@pytest.fixture(scope="module")
def data() -> Data:
    rows = builtin_requests(1600, lang="en", random_seed=1).utterances()
    own, others = [u for u in rows if u.intent == NEW], [u for u in rows if u.intent != NEW]
    general = builtin_general(60, lang="en", random_seed=1).utterances()
    pool = [Utterance(text=u.text) for u in [*own[8:32], *others[150:300], *general]]
    return own[:8], others[:150], pool, [*own[32:], *others[300:500]]


@pytest.fixture(scope="module")
def taught(data: Data) -> SelfTraining:
    seed, background, pool, dev = data
    return self_train(seed, background, pool, dev, train=TRAIN, settings=GatedSettings(n_rounds=2))


def test_the_kept_model_is_the_best_on_dev(taught: SelfTraining) -> None:
    kept = [r for r in taught.rounds if r.kept]
    assert kept[0].round == 0
    assert [r.dev_loss for r in kept] == sorted((r.dev_loss for r in kept), reverse=True)
    assert all(not r.kept for r in taught.rounds[len(kept) :])


def test_every_pool_example_has_a_decision_with_its_reason(taught: SelfTraining, data: Data) -> None:
    if taught.decisions:
        assert [d.position for d in taught.decisions] == list(range(len(data[2])))
        assert all(d.reason.startswith(d.decision) for d in taught.decisions)
    for record in taught.rounds[1:]:
        assert sum(record.n_by_decision.values()) == len(data[2])


def test_pseudo_labels_belong_to_the_functionality_or_have_no_intent(taught: SelfTraining, data: Data) -> None:
    assert {u.intent for u in taught.pseudo_labelled(data[2])} <= {NEW, ""}


def test_all_rounds_run_without_dev(data: Data) -> None:
    seed, background, pool, _ = data
    taught = self_train(seed, background, pool[:80], [], train=TRAIN, settings=GatedSettings(n_rounds=2))
    assert [r.kept for r in taught.rounds] == [True, True, True]
    assert len(taught.decisions) == 80


def test_a_round_that_hurts_dev_is_thrown_away() -> None:
    def train(
        utterances: Sequence[Utterance],
        *,
        weights: Sequence[float] | None = None,
        slot_weights: Sequence[float] | None = None,
        excluded_intents: Collection[str] = (),
        teacher: NluModel | None = None,
        random_seed: int = 0,
    ) -> FixedModel:
        is_poisoned = any(u.text == "poison" for u in utterances)
        answers = {u.text: Prediction(intent=u.intent, intent_probability=0.9) for u in (*labelled, *dev)}
        answers["poison"] = Prediction(intent=NEW, intent_probability=0.9)
        if is_poisoned:
            answers["dev"] = Prediction(intent="other", intent_probability=0.9)
        return FixedModel(answers)

    labelled = [Utterance(text=f"{i} {intent}", intent=intent) for i in range(4) for intent in (NEW, "other")]
    dev = [Utterance(text="dev", intent=NEW)]
    taught = self_train(
        [u for u in labelled if u.intent == NEW],
        [u for u in labelled if u.intent == "other"],
        [Utterance(text="poison")],
        dev,
        train=train,
    )
    assert [(r.kept, r.dev_loss) for r in taught.rounds] == [(True, 0.0), (False, 1.0)]
    assert taught.rounds[1].n_by_decision[Decision.ACCEPTED] == 1
    assert taught.model.predict(["dev"])[0].intent == NEW
    assert taught.decisions == ()
    assert taught.pseudo_labelled([Utterance(text="poison")]) == []


def test_an_empty_pool_gives_the_teacher(data: Data) -> None:
    seed, background, _, dev = data
    taught = self_train(seed, background, [], dev, train=train_linear)
    assert len(taught.rounds) == 1
    assert taught.decisions == ()


def test_a_seed_of_one_example(data: Data) -> None:
    seed, background, pool, dev = data
    taught = self_train(seed[:1], background, pool[:50], dev, train=TRAIN, settings=GatedSettings(n_rounds=1))
    assert NEW in taught.model.intents
