import numpy as np

from fixed_model import NEW, FixedModel
from seedcorn.corpus.predictions import Prediction
from seedcorn.corpus.utterances import Slot, Utterance
from seedcorn.nlu.calibration import NluCalibration
from seedcorn.nlu.pseudo_labels import Decision, Gates, PoolDecision, decide


def decided(answers: dict[str, Prediction], gates: Gates) -> list[PoolDecision]:
    return decide(
        FixedModel(answers),
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
