"""Is an utterance for the functionality? One log odds an utterance, and the threshold above which the answer is yes.

Every intent has a classifier of its own against all others. The functionality's alone knows only what fifty utterances
tell; that another intent claims an utterance speaks against the functionality, but less than its own classifier does.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedcorn.selection import FloatArray

OTHERS_SHARE = (
    0.5  # chosen on development functionalities: 0 misses what looks alike, 1 what the others are too sure of
)


@dataclass(frozen=True, kw_only=True)
class OperatingPoint:
    """The intents that are the functionality, and the log odds above which an utterance is for it."""

    functionality: tuple[str, ...]
    threshold: float = 0.0

    def choose(self, scores: FloatArray, log_odds: FloatArray, intents: Sequence[str]) -> NDArray[np.int64]:
        """Return the column of the intent chosen for every row of ``scores`` (texts, intents), (texts,).

        It is the best of the functionality's where its ``log_odds`` (texts,) are above the threshold, else the best
        other one.
        """
        own = own_columns(intents, self.functionality)
        if own.all() or not own.any():
            return np.asarray(scores.argmax(axis=1), dtype=np.int64)
        best_own = np.where(own, scores, -np.inf).argmax(axis=1)
        best_other = np.where(own, -np.inf, scores).argmax(axis=1)
        return np.asarray(np.where(log_odds > self.threshold, best_own, best_other), dtype=np.int64)


def functionality_log_odds(margins: FloatArray, own: NDArray[np.bool_]) -> FloatArray:
    """Return the margin of the best ``own`` (intents,) intent less half that of the best other one, (texts,)."""
    best_own = margins[:, own].max(axis=1)
    if own.all():
        return np.asarray(best_own, dtype=np.float64)
    return np.asarray(best_own - OTHERS_SHARE * margins[:, ~own].max(axis=1), dtype=np.float64)


def own_columns(intents: Sequence[str], functionality: Collection[str]) -> NDArray[np.bool_]:
    """Return which of ``intents`` are of the functionality, (intents,)."""
    return np.array([intent in functionality for intent in intents], dtype=np.bool_)
