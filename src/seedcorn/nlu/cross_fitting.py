"""A model and its cross-validation in one: what it would say of labelled utterances that it had not seen.

From held-out log odds come the threshold at the false-alarm budget, the calibration of the log odds, and how much is
missed at that threshold; so the labelled utterances are dev too, and a run without any dev set works.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from seedcorn.corpus.utterances import Utterance
from seedcorn.nlu.calibration import LogOddsCalibration, calibrate_log_odds
from seedcorn.nlu.intent_views import OperatingPoint
from seedcorn.nlu.linear import LinearNlu
from seedcorn.nlu.operating_point import Threshold, threshold_at_budget
from seedcorn.processes import in_processes
from seedcorn.selection import FloatArray


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """The utterances at hand: ``rows`` are trained on, the functionality's and others; ``dev`` (may be empty) never."""

    rows: Sequence[Utterance]
    dev: Sequence[Utterance]
    functionality: frozenset[str]

    @property
    def is_own(self) -> NDArray[np.bool_]:
        """Which of rows and dev, in this order, are of the functionality, (rows + dev,)."""
        return np.array([u.intent in self.functionality for u in (*self.rows, *self.dev)], dtype=np.bool_)


@dataclass(frozen=True, kw_only=True, eq=False)
class CrossFitted:
    """The model of all rows, and for each fold the one trained without it; ``folds`` (rows,) says which fold.

    ``log_odds`` (rows + dev,) are those of the functionality: of rows by the model of the folds without them, of dev by
    the model of all rows.
    """

    labelled: Labelled
    model: LinearNlu
    fold_models: tuple[LinearNlu, ...]
    folds: NDArray[np.int64]
    log_odds: FloatArray

    @cached_property
    def calibration(self) -> LogOddsCalibration:
        """From log odds to the probability of the functionality, by all held-out utterances."""
        return calibrate_log_odds(self.log_odds, self.labelled.is_own)

    def threshold(self, budget: float) -> Threshold:
        """Return the log odds that a share ``budget`` of other utterances exceeds."""
        return threshold_at_budget(self.log_odds[~self.labelled.is_own], budget=budget)

    def missed(self, budget: float) -> NDArray[np.bool_]:
        """Return for the functionality's rows and dev utterances whether they are missed at that ``budget``."""
        return np.asarray(self.log_odds[self.labelled.is_own] <= self.threshold(budget).value, dtype=np.bool_)

    def at_budget(self, budget: float) -> LinearNlu:
        """Return the model of all rows, deciding by the threshold for ``budget``."""
        functionality = tuple(sorted(self.labelled.functionality))
        point = OperatingPoint(functionality=functionality, threshold=self.threshold(budget).value)
        return replace(self.model, operating_point=point)


TrainOn = Callable[[NDArray[np.int64], LinearNlu | None], LinearNlu]
"""Trains on the rows at some positions; the model of the round before for the same rows is given where there is one."""


def cross_fit(
    labelled: Labelled,
    train_on: TrainOn,
    *,
    folds: NDArray[np.int64],
    before: CrossFitted | None = None,
    n_processes: int = 1,
) -> CrossFitted:
    """Return what ``train_on`` makes of all rows and of all but each fold; cost: one training a fold and one more.

    ``n_processes`` train at a time, for which ``train_on`` is sent to the others; no result depends on it.
    """
    return cross_fit_each(labelled, [train_on], folds=folds, before=before, n_processes=n_processes)[0]


def cross_fit_each(
    labelled: Labelled,
    trains_on: Sequence[TrainOn],
    *,
    folds: NDArray[np.int64],
    before: CrossFitted | None = None,
    n_processes: int = 1,
) -> list[CrossFitted]:
    """Return what each of ``trains_on`` makes, as ``cross_fit`` does; the last is begun first, best the longest."""
    is_held_out = [folds < 0, *(folds == fold for fold in range(int(folds.max()) + 1))]
    befores = [None] * len(is_held_out) if before is None else [before.model, *before.fold_models]
    kinds, parts = range(len(trains_on)), range(len(is_held_out))
    order = [*((kind, 0) for kind in reversed(kinds)), *((kind, part) for kind in kinds for part in parts[1:])]
    trainings = [
        partial(_train_and_judge, labelled, trains_on[kind], is_held_out[part], befores[part]) for kind, part in order
    ]
    made = dict(zip(order, in_processes(trainings, n_processes=n_processes), strict=True))
    return [_fitted(labelled, folds, [made[kind, part] for part in parts]) for kind in kinds]


def _fitted(labelled: Labelled, folds: NDArray[np.int64], made: Sequence[tuple[LinearNlu, FloatArray]]) -> CrossFitted:
    """Return the models of all rows and of the folds, in this order, with what they say of what they have not seen."""
    (model, of_dev), *of_folds = made
    log_odds = np.zeros(len(folds) + len(labelled.dev))
    log_odds[len(folds) :] = of_dev
    for fold, (_, of_held_out) in enumerate(of_folds):
        log_odds[np.flatnonzero(folds == fold)] = of_held_out
    fold_models = tuple(fold_model for fold_model, _ in of_folds)
    return CrossFitted(labelled=labelled, model=model, fold_models=fold_models, folds=folds, log_odds=log_odds)


def _train_and_judge(
    labelled: Labelled, train_on: TrainOn, is_held_out: NDArray[np.bool_], before: LinearNlu | None
) -> tuple[LinearNlu, FloatArray]:
    """Return the model of the rows that are not held out, and its log odds of those that are; if none is, of dev."""
    model = train_on(np.flatnonzero(~is_held_out), before)
    judged = [labelled.rows[i] for i in np.flatnonzero(is_held_out).tolist()] if is_held_out.any() else labelled.dev
    return model, log_odds_of(model, labelled.functionality, [u.text for u in judged])


def log_odds_of(model: LinearNlu, functionality: Collection[str], texts: Sequence[str]) -> FloatArray:
    """Return the log odds of the functionality for every text, (n,)."""
    return model.intent_views.scores(texts).log_odds(functionality)
