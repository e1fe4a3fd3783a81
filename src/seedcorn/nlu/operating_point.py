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
    """Return ``model`` with the functionality's intents made less likely, just so that it alarms no more than ``like``.

    On dev it then has no more false alarms than ``like``. It is held further, until as few are to be expected on new
    utterances (see ``matching_offset``), but not so far that it would find less of the functionality on dev than
    ``like`` does. A model that keeps to that already comes back as it is.
    """
    own = _own_columns(model, functionality)
    others = [u.text for u in dev if u.intent not in functionality]
    if not others or own.all() or _own_columns(like, functionality).all():
        return model
    grown, reference = leads(model, functionality, others), leads(like, functionality, others)
    n_alarms = int((reference > 0).sum())
    if n_alarms == len(others):
        return model
    most = _most_offset(model, like, functionality, [u.text for u in dev if u.intent in functionality])
    offset = max(_next_largest(grown, n_alarms), min(matching_offset(grown, reference), most))
    if offset <= 0:
        return model
    lowered = model.maxent.intercepts - np.where(own, offset + _ROUNDING, 0.0)
    return replace(model, maxent=replace(model.maxent, intercepts=lowered))


def _most_offset(model: LinearNlu, like: LinearNlu, functionality: Collection[str], wanted: Sequence[str]) -> float:
    """Return the offset up to which ``model`` finds as many of the texts ``wanted`` as ``like`` does."""
    n_found = int((leads(like, functionality, wanted) > 0).sum())
    return _next_largest(leads(model, functionality, wanted), n_found - 1) - 2 * _ROUNDING if n_found else np.inf


def leads(model: LinearNlu, functionality: Collection[str], texts: Sequence[str]) -> FloatArray:
    """Return the margin of the best intent of ``functionality`` over that of the best other, (n,); both must exist."""
    own, margins = _own_columns(model, functionality), model.maxent.margins(texts)
    return np.asarray(margins[:, own].max(axis=1) - margins[:, ~own].max(axis=1), dtype=np.float64)


def matching_offset(grown: FloatArray, reference: FloatArray) -> float:
    """Return what must be taken off the leads ``grown`` (n,) for zero to be the same quantile as of ``reference`` (n,).

    Not all of the reference are positive; between two leads quantiles are linear. Where none is positive, zero lies
    some scales of the tail beyond the largest of the reference, and the offset as many scales beyond the largest of the
    grown. The scale is the mean excess over the next of the sqrt(n) largest, as if tails were exponential.
    """
    n_alarms = int((reference > 0).sum())
    if not n_alarms:
        scales = -float(reference.max()) / _tail_scale(reference)
        return float(grown.max()) + scales * _tail_scale(grown)
    low, high = (_next_largest(reference, k) for k in (n_alarms, n_alarms - 1))
    low_grown, high_grown = (_next_largest(grown, k) for k in (n_alarms, n_alarms - 1))
    return low_grown + (high_grown - low_grown) * -low / (high - low)


def _next_largest(values: FloatArray, k: int) -> float:
    return float(np.sort(values)[::-1][k])


def _tail_scale(values: FloatArray) -> float:
    """Return the mean excess of the largest sqrt(n) of ``values`` over the next; positive."""
    descending = np.sort(values)[::-1]
    k = min(int(np.ceil(np.sqrt(len(values)))), len(values) - 1)
    excess = float(np.mean(descending[:k] - descending[k])) if k else 0.0
    return excess if excess > 0 else 1.0


def _own_columns(model: LinearNlu, functionality: Collection[str]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.array([intent in functionality for intent in model.intents])
