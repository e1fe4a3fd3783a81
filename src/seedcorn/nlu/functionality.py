"""Is an utterance for the functionality? One log odds an utterance, of the margins of all intents.

Every intent has a classifier of its own against all others. The functionality's alone knows only what fifty utterances
tell; that another intent claims an utterance speaks against the functionality, but less than its own classifier does.
"""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from seedcorn.selection import FloatArray

OTHERS_SHARE = (
    0.5  # chosen on development functionalities: 0 misses what looks alike, 1 what the others are too sure of
)


def functionality_log_odds(margins: FloatArray, own: NDArray[np.bool_]) -> FloatArray:
    """Return the margin of the best ``own`` (intents,) intent less half that of the best other one, (texts,)."""
    best_own = margins[:, own].max(axis=1)
    if own.all():
        return np.asarray(best_own, dtype=np.float64)
    return np.asarray(best_own - OTHERS_SHARE * margins[:, ~own].max(axis=1), dtype=np.float64)


def own_columns(intents: Sequence[str], functionality: Collection[str]) -> NDArray[np.bool_]:
    """Return which of ``intents`` are of the functionality, (intents,)."""
    return np.array([intent in functionality for intent in intents], dtype=np.bool_)
