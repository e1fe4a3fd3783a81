"""Relevance by logistic regression: every word 1- to 3-gram gets a score from the seed against everything else.

Positive examples are the seed; negative ones are the background (weight 1) and, at a lower weight, a sample of the pool
taken as irrelevant although some of it is not (learning from positive and unlabelled data: Elkan & Noto 2008). The
features and the use are those of Cho et al. 2019 (arXiv 1910.04196). Rows are n-gram counts over the square root of
their number, so that an utterance counts the same whatever its length.
"""

import warnings
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags_array, vstack

from seedcorn.corpus.normalising import Texts
from seedcorn.errors import ConfigError, DataError, SeedcornWarning
from seedcorn.relevance.keeping import precision_curve
from seedcorn.relevance.linear import Calibration, RelevanceModel
from seedcorn.relevance.names import Aggregate
from seedcorn.relevance.ngrams import NgramFeatures, ngram_matrix
from seedcorn.relevance.scorer import FittedMethod, ScorerOptions, ScorerTexts, with_model
from seedcorn.selection import FloatArray

# The seed's share of all training weight: irrelevant text is plentiful and must not drown it.
_SEED_SHARE_OF_WEIGHT = 1 / 3
_LEAST_SLOPE = 1e-3  # nearly flat, and still in the order of the margins
_UNREGULARISED = 1e6


@dataclass(frozen=True, kw_only=True)
class HeldOutScores:
    """The score of every seed and background example under a model fitted without it: what precision is estimated from.

    All arrays have shape (n,), seed examples first; ``relevant`` is True for those.
    """

    relevant: NDArray[np.bool_]
    sums: FloatArray
    means: FloatArray
    probabilities: FloatArray

    def values(self, aggregate: Aggregate) -> FloatArray:
        """Return the scores of one kind."""
        return {
            Aggregate.SUM: self.sums,
            Aggregate.MEAN: self.means,
            Aggregate.PROBABILITY: self.probabilities,
        }[aggregate]


class LogisticFit(NamedTuple):
    """The fitted model, and its cross-validation; None when there is too little to cross-validate on."""

    model: RelevanceModel
    held_out: HeldOutScores | None


def logistic_scorer(texts: ScorerTexts, options: ScorerOptions) -> FittedMethod:
    """Return the scorer by ``fit_logistic``, by probability if not told otherwise, with its precision curve."""
    aggregate, fraction = options.aggregate or Aggregate.PROBABILITY, options.relevant_fraction
    fit = fit_logistic(
        texts.seed,
        texts.background,
        texts.pool_sample,
        relevant_fraction=fraction,
        random_seed=options.random_seed,
    )
    fitted, held_out = with_model(fit.model, aggregate), fit.held_out
    if held_out is None or held_out.relevant.all():
        return fitted
    curve = precision_curve(held_out.values(aggregate), held_out.relevant, relevant_fraction=fraction)
    return replace(fitted, curve=curve)


class _Examples(NamedTuple):
    """Training rows: n-gram counts of the seed, the background and the pool sample, in this order."""

    counts: csr_matrix
    relevant: NDArray[np.bool_]
    weights: FloatArray  # 1, or the lower weight of the pool sample
    n_labelled: int


class _Fitted(NamedTuple):
    weights: FloatArray
    intercept: float


N_FOLDS = 5


def fit_logistic(
    seed: Texts,
    background: Texts,
    pool_sample: Texts = (),
    *,
    features: NgramFeatures = NgramFeatures(),
    regularisation: float = 0.1,
    pool_weight: float = 0.3,
    relevant_fraction: float | None = None,
    random_seed: int = 0,
) -> LogisticFit:
    """Return the relevance model of ``seed`` against ``background`` and ``pool_sample``, calibrated on held-out folds.

    ``regularisation`` is the weight of the L2 penalty against one utterance's loss. ``relevant_fraction`` is the share
    of relevant text that probabilities assume; by default that of the training examples, pool sample at its weight.
    With a single seed example there is no cross-validation: probabilities are uncalibrated, with a warning. Cost: one
    sparse regression and N_FOLDS more, well under a second for 20,000 utterances. Raises DataError when the seed
    or all of the other text has no words.
    """
    _check_settings(regularisation, pool_weight, relevant_fraction)
    examples = _examples(seed, background, pool_sample, features, pool_weight)
    fitted = _fit(examples, np.ones(len(examples.relevant), np.bool_), regularisation)
    held_out = _cross_validated(examples, regularisation, random_seed)
    if held_out is None:
        warnings.warn(
            SeedcornWarning("too few examples to cross-validate on: relevance probabilities are not calibrated"),
            stacklevel=2,
        )
        return LogisticFit(_model(fitted, features, Calibration(slope=1.0, offset=0.0)), None)
    calibration = _calibrated(held_out.margins(examples), examples, relevant_fraction)
    return LogisticFit(_model(fitted, features, calibration), _scored(held_out, examples, calibration))


def _check_settings(regularisation: float, pool_weight: float, relevant_fraction: float | None) -> None:
    if regularisation <= 0 or pool_weight < 0:
        raise ConfigError(
            wanted="regularisation above 0 and a pool weight of at least 0",
            found=f"{regularisation} and {pool_weight}",
        )
    if relevant_fraction is not None and not 0 < relevant_fraction < 1:
        raise ConfigError(wanted="a relevant fraction between 0 and 1", found=str(relevant_fraction))


