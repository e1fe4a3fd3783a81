"""Self-training at a false-alarm budget: the pool's confident requests are pseudo-labelled, held-out misses decide.

A teacher and its cross-validation label the pool, each fold's teacher for the student of the same fold, so that what a
student says of held-out utterances is as honest as what the teacher said. Teacher and student are compared where they
will be used: each at its own threshold for the same budget of false alarms. After Cho et al. 2019 (arXiv 1910.04196);
cross-fitting, gates and the decision are ours.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import DataError
from seedcorn.files import Json
from seedcorn.nlu.calibration import LogOddsCalibration
from seedcorn.nlu.cross_fitting import CrossFitted, Labelled, cross_fit
from seedcorn.nlu.linear import LinearNlu
from seedcorn.nlu.model import NluTrainer
from seedcorn.nlu.operating_point import Threshold
from seedcorn.nlu.pool_labels import PSEUDO_LABELLED, LabellingSettings, PoolLabel, RequestPool, label_pool
from seedcorn.nlu.slot_self_training import WITH_CONFIDENCE, SlotOutcome, self_train_slots
from seedcorn.nlu.slot_views import SlotHint
from seedcorn.nlu.without_pool import BudgetSettings, linear_of, weights_of
from seedcorn.progress import say
from seedcorn.relevance.requests import RequestGate


class PoolTrainingSettings(BudgetSettings, LabellingSettings):
    """For how many rounds is learnt from the pool, and what of it."""

    n_rounds: int = Field(1, ge=0)


@dataclass(frozen=True, kw_only=True)
class RoundOutcome:
    """What a round did to the share of the functionality that is missed at the budget, on held-out utterances.

    ``change`` is student minus teacher on the same utterances, below zero where the pool pays; ``standard_error`` is
    that of the change. A round is kept unless it is worse with confidence.
    """

    round: int
    n_accepted: int
    missed_before: float
    missed_after: float
    change: float
    standard_error: float
    threshold: Threshold

    @property
    def kept(self) -> bool:
        """Whether its student became the next teacher."""
        return self.change <= WITH_CONFIDENCE * self.standard_error

    def as_row(self) -> dict[str, Json]:
        """Return the round as a row of a table."""
        return {
            "round": self.round,
            "kept": "yes" if self.kept else "no",
            "accepted": self.n_accepted,
            "missed_before": self.missed_before,
            "missed_after": self.missed_after,
            "change": self.change,
            "standard_error": self.standard_error,
            "threshold": self.threshold.value,
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class PoolTraining:
    """The model at its operating point, its cross-validation, all rounds, and the labels that it learnt from.

    ``slots`` is what the pool did to the slots, where they learnt from it.
    """

    model: LinearNlu
    fitted: CrossFitted
    rounds: tuple[RoundOutcome, ...]
    labels: tuple[PoolLabel, ...]
    slots: SlotOutcome | None = None

    def as_rows(self) -> list[Mapping[str, Json]]:
        """Return the rounds of the intents, then that of the slots, as rows of a table."""
        return [*(r.as_row() for r in self.rounds), *([self.slots.as_row()] if self.slots else [])]

    def pseudo_labelled(self, texts: Sequence[str]) -> list[Utterance]:
        """Return the pool utterances that trained the model, as labelled."""
        return [
            Utterance(text=texts[x.position], intent=x.intent, slots=x.slots, origin=PSEUDO_LABELLED)
            for x in self.labels
            if x.weight > 0
        ]


def self_train_at_budget(
    without_pool: CrossFitted,
    texts: Sequence[str],
    *,
    gate: RequestGate | None,
    train: NluTrainer,
    settings: PoolTrainingSettings = PoolTrainingSettings(),
    hints: Mapping[str, SlotHint] | None = None,
    random_seed: int = 0,
    n_processes: int = 1,
) -> PoolTraining:
    """Return the model after up to ``n_rounds`` rounds on the pool ``texts``.

    Without a ``gate`` every text passes as a request; ``hints`` are the slots of some texts as somebody else sees them.
    In each round students are trained on the labelled rows and on what the round before is sure of. The first round
    that is worse than its teacher with confidence is thrown away and ends the search. The slots then learn from what
    the last kept model is sure of, if it has a tagger (``slot_self_training``). Cost: a training of intents a fold, and
    one more, a round; one of the tagger.
    """
    requests = np.ones(len(texts)) if gate is None else gate.probabilities(texts)
    pool = RequestPool(texts=texts, requests=requests, least_request=0.0 if gate is None else gate.least_probability)
    n_rounds = settings.n_rounds if len(texts) else 0

    def students_of(teachers: CrossFitted) -> tuple[CrossFitted, tuple[PoolLabel, ...]]:
        labelled, calibration = teachers.labelled, teachers.calibration
        labels = label_pool(teachers.model, labelled, calibration, pool, settings)
        train_on = _Students(
            labelled=labelled,
            calibration=calibration,
            pool=pool,
            labels=labels,
            train=train,
            settings=settings,
            random_seed=random_seed,
        )
        fitted = cross_fit(labelled, train_on, folds=teachers.folds, before=teachers, n_processes=n_processes)
        return fitted, labels

    intents = _self_train_intents(without_pool, students_of, settings, n_rounds=n_rounds)
    return _with_slots(intents, pool, settings, hints or {}, random_seed) if n_rounds else intents


def _self_train_intents(
    without_pool: CrossFitted,
    students_of: Callable[[CrossFitted], tuple[CrossFitted, tuple[PoolLabel, ...]]],
    settings: PoolTrainingSettings,
    *,
    n_rounds: int,
) -> PoolTraining:
    """Return the model after up to ``n_rounds`` rounds of the intents."""
    current, kept, rounds = without_pool, tuple[PoolLabel, ...](), list[RoundOutcome]()
    for number in range(1, n_rounds + 1):
        student, labels = students_of(current)
        n_accepted = sum(x.weight > 0 for x in labels)
        outcome = compare(current, student, budget=settings.false_alarm_budget, number=number, n_accepted=n_accepted)
        rounds.append(outcome)
        say(
            f"self-training round {number}: {outcome.n_accepted} accepted, missed at the budget "
            f"{outcome.missed_before:.3f} -> {outcome.missed_after:.3f}, {'kept' if outcome.kept else 'thrown away'}"
        )
        if not outcome.kept:
            break
        current, kept = student, labels
    model = current.at_budget(settings.false_alarm_budget)
    return PoolTraining(model=model, fitted=current, rounds=tuple(rounds), labels=kept)


def _with_slots(
    intents: PoolTraining,
    pool: RequestPool,
    settings: PoolTrainingSettings,
    hints: Mapping[str, SlotHint],
    random_seed: int,
) -> PoolTraining:
    """Return the model with slots that learnt from what it is sure of, whether or not the intents learnt from it."""
    if not intents.model.taggers:
        return intents
    fitted = intents.fitted
    labels = intents.labels or label_pool(fitted.model, fitted.labelled, fitted.calibration, pool, settings)
    accepted = [pool.texts[x.position] for x in labels if x.weight > 0]
    model, slots = self_train_slots(intents.model, fitted.labelled, accepted, hints=hints, random_seed=random_seed)
    return PoolTraining(
        model=model,
        fitted=replace(fitted, model=replace(fitted.model, taggers=model.taggers)),
        rounds=intents.rounds,
        labels=labels if slots is not None and slots.kept else intents.labels,
        slots=slots,
    )


@dataclass(frozen=True, kw_only=True)
class _Students:
    """Trains students, each on the rows of its teacher and on what that is sure of."""

    labelled: Labelled
    calibration: LogOddsCalibration
    pool: RequestPool
    labels: tuple[PoolLabel, ...]  # by the teacher of all rows
    train: NluTrainer
    settings: PoolTrainingSettings
    random_seed: int

    def __call__(self, rows: NDArray[np.int64], teacher: LinearNlu | None) -> LinearNlu:
        """Return the student of some rows."""
        if teacher is None:
            raise DataError(wanted="a teacher for every student", found="none")
        labelled, of_all = self.labelled, len(rows) == len(self.labelled.rows)
        labels = self.labels if of_all else label_pool(teacher, labelled, self.calibration, self.pool, self.settings)
        chosen, accepted = [labelled.rows[i] for i in rows], [x for x in labels if x.weight > 0]
        model = self.train(
            [*chosen, *(Utterance(text=self.pool.texts[x.position], intent=x.intent) for x in accepted)],
            weights=[*weights_of(chosen, labelled, self.settings), *(x.weight for x in accepted)],
            excluded_intents=labelled.functionality,
            teacher=teacher,
            slots_of_teacher=True,
            random_seed=self.random_seed,
        )
        return linear_of(model)


def compare(
    before: CrossFitted, after: CrossFitted, *, budget: float, number: int = 1, n_accepted: int = 0
) -> RoundOutcome:
    """Return how the misses at ``budget`` change from ``before`` to ``after`` on the same held-out utterances."""
    missed_before, missed_after = (fitted.missed(budget).astype(np.float64) for fitted in (before, after))
    changes = missed_after - missed_before
    return RoundOutcome(
        round=number,
        n_accepted=n_accepted,
        missed_before=float(missed_before.mean()),
        missed_after=float(missed_after.mean()),
        change=float(changes.mean()),
        standard_error=float(changes.std(ddof=1) / np.sqrt(len(changes))),
        threshold=after.threshold(budget),
    )
