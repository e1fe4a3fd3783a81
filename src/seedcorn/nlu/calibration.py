"""Confidences that mean what they say: calibrated on predictions that cross-validation makes on the training data.

A model is surest of what it was trained on, and dev may be tiny; so every training utterance is predicted by a model
trained without it, and a monotone map from confidence to the fraction that was right is fitted on these predictions.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from seedcorn.array_files import checked, read_arrays
from seedcorn.corpus.predictions import Prediction
from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import DataError
from seedcorn.nlu.model import NluModel, NluTrainer
from seedcorn.progress import track
from seedcorn.selection import FloatArray

Answer = TypeVar("Answer")
_FEWEST_FOR_ISOTONIC = 200
_SMALLEST = 1e-6
_CALIBRATED = ("intent", "slot", "all_slots")
_N_PLATT_KNOTS = 101
_NEARLY_UNREGULARISED = 1e3


class CalibrationMethod(StrEnum):
    """How confidences are mapped to probabilities."""

    ISOTONIC = "isotonic"  # the best monotone map (Zadrozny & Elkan 2002); wants some hundred examples
    PLATT = "platt"  # logistic in the log odds (Platt 1999): two parameters; with offset 0 it is temperature scaling
    AUTO = "auto"  # isotonic from 200 examples on, Platt below


@dataclass(frozen=True, kw_only=True)
class Calibrator:
    """A monotone map: linear between ``confidences`` (k,), increasing, whose ``probabilities`` (k,) never fall."""

    confidences: FloatArray
    probabilities: FloatArray

    def __call__(self, confidences: FloatArray) -> FloatArray:
        """Return the calibrated probability of each confidence."""
        return np.interp(confidences, self.confidences, self.probabilities)


UNCALIBRATED = Calibrator(confidences=np.array([0.0, 1.0]), probabilities=np.array([0.0, 1.0]))


@dataclass(frozen=True, kw_only=True)
class NluCalibration:
    """The calibrators of intents, of slot spans, and of all slots of an utterance being right."""

    intent: Calibrator = UNCALIBRATED
    slot: Calibrator = UNCALIBRATED
    all_slots: Calibrator = UNCALIBRATED

    def calibrated(self, prediction: Prediction) -> Prediction:
        """Return ``prediction`` with calibrated probabilities."""
        slots = self.slot(np.array(prediction.slot_probabilities, dtype=np.float64))
        return replace(
            prediction,
            intent_probability=_one(self.intent, prediction.intent_probability),
            all_slots_probability=_one(self.all_slots, prediction.all_slots_probability),
            slot_probabilities=tuple(float(p) for p in slots),
        )


def _one(calibrator: Calibrator, confidence: float) -> float:
    return float(calibrator(np.array([confidence]))[0])


def save_calibration(calibration: NluCalibration, path: Path) -> None:
    """Write ``calibration`` as .npz."""
    arrays = {
        f"{name}/{part}": getattr(getattr(calibration, name), part)
        for name in _CALIBRATED
        for part in ("confidences", "probabilities")
    }
    np.savez_compressed(path, allow_pickle=False, **arrays)


def load_calibration(path: Path) -> NluCalibration:
    """Return the calibration that ``save_calibration`` wrote. Raises DataError when it is something else."""
    arrays = read_arrays(path, wanted="the calibration of an NLU model")
    try:
        return NluCalibration(**{name: _calibrator(arrays, name) for name in _CALIBRATED})
    except (ValueError, KeyError) as error:
        raise DataError(wanted="the calibration of an NLU model", found=str(error), where=path) from error


def _calibrator(arrays: Mapping[str, NDArray[np.generic]], name: str) -> Calibrator:
    """Return one calibrator. Raises ValueError for what is no monotone map to probabilities."""
    confidences = checked(arrays, f"{name}/confidences", np.float64, shape=(None,))
    probabilities = checked(arrays, f"{name}/probabilities", np.float64, shape=confidences.shape)
    falls = (np.diff(confidences) < 0).any() or (np.diff(probabilities) < 0).any()
    if not len(confidences) or falls or probabilities[0] < 0 or probabilities[-1] > 1:
        raise ValueError(f"'{name}', which is no rising map to probabilities")
    return Calibrator(confidences=confidences, probabilities=probabilities)


@dataclass(frozen=True, kw_only=True)
class ReliabilityBin:
    """The predictions whose confidence lies in (low, high]: how many, their mean confidence, the fraction right."""

    low: float
    high: float
    n_predictions: int
    mean_confidence: float
    right_fraction: float


def calibrate(
    train: NluTrainer,
    utterances: Sequence[Utterance],
    *,
    method: CalibrationMethod = CalibrationMethod.AUTO,
    n_folds: int = 3,
    random_seed: int = 0,
) -> NluCalibration:
    """Return calibrators for the models that ``train`` makes from ``utterances``. Cost: ``n_folds`` trainings."""
    predictions = cross_validated_predictions(train, utterances, n_folds=n_folds, random_seed=random_seed)
    intents, intents_right = intent_confidences(utterances, predictions)
    slots, slots_right = slot_confidences(utterances, predictions)
    return NluCalibration(
        intent=fit_calibrator(intents, intents_right, method=method),
        slot=fit_calibrator(slots, slots_right, method=method),
        all_slots=fit_calibrator(*all_slots_confidences(utterances, predictions), method=method),
    )


def cross_validated_predictions(
    train: NluTrainer, utterances: Sequence[Utterance], *, n_folds: int = 3, random_seed: int = 0
) -> list[Prediction]:
    """Return for every utterance the prediction of a model trained on the other folds; folds are alike in intents.

    Raises DataError when there are fewer than two utterances.
    """
    return cross_validated(
        train,
        utterances,
        lambda model, held_out: model.predict([u.text for u in held_out]),
        n_folds=n_folds,
        random_seed=random_seed,
    )


def cross_validated(
    train: NluTrainer,
    utterances: Sequence[Utterance],
    answer: Callable[[NluModel, Sequence[Utterance]], Sequence[Answer]],
    *,
    n_folds: int = 3,
    random_seed: int = 0,
) -> list[Answer]:
    """Return ``answer`` of every utterance by a model trained on the other folds; folds are alike in intents.

    Raises DataError when there are fewer than two utterances.
    """
    if len(utterances) < 2:
        raise DataError(wanted="at least two utterances to cross-validate on", found=str(len(utterances)))
    folds = folds_alike([u.intent for u in utterances], min(n_folds, len(utterances)), random_seed)
    answers: dict[int, Answer] = {}
    for fold in track(range(folds.max() + 1), "cross-validation folds"):
        held_out = np.flatnonzero(folds == fold).tolist()
        others = [u for u, its_fold in zip(utterances, folds, strict=True) if its_fold != fold]
        model = train(others, random_seed=random_seed)
        answers.update(zip(held_out, answer(model, [utterances[i] for i in held_out]), strict=True))
    return [answers[i] for i in range(len(utterances))]


def folds_alike(intents: Sequence[str], n_folds: int, random_seed: int) -> NDArray[np.int64]:
    """Return the fold of every utterance: shuffled, sorted by intent, dealt out in turn."""
    shuffled = np.random.default_rng(random_seed).permutation(len(intents))
    by_intent = shuffled[np.argsort(np.array(intents)[shuffled], kind="stable")]
    folds = np.empty(len(intents), dtype=np.int64)
    folds[by_intent] = np.arange(len(intents)) % n_folds
    return folds


def intent_confidences(
    utterances: Sequence[Utterance], predictions: Sequence[Prediction]
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return the confidence of every predicted intent and whether it is right, both of shape (utterances,)."""
    right = [u.intent == p.intent for u, p in zip(utterances, predictions, strict=True)]
    return np.array([p.intent_probability for p in predictions]), np.array(right, dtype=np.bool_)


