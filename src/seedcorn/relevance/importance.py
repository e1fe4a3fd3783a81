"""Importance weights of hashed n-grams: how much likelier in-domain text makes a text than the pool does.

After DSIR (Xie, Santurkar, Ma, Liang 2023, arXiv 2302.03169): a bag of hashed n-grams is estimated for the in-domain
text and for the pool, and a text's log weight is the sum of its n-grams' log ratios. Two departures, for short
utterances and small seeds: no text is dropped for being short; and the in-domain estimate is smoothed towards the
pool's instead of by a constant, so that n-grams nobody has seen speak against a text, not for it.
"""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pyarrow as pa

from seedcorn.corpus.normalising import Texts
from seedcorn.corpus.parallel import map_in_order
from seedcorn.errors import ConfigError, DataError
from seedcorn.relevance.linear import RelevanceModel
from seedcorn.relevance.names import Aggregate
from seedcorn.relevance.ngrams import NgramFeatures, ngram_rows
from seedcorn.relevance.scorer import FittedMethod, ScorerOptions, ScorerTexts, with_model
from seedcorn.selection import FloatArray, Scores

_BUCKET_SMOOTHING = 0.01  # n-grams of the pool, given to every bucket


def fit_importance(
    in_domain: Texts,
    pool: Iterable[pa.StringArray],
    *,
    features: NgramFeatures = NgramFeatures(order=2),
    pool_share: float = 0.5,
    n_threads: int = 1,
) -> RelevanceModel:
    """Return the model whose sums are log importance weights: log p_in(text) - log p_pool(text).

    ``pool_share`` (between 0 and 1) is the part of the in-domain estimate that comes from the pool's: an n-gram not in
    ``in_domain`` weighs log(pool_share). One pass over ``pool``. Raises DataError when either side has no words.
    """
    if not 0 < pool_share < 1:
        raise ConfigError(wanted="a pool share between 0 and 1", found=str(pool_share))
    wanted = _distribution(_counts([in_domain], features, 1), "in-domain text", smoothing=0.0)
    general = _distribution(_counts(pool, features, n_threads), "pool", smoothing=_BUCKET_SMOOTHING)
    weights = np.log(pool_share + (1 - pool_share) * wanted / general)
    return RelevanceModel(features=features, weights=weights.astype(np.float32))


def importance_scorer(texts: ScorerTexts, options: ScorerOptions) -> FittedMethod:
    """Return the scorer by the log weights of ``fit_importance``, summed if not told otherwise."""
    return with_model(fit_importance(texts.seed, [texts.pool_sample]), options.aggregate or Aggregate.SUM)


def sampled(scores: Scores, *, rng: np.random.Generator) -> Scores:
    """Return log weights with Gumbel noise: the k best of them are a sample without replacement by exp(score).

    Raises ConfigError when the rows were not scored by log weights (sums).
    """
    if not scores.unit.startswith("sum"):
        raise ConfigError(wanted="sums of log weights to sample by", found=scores.unit)
    return replace(scores, values=scores.values + rng.gumbel(size=len(scores)), name=f"sampled {scores.name}")


def _counts(batches: Iterable[Texts], features: NgramFeatures, n_threads: int) -> FloatArray:
    def counted(texts: Texts) -> FloatArray:
        return np.bincount(ngram_rows(texts, features=features)[1], minlength=features.n_buckets).astype(np.float64)

    total = np.zeros(features.n_buckets)
    for counts in map_in_order(counted, batches, n_threads=n_threads):
        total += counts
    return total


def _distribution(counts: FloatArray, what: str, *, smoothing: float) -> FloatArray:
    if not counts.any():
        raise DataError(wanted=f"{what} with words", found="none")
    smoothed = counts + smoothing
    return smoothed / smoothed.sum()
