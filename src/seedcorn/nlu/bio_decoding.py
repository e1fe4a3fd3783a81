"""The best label sequence that is well-formed BIO: Viterbi over token log-probabilities with forbidden transitions."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seedcorn.nlu.tokens import OUTSIDE
from seedcorn.selection import FloatArray


def bio_labels(slot_types: Sequence[str]) -> tuple[str, ...]:
    """Return O and the B and I labels of the sorted ``slot_types``."""
    return (OUTSIDE, *(f"{mark}-{type_}" for type_ in sorted(set(slot_types)) for mark in "BI"))


def allowed_transitions(labels: Sequence[str]) -> NDArray[np.bool_]:
    """Return which label may follow which, shape (labels, labels): I-type only after B-type or I-type."""
    return np.array([[not b.startswith("I-") or (a != OUTSIDE and a[2:] == b[2:]) for b in labels] for a in labels])


def best_bio_labels(token_logps: FloatArray, labels: Sequence[str]) -> list[str]:
    """Return the well-formed label sequence of highest total ``token_logps`` (tokens, labels); ties by label order."""
    if not len(token_logps):
        return []
    penalties = np.where(allowed_transitions(labels), 0.0, -np.inf)
    cannot_begin = np.array([label.startswith("I-") for label in labels])
    scores = np.where(cannot_begin, -np.inf, token_logps[0])
    back: list[NDArray[np.int64]] = []
    for logps in token_logps[1:]:
        paths = scores[:, np.newaxis] + penalties
        back.append(paths.argmax(axis=0))
        scores = paths.max(axis=0) + logps
    best = [int(scores.argmax())]
    for pointers in reversed(back):
        best.append(int(pointers[best[-1]]))
    return [labels[i] for i in reversed(best)]
