"""Where a model stands between misses and false alarms: one threshold for a budget of false alarms.

An utterance of another intent whose log odds of the functionality are above the threshold is a false alarm. The budget
is the share of other utterances that may be one. Models are compared each at its own threshold for the same budget.
"""

from dataclasses import dataclass

import numpy as np

from seedcorn.errors import DataError
from seedcorn.selection import FloatArray

FALSE_ALARM_BUDGET = 0.003
_TAIL_PER_ALARM = 4  # the tail is fitted to so many times the log odds that the budget lets through
_FEWEST_IN_TAIL = 10


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """The log odds above which an utterance is for the functionality, and the standard error of their estimate."""

    value: float
    standard_error: float


def threshold_at_budget(log_odds_of_others: FloatArray, *, budget: float = FALSE_ALARM_BUDGET) -> Threshold:
    """Return the log odds that a share ``budget`` of new utterances of other intents is expected to exceed.

    ``log_odds_of_others`` (n,) are those of such utterances by models that were not trained on them. The largest k of
    them, four times as many as the budget lets through but at least ten, are taken to exceed the next by an exponential
    law: its scale s is their mean excess, the threshold lies s log(k / (n budget)) above that next one (Weissman 1978).
    The k-th largest of few would be noise; this uses the whole tail, and extrapolates where n x budget is below one.
    The standard error is that of s and of the share k / n together, by the delta method. Raises DataError for fewer
    than two, or a budget that is no share.
    """
    n = len(log_odds_of_others)
    if n < 2 or not 0 < budget < 1:
        raise DataError(wanted="at least two log odds and a budget between 0 and 1", found=f"{n} and {budget}")
    descending = np.sort(log_odds_of_others)[::-1]
    k = min(max(_FEWEST_IN_TAIL, int(np.ceil(_TAIL_PER_ALARM * budget * n))), n - 1)
    scale = float(np.mean(descending[:k] - descending[k]))
    depth = float(np.log(k / (n * budget)))
    return Threshold(
        value=float(descending[k]) + scale * depth,
        standard_error=scale * float(np.sqrt((1.0 + depth**2) / k)),
    )
