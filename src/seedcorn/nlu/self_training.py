"""Self-training: a teacher labels the selected pool, what it is sure of trains the next model, as long as dev gains.

Plain pseudo-labels often lose. Three things stand against that: confidences are calibrated, the intent and each slot
span pass their own gates, and no intent takes more examples than its cap. Text that is surely another intent is learnt
as that, which holds false alarms down. After Cho et al. 2019 (arXiv 1910.04196); gates and caps are ours.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from seedcorn.config import Settings
from seedcorn.corpus.predictions import Prediction
from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import DataError
from seedcorn.evaluation.nlu import FunctionalityOutcomes, outcomes, outcomes_of_functionality
from seedcorn.files import Json
from seedcorn.nlu.calibration import NluCalibration, calibrate
from seedcorn.nlu.model import NluModel, NluTrainer
from seedcorn.nlu.pool_training import PSEUDO_LABELLED, PoolLabel
from seedcorn.progress import say
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
class GatedSettings:
    """How many rounds, what a pool example must pass to train one and how much it counts, and what dev asks of it.

    The dev loss is (semantic errors + ``false_alarm_cost`` x false alarms) / functionality utterances.
    """

    gates: Gates = Gates()
    pseudo_weight: float = 1.0
    n_rounds: int = 3
    false_alarm_cost: float = 0.25
    n_calibration_folds: int = 3


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


@dataclass(frozen=True, kw_only=True)
class RoundRecord:
    """What a round accepted and what dev said of the model it made; round 0 is the teacher on the labelled data."""

    round: int
    n_by_decision: dict[Decision, int]
    semantic_error_rate: float
    intent_f1: float
    slot_f1: float
    false_alarm_rate: float
    dev_loss: float
    kept: bool

    def as_row(self) -> dict[str, Json]:
        """Return the round as a row of a table."""
        rates: dict[str, Json] = {
            "round": self.round,
            "kept": "yes" if self.kept else "no",
            "semantic_error": self.semantic_error_rate,
            "intent_f1": self.intent_f1,
            "slot_f1": self.slot_f1,
            "false_alarm_rate": self.false_alarm_rate,
            "dev_loss": self.dev_loss,
        }
        return rates | {str(decision): n for decision, n in self.n_by_decision.items()}


@dataclass(frozen=True, kw_only=True)
class SelfTraining:
    """The best model, the records of all rounds, and the decisions behind the kept model, in pool order (or none)."""

    model: NluModel
    rounds: tuple[RoundRecord, ...]
    decisions: tuple[PoolDecision, ...]
    calibration: NluCalibration
    weight: float = 1.0

    @property
    def labels(self) -> list[PoolLabel]:
        """The decisions as labels, each with its confidence and weight."""
        return [
            PoolLabel(
                position=d.position,
                intent="" if d.decision is Decision.NEGATIVE else d.prediction.intent,
                slots=() if d.decision is Decision.NEGATIVE else d.prediction.slots,
                confidence=d.prediction.intent_probability,
                weight=_weight_of(d.decision, self.weight),
                decision=d.decision,
            )
            for d in self.decisions
        ]

    def pseudo_labelled(self, pool: Sequence[Utterance]) -> list[Utterance]:
        """Return the rows of ``pool`` that trained the kept model, with the labels they were given."""
        used = [d for d in self.decisions if _weight_of(d.decision, 1.0) > 0]
        return [_labelled(pool[d.position], d) for d in used]


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """The model trained on the labelled data, and the calibration of its confidences."""

    model: NluModel
    calibration: NluCalibration


def train_teacher(
    seed: Sequence[Utterance],
    background: Sequence[Utterance],
    *,
    train: NluTrainer,
    n_calibration_folds: int = 3,
    random_seed: int = 0,
) -> Teacher:
    """Return the teacher of ``self_train``; cost: ``n_calibration_folds`` + 1 trainings. Raises DataError as there."""
    functionality = _functionality(seed, background)
    labelled = [*seed, *background]
    train = partial(train, excluded_intents=functionality)
    return Teacher(
        model=train(labelled, random_seed=random_seed),
        calibration=calibrate(train, labelled, n_folds=n_calibration_folds, random_seed=random_seed),
    )


def self_train(
    seed: Sequence[Utterance],
    background: Sequence[Utterance],
    pool: Sequence[Utterance],
    dev: Sequence[Utterance],
    *,
    train: NluTrainer,
    teacher: Teacher | None = None,
    settings: GatedSettings = GatedSettings(),
    random_seed: int = 0,
) -> SelfTraining:
    """Return the best model found by labelling ``pool`` with the model of the round before and training on it too.

    The functionality is the intents of ``seed``; labels in ``pool`` are not looked at. A round is kept when it lowers
    the dev loss; the first that does not is thrown away and ends the search. Without any functionality utterance in
    ``dev``, all rounds run and the last is kept. Calibration is that of the teacher throughout, which is trained unless
    it is given. Cost: ``n_rounds`` trainings, and those of ``train_teacher``. Raises DataError when the seed is empty
    or its intents also label background utterances.
    """
    functionality = _functionality(seed, background)
    labelled = [*seed, *background]
    if teacher is None:
        teacher = train_teacher(
            seed, background, train=train, n_calibration_folds=settings.n_calibration_folds, random_seed=random_seed
        )
    train, calibration = partial(train, excluded_intents=functionality), teacher.calibration
    measured = _measured(teacher.model, dev, functionality)
    record = _record(0, {}, measured, best_loss=np.inf, false_alarm_cost=settings.false_alarm_cost)
    result = SelfTraining(model=teacher.model, rounds=(record,), decisions=(), calibration=calibration)
    for round_ in range(1, settings.n_rounds + 1 if pool else 1):
        rng = np.random.default_rng([random_seed, round_])
        decisions = decide(result.model, pool, functionality, calibration=calibration, gates=settings.gates, rng=rng)
        model = _trained_on(labelled, pool, decisions, train, teacher.model, settings.pseudo_weight, random_seed)
        best_loss = min(r.dev_loss for r in result.rounds)
        record = _record(
            round_,
            _counts(decisions),
            _measured(model, dev, functionality),
            best_loss=best_loss,
            false_alarm_cost=settings.false_alarm_cost,
        )
        say(f"self-training round {round_}: dev loss {record.dev_loss:.3f}, {'kept' if record.kept else 'thrown away'}")
        rounds = (*result.rounds, record)
        if not record.kept:
            return replace(result, rounds=rounds, weight=settings.pseudo_weight)
        result = SelfTraining(model=model, rounds=rounds, decisions=tuple(decisions), calibration=calibration)
    return replace(result, weight=settings.pseudo_weight)


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


def _functionality(seed: Sequence[Utterance], background: Sequence[Utterance]) -> frozenset[str]:
    if not seed:
        raise DataError(wanted="seed utterances", found="none", fix="Annotate some utterances of the functionality.")
    functionality = frozenset(u.intent for u in seed)
    both = sorted(functionality & {u.intent for u in background})
    if both:
        raise DataError(wanted="a background without the intents of the seed", found=", ".join(both))
    return functionality


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


def _weight_of(decision: Decision, pseudo_weight: float) -> float:
    return pseudo_weight if decision in (Decision.ACCEPTED, Decision.INTENT_ONLY, Decision.NEGATIVE) else 0.0


def _labelled(utterance: Utterance, decided: PoolDecision) -> Utterance:
    prediction, is_own = decided.prediction, decided.decision is not Decision.NEGATIVE
    return Utterance(
        id=utterance.id,
        text=utterance.text,
        lang=utterance.lang,
        intent=prediction.intent if is_own else "",
        slots=prediction.slots if is_own else (),
        origin=PSEUDO_LABELLED,
    )


def _trained_on(
    labelled: Sequence[Utterance],
    pool: Sequence[Utterance],
    decisions: Sequence[PoolDecision],
    train: NluTrainer,
    teacher: NluModel,
    pseudo_weight: float,
    random_seed: int,
) -> NluModel:
    used = [d for d in decisions if _weight_of(d.decision, pseudo_weight) > 0]
    pseudo = [_labelled(pool[d.position], d) for d in used]
    return train(
        [*labelled, *pseudo],
        weights=[1.0] * len(labelled) + [pseudo_weight] * len(pseudo),
        slot_weights=[1.0] * len(labelled)
        + [0.0 if d.decision is Decision.INTENT_ONLY else pseudo_weight for d in used],
        teacher=teacher,
        random_seed=random_seed,
    )


def _counts(decisions: Sequence[PoolDecision]) -> dict[Decision, int]:
    made: NDArray[np.str_] = np.array([d.decision for d in decisions], dtype=np.str_)
    return {decision: int((made == decision.value).sum()) for decision in Decision}


def _measured(model: NluModel, dev: Sequence[Utterance], functionality: frozenset[str]) -> FunctionalityOutcomes:
    return outcomes_of_functionality(outcomes(dev, model.predict([u.text for u in dev])), functionality)


def _record(
    round_: int,
    n_by_decision: dict[Decision, int],
    dev: FunctionalityOutcomes,
    *,
    best_loss: float,
    false_alarm_cost: float,
) -> RoundRecord:
    cost = int(dev.own.semantic_errors.sum()) + false_alarm_cost * int(dev.false_alarms.sum())
    loss = cost / len(dev.own) if len(dev.own) else 0.0
    return RoundRecord(
        round=round_,
        n_by_decision=n_by_decision,
        semantic_error_rate=dev.semantic_error_rate,
        intent_f1=dev.intent_f1,
        slot_f1=dev.slot_f1,
        false_alarm_rate=dev.false_alarm_rate,
        dev_loss=loss,
        kept=loss < best_loss or not len(dev.own),
    )
