from collections.abc import Collection, Sequence
from functools import partial

import numpy as np
import pytest

from seedcorn.corpus.builtin import builtin_general, builtin_requests
from seedcorn.corpus.predictions import Prediction
from seedcorn.corpus.utterances import Slot, Utterance
from seedcorn.errors import DataError
from seedcorn.nlu.calibration import NluCalibration
from seedcorn.nlu.linear import LinearSettings, train_linear
from seedcorn.nlu.model import NluModel
from seedcorn.nlu.self_training import Decision, GatedSettings, Gates, PoolDecision, SelfTraining, decide, self_train
from seedcorn.selection import FloatArray

NEW = "music_play"


TRAIN = partial(train_linear, settings=LinearSettings(slot_intents=(NEW,)))


class Fixed:
    """A model whose answers are written down."""

    intents = (NEW, "other")

    def __init__(self, answers: dict[str, Prediction]) -> None:
        self.answers = answers

    def intent_probabilities(self, texts: Sequence[str]) -> FloatArray:
        own = [p.intent_probability if p.intent == NEW else 1 - p.intent_probability for p in self.predict(texts)]
        return np.stack([own, 1 - np.array(own)], axis=1)

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        return [self.answers[text] for text in texts]


def decided(answers: dict[str, Prediction], gates: Gates) -> list[PoolDecision]:
    return decide(
        Fixed(answers),
        [Utterance(text=text) for text in answers],
        frozenset([NEW]),
        calibration=NluCalibration(),
        gates=gates,
        rng=np.random.default_rng(0),
    )


def test_each_gate_decides() -> None:
    slot = (Slot(0, 1, "genre"),)
    answers = {
        "sure": Prediction(intent=NEW, intent_probability=0.9, slots=slot, slot_probabilities=(0.9,)),
        "unsure slot": Prediction(intent=NEW, intent_probability=0.9, slots=slot, slot_probabilities=(0.2,)),
        "missing slot": Prediction(intent=NEW, intent_probability=0.9, all_slots_probability=0.1),
        "unsure intent": Prediction(intent=NEW, intent_probability=0.3, slots=slot, slot_probabilities=(0.9,)),
        "surely not": Prediction(intent="other", intent_probability=0.95),
        "perhaps not": Prediction(intent="other", intent_probability=0.7),
    }
    decisions = decided(answers, Gates(least_intent_probability=0.5, least_slot_probability=0.5))
    assert [d.decision for d in decisions] == [
        Decision.ACCEPTED,
        Decision.INTENT_ONLY,
        Decision.INTENT_ONLY,
        Decision.UNSURE_INTENT,
        Decision.NEGATIVE,
        Decision.UNSURE_INTENT,
    ]
    assert "music_play 0.90, slots genre 0.20" in decisions[1].reason


def test_caps_hold_for_each_intent() -> None:
    answers = {f"own {i}": Prediction(intent=NEW, intent_probability=0.9) for i in range(9)}
    answers |= {f"other {i}": Prediction(intent="other", intent_probability=0.99) for i in range(9)}
    decisions = [d.decision for d in decided(answers, Gates(most_per_intent=4, most_negatives_per_intent=2))]
    assert decisions.count(Decision.ACCEPTED) == 4
    assert decisions.count(Decision.NEGATIVE) == 2
    assert decisions.count(Decision.OVER_CAP) == 12


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
    ) -> Fixed:
        is_poisoned = any(u.text == "poison" for u in utterances)
        answers = {u.text: Prediction(intent=u.intent, intent_probability=0.9) for u in (*labelled, *dev)}
        answers["poison"] = Prediction(intent=NEW, intent_probability=0.9)
        if is_poisoned:
            answers["dev"] = Prediction(intent="other", intent_probability=0.9)
        return Fixed(answers)

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


def test_an_empty_seed_and_a_shared_intent_are_refused(data: Data) -> None:
    seed, background, pool, dev = data
    with pytest.raises(DataError, match="seed utterances"):
        self_train([], background, pool, dev, train=train_linear)
    with pytest.raises(DataError, match=NEW):
        self_train(seed, [*background, seed[0]], pool, dev, train=train_linear)
