"""How many labels are needed: a learning curve on subsets of what is labelled, and what it will be with more.

The error of a model trained on n examples falls as ``a n^-b + c`` (Cortes et al. 1994; Hestness et al. 2017), but it
begins at one, so that from few labels this law foretells too much, and one that bends, ``1 - exp(-a n^-b)``, too
little: the curve is the mean of both. They are fitted to the errors on nested random subsets, the larger ones counting
more, as laws hold far from the start; subsets are resampled, fitted again and given the spread that single trainings
have, and that of the law itself: how far it missed the larger subsets when it was fitted to smaller ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from seedcorn.errors import DataError
from seedcorn.selection import FloatArray

MORE_LABELS = (25, 50, 100, 200)
_EXPONENTS = np.geomspace(0.05, 2.0, 40)
_N_RESAMPLES = 400
_LEAST_ERROR = 1e-3  # 0 and 1 have no logarithm


@dataclass(frozen=True, kw_only=True)
class PowerLaw:
    """error(n) = scale * n ** -exponent + floor."""

    scale: float
    exponent: float
    floor: float

    def __call__(self, n_labels: float | FloatArray) -> FloatArray:
        """Return the error with ``n_labels``."""
        return np.asarray(self.scale * np.power(n_labels, -self.exponent) + self.floor, dtype=np.float64)


@dataclass(frozen=True, kw_only=True)
class SaturatingLaw:
    """error(n) = 1 - exp(-scale * n ** -exponent): one without labels, a power law where the error is low."""

    scale: float
    exponent: float

    def __call__(self, n_labels: float | FloatArray) -> FloatArray:
        """Return the error with ``n_labels``."""
        return np.asarray(-np.expm1(-self.scale * np.power(n_labels, -self.exponent)), dtype=np.float64)


@dataclass(frozen=True, kw_only=True)
class MeanLaw:
    """The mean of a power law and of one that saturates."""

    power: PowerLaw
    saturating: SaturatingLaw

    def __call__(self, n_labels: float | FloatArray) -> FloatArray:
        """Return the error with ``n_labels``."""
        return np.asarray((self.power(n_labels) + self.saturating(n_labels)) / 2, dtype=np.float64)


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """The error to be expected after ``n_more`` further labels, with its 80 % interval."""

    n_more: int
    error: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class LearningCurve:
    """The fitted curve, the forecasts, and after how many more labels 25 further ones are not worth it (None: later).

    ``points`` are the measured (number of labels, error).
    """

    points: tuple[tuple[int, float], ...]
    curve: MeanLaw
    forecasts: tuple[Forecast, ...]
    stop_after: int | None


def fit_power_law(n_labels: FloatArray, errors: FloatArray) -> PowerLaw:
    """Return the power law of least squares with scale, floor >= 0 and exponent in 0.05..2.

    Each point counts the square of its number of labels. For each exponent of a grid scale and floor follow in closed
    form. Raises DataError for fewer than two sizes.
    """
    _refuse_one_size(n_labels)
    powers = n_labels ** -_EXPONENTS[:, None]  # (exponents, points)
    weights = n_labels**2 / (n_labels**2).sum()
    scales, floors = _scales_and_floors(powers, errors, weights)
    squares = (scales[:, None] * powers + floors[:, None] - errors) ** 2 @ weights
    best = int(np.argmin(squares))
    return PowerLaw(scale=float(scales[best]), exponent=float(_EXPONENTS[best]), floor=float(floors[best]))


def fit_saturating_law(n_labels: FloatArray, errors: FloatArray) -> SaturatingLaw:
    """Return the saturating law that never rises, of least squares of log(-log(1 - error)) over log n, weighted alike.

    Raises DataError for fewer than two sizes.
    """
    _refuse_one_size(n_labels)
    weights = n_labels**2 / (n_labels**2).sum()
    x = np.log(n_labels)
    y = np.log(-np.log1p(-np.clip(errors, _LEAST_ERROR, 1 - _LEAST_ERROR)))
    spread = x - x @ weights
    slope = min(float((spread * y) @ weights / (spread**2 @ weights)), 0.0)
    return SaturatingLaw(scale=float(np.exp(y @ weights - slope * (x @ weights))), exponent=-slope)


def _fitted(n_labels: FloatArray, errors: FloatArray) -> MeanLaw:
    return MeanLaw(power=fit_power_law(n_labels, errors), saturating=fit_saturating_law(n_labels, errors))


def _refuse_one_size(n_labels: FloatArray) -> None:
    if len(np.unique(n_labels)) < 2:
        raise DataError(wanted="errors at two or more numbers of labels", found=str(len(np.unique(n_labels))))


def _scales_and_floors(powers: FloatArray, errors: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the non-negative scale and floor of least squares for each row of ``powers``; ``weights`` sum to 1."""
    means, mean = powers @ weights, float(errors @ weights)
    spread = powers - means[:, None]
    scales = ((spread * errors) @ weights) / np.maximum(spread**2 @ weights, 1e-15)
    floors = mean - scales * means
    through_zero = floors < 0
    scales[through_zero] = ((powers * errors) @ weights / np.maximum(powers**2 @ weights, 1e-15))[through_zero]
    floors[through_zero] = 0.0
    falls = scales < 0
    scales[falls], floors[falls] = 0.0, mean
    return scales, floors


