"""Where a model stands between misses and false alarms: grown models find more, and may not cry wolf more often.

The lead of an utterance is by how much the best intent of the functionality beats the best other one; an utterance of
another intent with a positive lead is a false alarm. A grown model is held by an offset to all leads.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from seedcorn.corpus.utterances import Utterance
from seedcorn.nlu.linear import LinearNlu
from seedcorn.selection import FloatArray

_ROUNDING = 1e-9  # lest the utterance that sets the offset still passes


def hold_false_alarms(
    model: LinearNlu, functionality: Collection[str], dev: Sequence[Utterance], *, like: LinearNlu
) -> LinearNlu:
    """Return ``model``, its intents of the functionality made just less likely enough to alarm no more than ``like``.

    What counts is the false alarms to be expected on new utterances, estimated on those of other intents in ``dev``:
    see ``offset_for``. A model that keeps to that already comes back as it is.
    """
    others = [u.text for u in dev if u.intent not in functionality]
    own = _own_columns(model, functionality)
    if not others or own.all() or _own_columns(like, functionality).all():
        return model
    offset = offset_for(leads(model, functionality, others), leads(like, functionality, others))
    if offset <= 0:
        return model
    lowered = model.maxent.intercepts - np.where(own, offset + _ROUNDING, 0.0)
    return replace(model, maxent=replace(model.maxent, intercepts=lowered))


def leads(model: LinearNlu, functionality: Collection[str], texts: Sequence[str]) -> FloatArray:
    """Return the margin of the best intent of ``functionality`` over that of the best other, (n,); both must exist."""
    own, margins = _own_columns(model, functionality), model.maxent.margins(texts)
    return np.asarray(margins[:, own].max(axis=1) - margins[:, ~own].max(axis=1), dtype=np.float64)


def offset_for(grown: FloatArray, reference: FloatArray) -> float:
    """Return what must be taken off the leads ``grown`` (n,) lest they pass zero more often than ``reference`` (n,).

    Where k > 0 of the reference do, that is the k-th largest of the grown: k / (n + 1) of new leads pass it on average,
    while the next one, which would leave k alarms here too, is passed by (k + 1) / (n + 1). Where none does, zero lies
    some scales of the tail beyond the largest of the reference, and the offset as many scales beyond that of the grown.
    The scale is the mean excess over the next of the sqrt(n) largest, as if tails were exponential.
    """
    n_alarms = int((reference > 0).sum())
    descending = np.sort(grown)[::-1]
    if n_alarms:
        return float(descending[n_alarms - 1])
    scales = -float(reference.max()) / _tail_scale(reference)
    return float(descending[0]) + scales * _tail_scale(grown)


def _tail_scale(values: FloatArray) -> float:
    """Return the mean excess of the largest sqrt(n) of ``values`` over the next; positive."""
    descending = np.sort(values)[::-1]
    k = min(int(np.ceil(np.sqrt(len(values)))), len(values) - 1)
    excess = float(np.mean(descending[:k] - descending[k])) if k else 0.0
    return excess if excess > 0 else 1.0


def _own_columns(model: LinearNlu, functionality: Collection[str]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.array([intent in functionality for intent in model.intents])
