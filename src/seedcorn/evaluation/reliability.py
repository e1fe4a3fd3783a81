"""Whether confidences mean what they say: how often predictions of each confidence are right."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedcorn.corpus.predictions import Prediction
from seedcorn.corpus.utterances import Utterance
from seedcorn.selection import FloatArray


@dataclass(frozen=True, kw_only=True)
class ReliabilityBin:
    """The predictions whose confidence lies in (low, high]: how many, their mean confidence, the fraction right."""

    low: float
    high: float
    n_predictions: int
    mean_confidence: float
    right_fraction: float


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