def slot_confidences(
    utterances: Sequence[Utterance], predictions: Sequence[Prediction]
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return the confidence of every slot found where the intent is right, and whether start, end and type are."""
    found = [
        (confidence, slot in u.slots)
        for u, p in zip(utterances, predictions, strict=True)
        if u.intent == p.intent
        for slot, confidence in zip(p.slots, p.slot_probabilities, strict=True)
    ]
    return np.array([c for c, _ in found], dtype=np.float64), np.array([r for _, r in found], dtype=np.bool_)


def all_slots_confidences(
    utterances: Sequence[Utterance], predictions: Sequence[Prediction]
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return the confidence in all slots where the intent is right, and whether they are; certain ones left out."""
    found = [
        (p.all_slots_probability, u.slots == p.slots)
        for u, p in zip(utterances, predictions, strict=True)
        if u.intent == p.intent and p.all_slots_probability < 1.0
    ]
    return np.array([c for c, _ in found], dtype=np.float64), np.array([r for _, r in found], dtype=np.bool_)


def fit_calibrator(
    confidences: FloatArray, right: NDArray[np.bool_], *, method: CalibrationMethod = CalibrationMethod.AUTO
) -> Calibrator:
    """Return the map from confidence to the probability of being right; the identity when there is nothing to fit."""
    if not len(confidences):
        return UNCALIBRATED
    isotonic = method is CalibrationMethod.ISOTONIC or (
        method is CalibrationMethod.AUTO and len(confidences) >= _FEWEST_FOR_ISOTONIC
    )
    return _isotonic(confidences, right) if isotonic else _platt(confidences, right)


@dataclass(frozen=True, kw_only=True)
class LogOddsCalibration:
    """Platt's map of log odds to probabilities: logistic(slope x log odds + offset)."""

    slope: float
    offset: float

    def probabilities(self, log_odds: FloatArray) -> FloatArray:
        """Return the calibrated probability of each of ``log_odds``."""
        return np.asarray(0.5 * (1.0 + np.tanh(0.5 * (self.slope * log_odds + self.offset))), dtype=np.float64)


def calibrate_log_odds(log_odds: FloatArray, positive: NDArray[np.bool_]) -> LogOddsCalibration:
    """Return the calibration of held-out ``log_odds`` (n,) (Platt 1999, with his smoothed targets)."""
    from sklearn.linear_model import LogisticRegression

    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    targets = np.where(positive, (n_positive + 1) / (n_positive + 2), 1 / (n_negative + 2))
    fitted = LogisticRegression(C=_NEARLY_UNREGULARISED).fit(
        np.tile(log_odds, 2)[:, np.newaxis],
        np.repeat([True, False], len(log_odds)),
        sample_weight=np.concatenate([targets, 1 - targets]),
    )
    return LogOddsCalibration(slope=max(float(fitted.coef_[0, 0]), 0.0), offset=float(fitted.intercept_[0]))


def _isotonic(confidences: FloatArray, right: NDArray[np.bool_]) -> Calibrator:
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(confidences, right.astype(np.float64))
    return Calibrator(
        confidences=np.asarray(fitted.X_thresholds_, dtype=np.float64),
        probabilities=np.asarray(fitted.y_thresholds_, dtype=np.float64),
    )


def _platt(confidences: FloatArray, right: NDArray[np.bool_]) -> Calibrator:
    """Fit on Platt's smoothed targets, which also settles the case where all predictions are right or all are wrong."""
    from sklearn.linear_model import LogisticRegression

    n_right, n_wrong = int(right.sum()), int((~right).sum())
    targets = np.where(right, (n_right + 1) / (n_right + 2), 1 / (n_wrong + 2))
    rows = np.tile(_log_odds(confidences), 2)[:, np.newaxis]
    labels = np.repeat([True, False], len(confidences))
    fitted = LogisticRegression(C=1.0).fit(rows, labels, sample_weight=np.concatenate([targets, 1 - targets]))
    knots = np.linspace(0.0, 1.0, _N_PLATT_KNOTS)
    slope = max(float(fitted.coef_[0, 0]), 0.0)
    probabilities = 1.0 / (1.0 + np.exp(-(slope * _log_odds(knots) + float(fitted.intercept_[0]))))
    return Calibrator(confidences=knots, probabilities=probabilities)


def _log_odds(confidences: FloatArray) -> FloatArray:
    clipped = np.clip(confidences, _SMALLEST, 1 - _SMALLEST)
    return np.asarray(np.log(clipped / (1 - clipped)), dtype=np.float64)


def reliability_table(
    confidences: FloatArray, right: NDArray[np.bool_], *, n_bins: int = 10
) -> tuple[ReliabilityBin, ...]:
    """Return the predictions in ``n_bins`` bins of equal width, empty bins left out."""
    bins = np.clip(np.ceil(confidences * n_bins).astype(np.int64) - 1, 0, n_bins - 1)
    return tuple(
        ReliabilityBin(
            low=b / n_bins,
            high=(b + 1) / n_bins,
            n_predictions=int((bins == b).sum()),
            mean_confidence=float(confidences[bins == b].mean()),
            right_fraction=float(right[bins == b].mean()),
        )
        for b in np.unique(bins).tolist()
    )


def expected_calibration_error(confidences: FloatArray, right: NDArray[np.bool_], *, n_bins: int = 10) -> float:
    """Return the mean distance of confidence and fraction right, bins weighted by size (Guo et al. 2017, eq. 3)."""
    table = reliability_table(confidences, right, n_bins=n_bins)
    distances = [b.n_predictions * abs(b.mean_confidence - b.right_fraction) for b in table]
    return float(sum(distances) / len(confidences)) if len(confidences) else 0.0
