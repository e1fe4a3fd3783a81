"""Self-training: a teacher labels the selected pool, what it is sure of trains the next model, as long as dev gains.

After Cho et al. 2019 (arXiv 1910.04196); what is learnt from is in ``pseudo_labels``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from seedcorn.corpus.utterances import Utterance
from seedcorn.evaluation.nlu import FunctionalityOutcomes, outcomes, outcomes_of_functionality
from seedcorn.files import Json
from seedcorn.nlu.calibration import NluCalibration
from seedcorn.nlu.model import NluModel, NluTrainer
from seedcorn.nlu.pool_labels import PSEUDO_LABELLED, PoolLabel
from seedcorn.nlu.pseudo_labels import Decision, Gates, PoolDecision, decide
from seedcorn.nlu.teacher import Teacher, functionality_of, train_teacher
from seedcorn.progress import say


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
    functionality = functionality_of(seed, background)
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
