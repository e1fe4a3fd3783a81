"""Confidences that mean what they say: calibrated on predictions that cross-validation makes on the training data.

A model is surest of what it was trained on, and dev may be tiny; so every training utterance is predicted by a model
trained without it, and a monotone map from confidence to the fraction that was right is fitted on these predictions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seedcorn.array_files import checked, read_arrays
from seedcorn.corpus.predictions import Prediction
from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import DataError
from seedcorn.evaluation.reliability import all_slots_confidences, intent_confidences, slot_confidences
from seedcorn.nlu.cross_validation import cross_validated_predictions
from seedcorn.nlu.model import NluTrainer
from seedcorn.selection import FloatArray

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
    """Return the calibration of held-out ``log_odds`` (n,) (Platt 1999)."""
    return _platt_line(log_odds, positive, inverse_penalty=_NEARLY_UNREGULARISED)


def _platt_line(log_odds: FloatArray, positive: NDArray[np.bool_], *, inverse_penalty: float) -> LogOddsCalibration:
    """Fit on Platt's smoothed targets, which also settles the case where all predictions are right or all are wrong."""
    from sklearn.linear_model import LogisticRegression

    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    targets = np.where(positive, (n_positive + 1) / (n_positive + 2), 1 / (n_negative + 2))
    fitted = LogisticRegression(C=inverse_penalty).fit(
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
    line = _platt_line(_log_odds(confidences), right, inverse_penalty=1.0)
    knots = np.linspace(0.0, 1.0, _N_PLATT_KNOTS)
    probabilities = 1.0 / (1.0 + np.exp(-(line.slope * _log_odds(knots) + line.offset)))
    return Calibrator(confidences=knots, probabilities=probabilities)


def _log_odds(confidences: FloatArray) -> FloatArray:
    clipped = np.clip(confidences, _SMALLEST, 1 - _SMALLEST)
    return np.asarray(np.log(clipped / (1 - clipped)), dtype=np.float64)
