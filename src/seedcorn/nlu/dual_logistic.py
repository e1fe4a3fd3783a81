"""Logistic regressions of many labels on the same rows, all at once, by dual coordinate descent.

The algorithm is that of Yu, Huang and Lin 2011 ("Dual coordinate descent methods for logistic regression and maximum
entropy models", algorithm 5), as liblinear has it. A row is read once for all labels, whose coefficients of a feature
lie side by side: that is what makes it several times faster than a label after the other.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from seedcorn.compiled import njit
from seedcorn.selection import FloatArray

MOST_EPOCHS = 100
_LABELS_AT_ONCE = 64  # bounds the memory: eight bytes a feature and label
_FIRST_INNER_TOLERANCE, _LEAST_INNER_TOLERANCE = 1e-2, 1e-8
_MOST_NEWTON_STEPS = 100
_MOST_DONE = 0.25  # of the labels that are computed: to leave them out costs as much as an epoch


class LogisticFits(NamedTuple):
    """One model a label: ``coefficients`` (labels, features) and ``intercepts`` (labels,)."""

    coefficients: FloatArray
    intercepts: FloatArray


def fit_logistic_models(
    features: csr_matrix,
    has_label: NDArray[np.bool_],
    weights: FloatArray,
    *,
    inverse_regularisation: float,
    tolerance: float,
    random_seed: int,
) -> LogisticFits:
    """Return for every column of ``has_label`` (rows, labels) the model of maximum weighted likelihood with L2 penalty.

    The intercept is penalised like the coefficients. Rows of weight 0 count for nothing. A label is done when no
    gradient of its dual is larger than ``tolerance``; rows are visited in orders drawn from ``random_seed``, the same
    for all labels, so that the model of a label does not depend on the others.
    """
    counted = weights > 0
    rows, bounds = features[counted], inverse_regularisation * weights[counted]
    n_labels = has_label.shape[1]
    parts = [
        _fit_labels(rows, has_label[counted, first : first + _LABELS_AT_ONCE], bounds, tolerance, random_seed)
        for first in range(0, n_labels, _LABELS_AT_ONCE)
    ]
    found = np.concatenate([np.zeros((0, features.shape[1] + 1)), *parts])
    return LogisticFits(found[:, :-1], found[:, -1])


class _Rows(NamedTuple):
    """The rows as compiled code sees them: CSR, and of each row the bound of its dual variables and its length squared.

    The length counts the 1 of the intercept.
    """

    starts: NDArray[np.int32]
    columns: NDArray[np.int32]
    values: NDArray[np.float32]
    bounds: FloatArray
    squares: FloatArray


class _Labels(NamedTuple):
    """Labels that are not done: ``signs`` and dual variables ``alphas`` (rows, labels), primal (features + 1, labels).

    ``inner_tolerances`` (labels,) say how exactly the problem of a row is solved.
    """

    signs: NDArray[np.float32]
    alphas: FloatArray
    primal: FloatArray
    inner_tolerances: FloatArray

    def only(self, chosen: NDArray[np.bool_]) -> "_Labels":
        signs, alphas, primal, inner_tolerances = self
        return _Labels(
            np.ascontiguousarray(signs[:, chosen]),
            np.ascontiguousarray(alphas[:, chosen]),
            np.ascontiguousarray(primal[:, chosen]),
            inner_tolerances[chosen],
        )


def _fit_labels(
    rows: csr_matrix, has_label: NDArray[np.bool_], bounds: FloatArray, tolerance: float, random_seed: int
) -> FloatArray:
    """Return coefficients and intercept of each label, (labels, features + 1)."""
    rng = np.random.default_rng(random_seed)
    n_rows, n_labels = has_label.shape
    signs = np.where(has_label, 1.0, -1.0).astype(np.float32)
    alphas = np.repeat(np.minimum(0.001 * bounds, 1e-8)[:, np.newaxis], n_labels, axis=1)
    primal = np.vstack([rows.T @ (signs * alphas), (signs * alphas).sum(axis=0)])
    squares = np.asarray(rows.multiply(rows).sum(axis=1), np.float64).ravel() + 1.0
    compiled = _Rows(rows.indptr, rows.indices, rows.data, bounds, squares)
    found, left = np.zeros((n_labels, rows.shape[1] + 1)), np.arange(n_labels)
    labels = _Labels(signs, alphas, primal, np.full(n_labels, _FIRST_INNER_TOLERANCE))
    is_done = np.zeros(n_labels, np.bool_)
    for _ in range(MOST_EPOCHS):
        largest, n_steps = np.zeros(len(left)), np.zeros(len(left), np.int64)
        _epoch(compiled, rng.permutation(n_rows), labels, largest, n_steps)
        finer = np.maximum(_LEAST_INNER_TOLERANCE, 0.1 * labels.inner_tolerances)
        labels = labels._replace(inner_tolerances=np.where(n_steps <= n_rows // 10, finer, labels.inner_tolerances))
        has_ended = ~is_done & (largest < tolerance)
        found[left[has_ended]] = labels.primal[:, has_ended].T
        is_done |= has_ended
        if is_done.all():
            break
        if is_done.mean() > _MOST_DONE:
            left, labels, is_done = left[~is_done], labels.only(~is_done), is_done[~is_done]
    found[left[~is_done]] = labels.primal[:, ~is_done].T  # good enough after so many epochs
    return found


@njit(nogil=True, cache=True)
def _epoch(rows, order, labels, largest, n_steps):  # type: ignore[no-untyped-def]
    """Visit every row once for all labels; keep the ``largest`` gradients and the numbers of Newton steps."""
    starts, columns, values, bounds, squares = rows
    signs, alphas, primal, inner_tolerances = labels
    n_labels, intercept = primal.shape[1], primal.shape[0] - 1
    margins, changes = np.empty(n_labels), np.empty(n_labels)
    for row in order:
        first, end = starts[row], starts[row + 1]
        for j in range(n_labels):
            margins[j] = primal[intercept, j]
        for k in range(first, end):
            value, coefficients = values[k], primal[columns[k]]
            for j in range(n_labels):
                margins[j] += value * coefficients[j]
        has_changed = False
        for j in range(n_labels):
            bound, sign, tolerance = bounds[row], signs[row, j], inner_tolerances[j]
            alpha, gradient, n = _best_alpha(alphas[row, j], bound, squares[row], sign * margins[j], tolerance)
            largest[j] = max(largest[j], gradient)
            n_steps[j] += n
            changes[j] = sign * (alpha - alphas[row, j])
            alphas[row, j] = alpha
            has_changed = has_changed or n > 0
        if has_changed:
            for k in range(first, end):
                value, coefficients = values[k], primal[columns[k]]
                for j in range(n_labels):
                    coefficients[j] += value * changes[j]
            for j in range(n_labels):
                primal[intercept, j] += changes[j]


@njit(nogil=True, cache=True)
def _best_alpha(alpha, bound, square, margin, tolerance):  # type: ignore[no-untyped-def]
    """Return the dual variable that is best for one row, the gradient before, and how many Newton steps it took.

    The variable is found from the end (0 or ``bound``) that it is nearer to, where logarithms lose no digits.
    """
    from_below = 0.5 * square * (bound - 2.0 * alpha) + margin >= 0
    before = alpha if from_below else bound - alpha
    slope = margin if from_below else -margin
    z = 0.1 * before if bound - before < 0.5 * bound else before
    gradient = square * (z - before) + slope + np.log(z / (bound - z))
    first, n = abs(gradient), 0
    while abs(gradient) >= tolerance and n <= _MOST_NEWTON_STEPS:
        step = gradient / (square + bound / (bound - z) / z)
        z = z - step if z - step > 0 else 0.1 * z
        gradient = square * (z - before) + slope + np.log(z / (bound - z))
        n += 1
    if n == 0:
        return alpha, first, 0
    return (z if from_below else bound - z), first, n
