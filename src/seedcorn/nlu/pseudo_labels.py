"""Pseudo-labels: what a teacher says of pool texts, and the gates that it must pass before anything is learnt from it.

Plain pseudo-labels often lose. Three things stand against that: confidences are calibrated, the intent and each slot
span pass their own gates, and no intent takes more examples than its cap. Text that is surely another intent is learnt
as that, which holds false alarms down. After Cho et al. 2019 (arXiv 1910.04196); gates and caps are ours.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from seedcorn.config import Settings
from seedcorn.corpus.predictions import Prediction
from seedcorn.corpus.utterances import Utterance
from seedcorn.nlu.calibration import NluCalibration
from seedcorn.nlu.model import NluModel
from seedcorn.nlu.teacher import Teacher
from seedcorn.selection import FloatArray


class Decision(StrEnum):
    """What becomes of a pool example in a round."""

    ACCEPTED = "accepted with its slots"
    INTENT_ONLY = "accepted for its intent, unsure of its slots"
    NEGATIVE = "accepted as another intent"
    UNSURE_INTENT = "unsure of its intent"
    OVER_CAP = "over the cap of its intent"


class Gates(Settings):
    """What a pseudo-label must pass; probabilities are calibrated, except ``most_functionality_probability``.

    ``least_slot_probability`` is for each slot found; ``least_all_slots_probability`` also notices slots that are
    missing. A negative is an example whose best intent is another one and passes ``least_negative_probability``, and
    whose functionality intents together have at most ``most_functionality_probability``. Caps count examples an intent.
    """

    least_intent_probability: float = Field(0.7, ge=0, le=1)
    least_slot_probability: float = Field(0.6, ge=0, le=1)
    least_all_slots_probability: float = Field(0.4, ge=0, le=1)
    least_negative_probability: float = Field(0.3, ge=0, le=1)
    most_functionality_probability: float = Field(0.1, ge=0, le=1)
    most_per_intent: int = Field(1000, ge=1)
    most_negatives_per_intent: int = Field(300, ge=0)


@dataclass(frozen=True, kw_only=True)
class PoolDecision:
    """What was decided on the pool example at ``position``, on the ground of which calibrated prediction."""

    position: int
    decision: Decision
    prediction: Prediction
    functionality_probability: float

    @property
    def reason(self) -> str:
        """The decision with its numbers, in words."""
        p = self.prediction
        found = ", ".join(
            f"{slot.type} {probability:.2f}" for slot, probability in zip(p.slots, p.slot_probabilities, strict=True)
        )
        return (
            f"{self.decision}: {p.intent} {p.intent_probability:.2f}, "
            f"slots {found or 'none'} (all right {p.all_slots_probability:.2f}), "
            f"functionality {self.functionality_probability:.2f}"
        )


class PseudoLabel(IntEnum):
    """What a teacher says that a text is, where it is sure."""

    UNSURE = -1
    OTHER_INTENT = 0
    FUNCTIONALITY = 1


PseudoLabels: TypeAlias = NDArray[np.int8]  # a PseudoLabel a text, shape (n,)


def decide(
    model: NluModel,
    pool: Sequence[Utterance],
    functionality: frozenset[str],
    *,
    calibration: NluCalibration,
    gates: Gates,
    rng: np.random.Generator,
) -> list[PoolDecision]:
    """Return what becomes of every pool example, in order; where a cap binds, those that stay are drawn at random.

    The surest would be those most like the seed, which teach least.
    """
    texts = [u.text for u in pool]
    own = _functionality_probabilities(model, texts, functionality)
    decisions = [
        _decision(i, calibration.calibrated(p), float(own[i]), functionality, gates)
        for i, p in enumerate(model.predict(texts))
    ]
    over = _over_caps(decisions, gates, rng)
    return [
        PoolDecision(
            position=d.position,
            decision=Decision.OVER_CAP if d.position in over else d.decision,
            prediction=d.prediction,
            functionality_probability=d.functionality_probability,
        )
        for d in decisions
    ]


def pseudo_labels(
    texts: Sequence[str], functionality: Collection[str], *, teacher: Teacher, gates: Gates = Gates()
) -> PseudoLabels:
    """Return the PseudoLabel of each text by ``teacher``, (n,): unsure where it fails the ``gates``, caps aside.

    What the teacher is unsure of is not learnt from, whoever chooses it.
    """
    no_caps = {"most_per_intent": max(len(texts), 1), "most_negatives_per_intent": len(texts)}
    decisions = decide(
        teacher.model,
        [Utterance(text=text) for text in texts],
        frozenset(functionality),
        calibration=teacher.calibration,
        gates=gates.model_copy(update=no_caps),
        rng=np.random.default_rng(0),  # draws only what exceeds a cap
    )
    labels = {Decision.UNSURE_INTENT: PseudoLabel.UNSURE, Decision.NEGATIVE: PseudoLabel.OTHER_INTENT}
    return np.array([labels.get(d.decision, PseudoLabel.FUNCTIONALITY) for d in decisions], dtype=np.int8)


def _functionality_probabilities(model: NluModel, texts: Sequence[str], functionality: frozenset[str]) -> FloatArray:
    columns = [i for i, intent in enumerate(model.intents) if intent in functionality]
    return np.asarray(model.intent_probabilities(texts)[:, columns].sum(axis=1), dtype=np.float64)


def _decision(
    position: int, prediction: Prediction, own: float, functionality: frozenset[str], gates: Gates
) -> PoolDecision:
    if prediction.intent in functionality:
        sure_of_slots = all(p >= gates.least_slot_probability for p in prediction.slot_probabilities)
        sure_of_slots = sure_of_slots and prediction.all_slots_probability >= gates.least_all_slots_probability
        decision = Decision.ACCEPTED if sure_of_slots else Decision.INTENT_ONLY
        sure = prediction.intent_probability >= gates.least_intent_probability
    else:
        decision = Decision.NEGATIVE
        sure = prediction.intent_probability >= gates.least_negative_probability
        sure = sure and own <= gates.most_functionality_probability
    return PoolDecision(
        position=position,
        decision=decision if sure else Decision.UNSURE_INTENT,
        prediction=prediction,
        functionality_probability=own,
    )


def _over_caps(decisions: Sequence[PoolDecision], gates: Gates, rng: np.random.Generator) -> set[int]:
    """Return the positions that the caps leave out."""
    by_intent: dict[str, list[int]] = {}
    caps: dict[str, int] = {}
    for d in decisions:
        if d.decision is not Decision.UNSURE_INTENT:
            by_intent.setdefault(d.prediction.intent, []).append(d.position)
            negative = d.decision is Decision.NEGATIVE
            caps[d.prediction.intent] = gates.most_negatives_per_intent if negative else gates.most_per_intent
    over: set[int] = set()
    for intent in sorted(by_intent):
        over.update(rng.permutation(by_intent[intent])[caps[intent] :].tolist())
    return over