def _examples(
    seed: Texts, background: Texts, pool_sample: Texts, features: NgramFeatures, pool_weight: float
) -> _Examples:
    parts = [ngram_matrix(texts, features=features) for texts in (seed, background, pool_sample)]
    if parts[0].nnz == 0:
        raise DataError(wanted="seed examples with words", found=f"{len(seed)} examples without any")
    if parts[1].nnz + parts[2].nnz == 0:
        raise DataError(
            wanted="background or pool text to tell the seed from",
            found="none with words",
            fix="Give annotated utterances of other intents, or a pool.",
        )
    n_seed, n_background, n_pool = (part.shape[0] for part in parts)
    return _Examples(
        counts=vstack(parts, format="csr"),
        relevant=np.arange(n_seed + n_background + n_pool) < n_seed,
        weights=np.repeat([1.0, pool_weight], [n_seed + n_background, n_pool]),
        n_labelled=n_seed + n_background,
    )


def _fit(examples: _Examples, used: NDArray[np.bool_], regularisation: float) -> _Fitted:
    """Return the weights (n_buckets,) and intercept fitted on the ``used`` rows."""
    from sklearn.linear_model import LogisticRegression

    rows = examples.counts[used]
    relevant = examples.relevant[used]
    columns = np.unique(rows.indices)  # the buckets that occur: a small part of all
    seed_weight = _SEED_SHARE_OF_WEIGHT / (1 - _SEED_SHARE_OF_WEIGHT) * examples.weights[used][~relevant].sum()
    row_weights = np.where(relevant, seed_weight / relevant.sum(), examples.weights[used])
    regression = LogisticRegression(C=1 / regularisation, solver="liblinear")
    regression.fit(_length_free(rows[:, columns]), relevant, sample_weight=row_weights)
    weights = np.zeros(rows.shape[1])
    weights[columns] = regression.coef_[0]
    return _Fitted(weights, float(regression.intercept_[0]))


def _length_free(counts: csr_matrix) -> csr_matrix:
    """Return each row of n-gram counts over the square root of its sum."""
    return diags_array(1 / np.sqrt(_n_ngrams(counts))) @ counts


def _n_ngrams(counts: csr_matrix) -> FloatArray:
    return np.maximum(np.asarray(counts.sum(axis=1), np.float64).ravel(), 1.0)


def _model(fitted: _Fitted, features: NgramFeatures, calibration: Calibration) -> RelevanceModel:
    return RelevanceModel(
        features=features,
        weights=fitted.weights.astype(np.float32),
        intercept=fitted.intercept,
        calibration=calibration,
    )


class _HeldOutSums(NamedTuple):
    """For each example, its sum of n-gram weights and the intercept of the fold that did not see it."""

    sums: FloatArray
    intercepts: FloatArray

    def margins(self, examples: _Examples) -> FloatArray:
        return self.sums / np.sqrt(_n_ngrams(examples.counts)) + self.intercepts


def _cross_validated(examples: _Examples, regularisation: float, random_seed: int) -> _HeldOutSums | None:
    n_seed = int(examples.relevant.sum())
    n_folds = min(N_FOLDS, n_seed, len(examples.relevant) - n_seed)
    if n_folds < 2:
        return None
    rng = np.random.default_rng(random_seed)
    # Folds are drawn apart for relevant and irrelevant examples, so that each has both.
    folds = np.concatenate([rng.permutation(n) % n_folds for n in (n_seed, len(examples.relevant) - n_seed)])
    result = _HeldOutSums(np.empty(len(folds)), np.empty(len(folds)))
    for fold in range(n_folds):
        fitted = _fit(examples, folds != fold, regularisation)
        result.sums[folds == fold] = examples.counts[folds == fold] @ fitted.weights
        result.intercepts[folds == fold] = fitted.intercept
    return result


def _scored(held_out: _HeldOutSums, examples: _Examples, calibration: Calibration) -> HeldOutScores:
    labelled = slice(0, examples.n_labelled)
    return HeldOutScores(
        relevant=examples.relevant[labelled],
        sums=(held_out.sums + held_out.intercepts)[labelled],
        means=(held_out.sums / _n_ngrams(examples.counts))[labelled],
        probabilities=calibration.probability(held_out.margins(examples))[labelled],
    )


def _calibrated(margins: FloatArray, examples: _Examples, relevant_fraction: float | None) -> Calibration:
    """Return Platt's (1999) calibration of ``margins``, with his smoothed targets, for the assumed relevant share."""
    from sklearn.linear_model import LogisticRegression

    relevant = examples.relevant
    share = relevant_fraction or relevant.sum() / examples.weights.sum()
    in_pool = np.where(
        relevant, share / relevant.sum(), (1 - share) * examples.weights / examples.weights[~relevant].sum()
    )
    target = np.where(relevant, (relevant.sum() + 1) / (relevant.sum() + 2), 1 / ((~relevant).sum() + 2))
    regression = LogisticRegression(C=_UNREGULARISED)
    regression.fit(
        np.tile(margins, 2)[:, None],
        np.repeat([True, False], len(margins)),
        sample_weight=len(margins) * np.concatenate([in_pool * target, in_pool * (1 - target)]),
    )
    slope, offset = float(regression.coef_[0, 0]), float(regression.intercept_[0])
    if slope >= _LEAST_SLOPE:
        return Calibration(slope=slope, offset=offset)
    # The folds say nothing, or the contrary: probabilities stay at the share, and the order is that of the raw scores.
    message = "too few examples to tell how likely a text is relevant: rows are ranked by their raw scores"
    warnings.warn(SeedcornWarning(message), stacklevel=3)
    return Calibration(slope=_LEAST_SLOPE, offset=float(np.log(share / (1 - share))))
