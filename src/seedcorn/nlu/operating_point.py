"""Where a model stands between misses and false alarms: one threshold for a budget of false alarms.

The lead of an utterance is by how much the log odds of the functionality's best intent beat those of the best other
one; an utterance of another intent whose lead is above the threshold is a false alarm. The budget is the share of
other utterances that may be one. Models are compared each at its own threshold for the same budget.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import DataError
from seedcorn.nlu.linear import LinearNlu
from seedcorn.selection import FloatArray

FALSE_ALARM_BUDGET = 0.003
_TAIL_PER_ALARM = 4  # the tail is fitted to so many times the leads that the budget lets through
_FEWEST_IN_TAIL = 10
_ROUNDING = 1e-9  # lest the utterance that sets the offset still passes


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """The lead above which an utterance is taken for the functionality, and the standard error of its estimate."""

    value: float
    standard_error: float


def threshold_at_budget(leads_of_others: FloatArray, *, budget: float = FALSE_ALARM_BUDGET) -> Threshold:
    """Return the lead that a share ``budget`` of new utterances of other intents is expected to exceed.

    ``leads_of_others`` (n,) are leads of such utterances by models that were not trained on them. The largest k of
    them, four times as many as the budget lets through but at least ten, are taken to exceed the next by an exponential
    law: its scale s is their mean excess, the threshold lies s log(k / (n budget)) above that next one (Weissman 1978).
    The k-th largest of few would be noise; this uses the whole tail, and extrapolates where n x budget is below one.
    The standard error is that of s and of the share k / n together, by the delta method. Raises DataError for fewer
    than two leads, or a budget that is no share.
    """
    n = len(leads_of_others)
    if n < 2 or not 0 < budget < 1:
        raise DataError(wanted="at least two leads and a budget between 0 and 1", found=f"{n} and {budget}")
    descending = np.sort(leads_of_others)[::-1]
    k = min(max(_FEWEST_IN_TAIL, int(np.ceil(_TAIL_PER_ALARM * budget * n))), n - 1)
    scale = float(np.mean(descending[:k] - descending[k]))
    depth = float(np.log(k / (n * budget)))
    return Threshold(
        value=float(descending[k]) + scale * depth,
        standard_error=scale * float(np.sqrt((1.0 + depth**2) / k)),
    )


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
