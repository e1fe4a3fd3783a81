"""Means with intervals over random seeds, and paired bootstrap over test utterances."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from seedcorn.errors import DataError
from seedcorn.selection import FloatArray

Rate: TypeAlias = Callable[[FloatArray], FloatArray]

N_RESAMPLES = 2_000
_RESAMPLES_PER_BLOCK = 64


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A mean with its 95 % confidence interval."""

    mean: float
    low: float
    high: float

    @property
    def is_clear_of_zero(self) -> bool:
        """Whether zero lies outside the interval."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, kw_only=True)
class Reduction:
    """How much of the baseline's error a system removes: 1 - system / baseline, with a 95 % interval and a p-value.

    ``p_value`` is two-sided, for the hypothesis that the system removes nothing.
    """

    relative: float
    low: float
    high: float
    p_value: float


def mean_interval(values: Sequence[float]) -> Interval:
    """Return the mean of one value a random seed with the 95 % interval of Student's t; a single value has no width.

    Raises DataError when there are no values.
    """
    from scipy import stats

    if not values:
        raise DataError(wanted="at least one value to average", found="none")
    mean = float(np.mean(values))
    if len(values) == 1:
        return Interval(mean=mean, low=mean, high=mean)
    half = float(stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))
    return Interval(mean=mean, low=mean - half, high=mean + half)


def sum_rate(sums: FloatArray) -> FloatArray:
    """Return the plain error count, column 0 of ``sums`` (r, 1): for errors over a fixed reference."""
    return sums[:, 0]


def one_minus_f1(sums: FloatArray) -> FloatArray:
    """Return 1 - F1 of the sums (r, 3) of true positives, false positives and false negatives; 0 where all are 0."""
    correct = 2 * sums[:, 0]
    total = correct + sums[:, 1] + sums[:, 2]
    return np.where(total > 0, 1 - correct / np.maximum(total, 1), 0.0)


def paired_bootstrap(
    baseline: FloatArray,
    system: FloatArray,
    *,
    rng: np.random.Generator,
    rate: Rate = sum_rate,
    n_resamples: int = N_RESAMPLES,
) -> Reduction:
    """Return the relative error reduction of ``system`` against ``baseline`` over resampled test utterances.

    Both are additive statistics of the same utterances, (n,) or (n, k), of which ``rate`` makes an error rate. The
    interval is the percentile interval. Where the baseline has no error, the reduction is 0 (or -1 if the system has
    some). Cost: O(n_resamples * n). Source: Bisani and Ney 2004, Bootstrap estimates for confidence intervals in ASR.
    Raises DataError when the two differ in shape or are empty.
    """
    baseline, system = _columns(baseline), _columns(system)
    if baseline.shape != system.shape or len(baseline) == 0:
        raise DataError(
            wanted="statistics of the same utterances", found=f"{len(baseline)} and {len(system)} utterances"
        )
    both = np.hstack([baseline, system])
    sums = np.vstack([both.sum(axis=0, keepdims=True), _resampled_sums(both, n_resamples, rng)])
    k = baseline.shape[1]
    reductions = _reductions(rate(sums[:, :k]), rate(sums[:, k:]))
    observed, resampled = reductions[0], reductions[1:]
    low, high = np.quantile(resampled, [0.025, 0.975])
    tail = min(int((resampled <= 0).sum()), int((resampled >= 0).sum()))
    p_value = min(1.0, 2 * (tail + 1) / (n_resamples + 1))
    return Reduction(relative=float(observed), low=float(low), high=float(high), p_value=p_value)


def _columns(statistics: FloatArray) -> FloatArray:
    return np.asarray(statistics, dtype=np.float64).reshape(len(statistics), -1)


def _resampled_sums(columns: FloatArray, n_resamples: int, rng: np.random.Generator) -> FloatArray:
    """Return the sums over ``n_resamples`` draws of n utterances with replacement, (n_resamples, k)."""
    n = len(columns)
    blocks: list[NDArray[np.float64]] = []
    for first in range(0, n_resamples, _RESAMPLES_PER_BLOCK):
        n_draws = min(_RESAMPLES_PER_BLOCK, n_resamples - first)
        drawn = rng.integers(0, n, size=(n_draws, n))
        times_drawn = np.stack([np.bincount(row, minlength=n) for row in drawn])
        blocks.append(times_drawn @ columns)
    return np.vstack(blocks)


def _reductions(baseline: FloatArray, system: FloatArray) -> FloatArray:
    without_error = np.where(system > 0, -1.0, 0.0)
    return np.where(baseline > 0, 1 - system / np.where(baseline > 0, baseline, 1), without_error)