def forecast(
    points: Sequence[tuple[int, float]],
    *,
    rng: np.random.Generator,
    more_labels: Sequence[int] = MORE_LABELS,
    least_gain: float = 0.005,
) -> LearningCurve:
    """Return the learning curve through ``points``, (number of labels, error) of one training each, and its forecasts.

    Points of one size are resampled together with their sizes; each resample is fitted anew, and a residual of the fit
    and an error of the law, which grows with the log of how far ahead it is, are added. Labelling stops where 25 more
    lower the error by less than ``least_gain``. Raises DataError for fewer than two sizes.
    """
    n_labels = np.array([n for n, _ in points], dtype=np.float64)
    errors = np.array([error for _, error in points], dtype=np.float64)
    curve = _fitted(n_labels, errors)
    now = n_labels.max()
    wanted = now + np.asarray(more_labels, dtype=np.float64)
    drawn = _resampled_forecasts(n_labels, errors, wanted, rng)
    lows, highs = np.quantile(drawn, [0.1, 0.9], axis=0)
    forecasts = tuple(
        Forecast(n_more=int(n), error=float(e), low=float(low), high=float(high))
        for n, e, low, high in zip(more_labels, curve(wanted), lows, highs, strict=True)
    )
    return LearningCurve(
        points=tuple((int(n), float(e)) for n, e in points),
        curve=curve,
        forecasts=forecasts,
        stop_after=_stop_after(curve, now, least_gain),
    )


def _resampled_forecasts(
    n_labels: FloatArray, errors: FloatArray, wanted: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Return the error at the sizes ``wanted`` as resampled subsets foretell it, (resamples, sizes)."""
    sizes = np.unique(n_labels)
    of_size = [np.flatnonzero(n_labels == size) for size in sizes]
    residuals = _residuals(n_labels, errors)
    spread = _law_spread(n_labels, errors) * np.log(wanted / n_labels.max())
    drawn = np.empty((_N_RESAMPLES, len(wanted)))
    for i in range(_N_RESAMPLES):
        rows = np.concatenate([rng.choice(rows, len(rows)) for rows in of_size])
        noisy = errors[rows] + rng.choice(residuals, len(rows)) / np.sqrt(len(rows) / len(sizes))
        curve = _fitted(n_labels[rows], noisy)
        drawn[i] = curve(wanted) + rng.choice(residuals) + rng.normal() * spread
    return np.clip(drawn, 0.0, 1.0)


def _law_spread(n_labels: FloatArray, errors: FloatArray) -> float:
    """Return by how much the law misses, for each unit of the log of how far ahead it foretells.

    It is fitted to all smaller sizes, and foretells each size from the third on; 0 where there are only two.
    """
    sizes = np.unique(n_labels)
    missed = []
    for last, ahead in pairwise(sizes[1:].tolist()):
        known = n_labels <= last
        curve = _fitted(n_labels[known], errors[known])
        missed.append(abs(float(curve(ahead)) - errors[n_labels == ahead].mean()) / np.log(ahead / last))
    return float(np.sqrt(np.pi / 2) * np.mean(missed)) if missed else 0.0  # of a normal law with that mean deviation


def _residuals(n_labels: FloatArray, errors: FloatArray) -> FloatArray:
    """Return by how much single trainings miss the curve, widened for the parameters that were fitted."""
    curve = _fitted(n_labels, errors)
    free = max(len(errors) - 3, 1)
    missed = errors - curve(n_labels)
    return np.asarray((missed - missed.mean()) * np.sqrt(len(errors) / free), dtype=np.float64)


def _stop_after(curve: MeanLaw, now: float, least_gain: float, *, step: int = 25, most: int = 5000) -> int | None:
    for n_more in range(0, most, step):
        gain = curve(now + n_more) - curve(now + n_more + step)
        if float(gain) < least_gain:
            return n_more
    return None
