"""Self-training at a false-alarm budget: the pool's confident requests are pseudo-labelled, held-out misses decide.

A teacher and its cross-validation label the pool, each fold's teacher for the student of the same fold, so that what a
student says of held-out utterances is as honest as what the teacher said. Teacher and student are compared where they
will be used: each at its own threshold for the same budget of false alarms. After Cho et al. 2019 (arXiv 1910.04196);
cross-fitting, gates and the decision are ours.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from seedcorn.config import Settings
from seedcorn.corpus.utterances import Slot, Utterance
from seedcorn.errors import ConfigError, DataError
from seedcorn.files import Json
from seedcorn.nlu.calibration import LogOddsCalibration
from seedcorn.nlu.cross_fitting import CrossFitted, Labelled, cross_fit
from seedcorn.nlu.cross_validation import folds_alike
from seedcorn.nlu.functionality import own_columns
from seedcorn.nlu.linear import LinearNlu
from seedcorn.nlu.model import NluModel, NluTrainer
from seedcorn.nlu.operating_point import FALSE_ALARM_BUDGET, Threshold
from seedcorn.nlu.slot_self_training import WITH_CONFIDENCE, SlotOutcome, self_train_slots
from seedcorn.progress import say
from seedcorn.relevance.requests import RequestGate
from seedcorn.selection import FloatArray

PSEUDO_LABELLED = "pseudo-labelled"


class BudgetSettings(Settings):
    """The operating point, and how it is estimated.

    ``false_alarm_budget`` is the share of other utterances that may be taken for the functionality; ``n_folds`` those
    of the cross-validation; ``seed_weight`` how much a seed utterance counts beside one of the many others.
    """

    false_alarm_budget: float = Field(FALSE_ALARM_BUDGET, gt=0, lt=1)
    n_folds: int = Field(3, ge=2)
    seed_weight: float = Field(10.0, gt=0)


class PoolTrainingSettings(BudgetSettings):
    """What of the pool is learnt from, and for how many rounds.

    A text is learnt as the functionality when its calibrated probability is at least ``least_probability``, it passes
    the request gate, and it is among the most of its intent like the annotated utterances: at most ``most_per_seed``
    for every seed utterance of that intent. Farther from them a pool is of another kind, and more of it brings less.
    """

    n_rounds: int = Field(1, ge=0)
    least_probability: float = Field(0.5, gt=0, le=1)
    most_per_seed: float = Field(5.0, gt=0)
    pseudo_weight: float = Field(1.0, gt=0)


class PoolReason(StrEnum):
    """What became of a pool text."""

    ACCEPTED = "accepted as the functionality"
    UNSURE = "not sure enough to be the functionality"
    NO_REQUEST = "not like a request"
    OVER_CAP = "less like a request than the most that are accepted"


@dataclass(frozen=True, kw_only=True)
class PoolLabel:
    """What was decided on the pool text at ``position``; ``weight`` is 0 where nothing is learnt from it."""

    position: int
    intent: str
    slots: tuple[Slot, ...]
    confidence: float
    weight: float
    decision: StrEnum

    @property
    def reason(self) -> str:
        """The decision with its probability, in words."""
        return f"{self.decision}: {self.intent} {self.confidence:.2f}"


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


def labelled_of(seed: Sequence[Utterance], background: Sequence[Utterance], dev: Sequence[Utterance]) -> Labelled:
    """Return the utterances at hand, seed first.

    Raises DataError without seed or background, or when an intent of the seed also labels background utterances.
    """
    functionality = frozenset(u.intent for u in seed)
    if len(seed) < 2 or len(background) < 2:
        raise DataError(
            wanted="at least two utterances of the functionality and two others",
            found=f"{len(seed)} and {len(background)}",
            fix="Annotate more: what is held out of so few says nothing.",
        )
    both = sorted(functionality & {u.intent for u in background})
    if both:
        raise DataError(wanted="a background without the intents of the seed", found=", ".join(both))
    return Labelled(rows=[*seed, *background], dev=dev, functionality=functionality)


def train_without_pool(
    seed: Sequence[Utterance],
    background: Sequence[Utterance],
    dev: Sequence[Utterance],
    *,
    train: NluTrainer,
    settings: BudgetSettings = BudgetSettings(),
    random_seed: int = 0,
) -> CrossFitted:
    """Return the teacher of ``self_train_at_budget``: the same model without pool. Raises as ``labelled_of`` does."""
    labelled = labelled_of(seed, background, dev)
    folds = folds_alike([u.intent for u in labelled.rows], settings.n_folds, random_seed)

    def train_on(rows: NDArray[np.int64], before: LinearNlu | None) -> LinearNlu:
        chosen = [labelled.rows[i] for i in rows]
        complete = len(rows) == len(labelled.rows)
        model = train(
            chosen,
            weights=_weights(chosen, labelled, settings),
            slot_weights=[float(complete)] * len(chosen),  # folds are asked for intents alone
            excluded_intents=labelled.functionality,
            random_seed=random_seed,
        )
        return _linear(model)

    return cross_fit(labelled, train_on, folds=folds)


def self_train_at_budget(
    without_pool: CrossFitted,
    texts: Sequence[str],
    *,
    gate: RequestGate | None,
    train: NluTrainer,
    settings: PoolTrainingSettings = PoolTrainingSettings(),
    random_seed: int = 0,
) -> PoolTraining:
    """Return the model after up to ``n_rounds`` rounds on the pool ``texts``.

    Without a ``gate`` every text passes as a request. In each round students are trained on the labelled rows and on
    what the round before is sure of. The first round that is worse than its teacher with confidence is thrown away
    and ends the search. The slots then learn from what the last kept model is sure of, if it has a tagger
    (``slot_self_training``). Cost: a training of intents a fold, and one more, a round; one of the tagger.
    """
    requests = np.ones(len(texts)) if gate is None else gate.probabilities(texts)
    pool = _Pool(texts=texts, requests=requests, least_request=0.0 if gate is None else gate.least_probability)
    n_rounds = settings.n_rounds if len(texts) else 0
    intents = _self_train_intents(without_pool, pool, train, settings, n_rounds=n_rounds, random_seed=random_seed)
    return _with_slots(intents, pool, settings, random_seed) if n_rounds else intents


def _self_train_intents(
    without_pool: CrossFitted,
    pool: "_Pool",
    train: NluTrainer,
    settings: PoolTrainingSettings,
    *,
    n_rounds: int,
    random_seed: int,
) -> PoolTraining:
    """Return the model after up to ``n_rounds`` rounds of the intents."""
    current, kept, rounds = without_pool, tuple[PoolLabel, ...](), list[RoundOutcome]()
    for number in range(1, n_rounds + 1):
        student, labels = _students(current, pool, train, settings, random_seed)
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


def _with_slots(intents: PoolTraining, pool: "_Pool", settings: PoolTrainingSettings, random_seed: int) -> PoolTraining:
    """Return the model with slots that learnt from what it is sure of, whether or not the intents learnt from it."""
    if intents.model.tagger is None:
        return intents
    fitted = intents.fitted
    labels = intents.labels or _label(fitted.model, fitted.labelled, fitted.calibration, pool, settings)
    accepted = [pool.texts[x.position] for x in labels if x.weight > 0]
    model, slots = self_train_slots(intents.model, fitted.labelled, accepted, random_seed=random_seed)
    return PoolTraining(
        model=model,
        fitted=replace(fitted, model=replace(fitted.model, tagger=model.tagger)),
        rounds=intents.rounds,
        labels=labels if slots is not None and slots.kept else intents.labels,
        slots=slots,
    )


@dataclass(frozen=True, kw_only=True)
class _Pool:
    """The pool texts, how like a request each is (texts,), and how like one it must be."""

    texts: Sequence[str]
    requests: FloatArray
    least_request: float


def _label(
    model: LinearNlu,
    labelled: Labelled,
    calibration: LogOddsCalibration,
    pool: _Pool,
    settings: PoolTrainingSettings,
) -> tuple[PoolLabel, ...]:
    """Return what ``model`` makes of every pool text, in order; of equals under the cap the first are kept."""
    scores, own = model.intent_views.scores(pool.texts), own_columns(model.intents, labelled.functionality)
    probabilities = calibration.probabilities(scores.log_odds(labelled.functionality))
    intents = np.array(model.intents)[own][scores.ranked[:, own].argmax(axis=1)]
    is_sure, is_request = probabilities >= settings.least_probability, pool.requests >= pool.least_request
    n_seed = Counter(u.intent for u in labelled.rows)
    most = {intent: max(1, round(settings.most_per_seed * n_seed[intent])) for intent in labelled.functionality}
    accepted = _most_like_requests(intents, is_sure & is_request, pool.requests, most)
    slots = dict(zip(accepted, model.slot_views.slots([pool.texts[i] for i in accepted]), strict=True))
    return tuple(
        PoolLabel(
            position=i,
            intent=str(intents[i]),
            slots=slots[i].slots if i in slots else (),
            confidence=float(probabilities[i]),
            weight=settings.pseudo_weight if i in slots else 0.0,
            decision=_decision(is_sure=bool(is_sure[i]), is_request=bool(is_request[i]), is_accepted=i in slots),
        )
        for i in range(len(pool.texts))
    )


def _decision(*, is_sure: bool, is_request: bool, is_accepted: bool) -> PoolReason:
    if not is_sure:
        return PoolReason.UNSURE
    if not is_request:
        return PoolReason.NO_REQUEST
    return PoolReason.ACCEPTED if is_accepted else PoolReason.OVER_CAP


def _most_like_requests(
    intents: NDArray[np.str_], is_candidate: NDArray[np.bool_], requests: FloatArray, most: Mapping[str, int]
) -> list[int]:
    """Return the positions of the candidates most like requests, at most ``most`` of each intent, in order."""
    kept: list[int] = []
    for intent in np.unique(intents).tolist():
        candidates = np.flatnonzero(is_candidate & (intents == intent))
        kept += candidates[np.argsort(-requests[candidates], kind="stable")][: most[intent]].tolist()
    return sorted(kept)


def _students(
    current: CrossFitted, pool: _Pool, train: NluTrainer, settings: PoolTrainingSettings, random_seed: int
) -> tuple[CrossFitted, tuple[PoolLabel, ...]]:
    """Return the students of the teachers ``current``, and the labels that the one of all rows learnt from."""
    labelled, made = current.labelled, list[tuple[PoolLabel, ...]]()

    def train_on(rows: NDArray[np.int64], teacher: LinearNlu | None) -> LinearNlu:
        if teacher is None:
            raise DataError(wanted="a teacher for every student", found="none")
        labels = _label(teacher, labelled, current.calibration, pool, settings)
        made.append(labels)
        chosen, accepted = [labelled.rows[i] for i in rows], [x for x in labels if x.weight > 0]
        model = train(
            [*chosen, *(Utterance(text=pool.texts[x.position], intent=x.intent) for x in accepted)],
            weights=[*_weights(chosen, labelled, settings), *(x.weight for x in accepted)],
            excluded_intents=labelled.functionality,
            teacher=teacher,
            slots_of_teacher=True,
            random_seed=random_seed,
        )
        return _linear(model)

    student = cross_fit(labelled, train_on, folds=current.folds, before=current)
    return student, made[0]


def _weights(rows: Sequence[Utterance], labelled: Labelled, settings: BudgetSettings) -> list[float]:
    return [settings.seed_weight if u.intent in labelled.functionality else 1.0 for u in rows]


def _linear(model: NluModel) -> LinearNlu:
    if not isinstance(model, LinearNlu):
        raise ConfigError(wanted="the model 'linear', for self-training at a budget", found=type(model).__name__)
    return model


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
