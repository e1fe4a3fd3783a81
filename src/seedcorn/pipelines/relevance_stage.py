"""Relevance as a setting: which scorer, and which cut-off turns its scores into a selection."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

import numpy as np
import pyarrow as pa
from pydantic import Field, model_validator

from seedcorn.config import Settings
from seedcorn.errors import ConfigError
from seedcorn.relevance.cutoff import (
    PrecisionCurve,
    keep_above,
    keep_best,
    keep_fraction,
    keep_words,
    precision_curve,
)
from seedcorn.relevance.importance import fit_importance
from seedcorn.relevance.linear import Aggregate, RelevanceModel, relevance_scores
from seedcorn.relevance.logistic import fit_logistic
from seedcorn.selection import Scores, Selection

OpenTexts = Callable[[], Iterator[pa.StringArray]]


class RelevanceMethod(StrEnum):
    """Which scorer says how in-domain an example is."""

    LOGISTIC = "logistic"
    IMPORTANCE = "importance"
    EMBEDDING = "embedding"
    CROSS_ENTROPY = "cross_entropy"


class Cutoff(Settings):
    """Where the relevant part of the pool ends; exactly one is set.

    ``precision`` keeps as much as an estimate by cross-validation on the labelled data allows at that precision
    (logistic only), ``n_kept`` and ``fraction`` the best rows, ``n_words`` the best rows within a budget of words.
    """

    precision: float | None = Field(None, gt=0, le=1)
    threshold: float | None = None
    n_kept: int | None = Field(None, ge=1)
    fraction: float | None = Field(None, gt=0, le=1)
    n_words: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of {', '.join(type(self).model_fields)}; found {len(given)}")
        return self


class RelevanceSettings(Settings):
    """How the relevant part of the pool is found."""

    method: RelevanceMethod = RelevanceMethod.LOGISTIC
    aggregate: Aggregate = Aggregate.PROBABILITY
    n_pool_sample: int = Field(20_000, ge=0)
    pool_weight: float = Field(0.3, ge=0)
    cutoff: Cutoff = Cutoff(n_kept=2_000)


@dataclass(frozen=True, kw_only=True)
class Relevant:
    """The scores of a pool and what the cut-off keeps of it.

    ``model`` has the n-gram weights, for scorers that have some; ``curve`` the precision, where it could be estimated.
    """

    scores: Scores
    selection: Selection
    model: RelevanceModel | None
    curve: PrecisionCurve | None


def find_relevant(
    open_texts: OpenTexts,
    *,
    seed: Sequence[str],
    background: Sequence[str],
    settings: RelevanceSettings,
    random_seed: int,
    n_threads: int = 1,
) -> Relevant:
    """Return the relevant part of a pool; ``open_texts`` starts a pass over its text column.

    Raises ConfigError when a precision is asked of a scorer that cannot estimate one.
    """
    sample = _sample(open_texts(), settings.n_pool_sample, np.random.default_rng(random_seed))
    model: RelevanceModel | None = None
    curve: PrecisionCurve | None = None
    match settings.method:
        case RelevanceMethod.LOGISTIC:
            fit = fit_logistic(seed, background, sample, pool_weight=settings.pool_weight, random_seed=random_seed)
            model, aggregate = fit.model, Aggregate(settings.aggregate)
            scores = relevance_scores(open_texts(), model, aggregate=aggregate, n_threads=n_threads)
            if fit.held_out is not None:
                curve = precision_curve(fit.held_out.values(aggregate), fit.held_out.relevant)
        case RelevanceMethod.IMPORTANCE:
            model = fit_importance(seed, open_texts(), n_threads=n_threads)
            scores = relevance_scores(open_texts(), model, aggregate=Aggregate.MEAN, n_threads=n_threads)
        case RelevanceMethod.EMBEDDING:
            scores = _embedding(open_texts, seed, background, sample, random_seed)
        case RelevanceMethod.CROSS_ENTROPY:
            scores = _cross_entropy(open_texts, seed, sample)
    selection = _cut(scores, curve, settings.cutoff, open_texts)
    return Relevant(scores=scores, selection=selection, model=model, curve=curve)


def _embedding(
    open_texts: OpenTexts, seed: Sequence[str], background: Sequence[str], sample: Sequence[str], random_seed: int
) -> Scores:
    from seedcorn.relevance.embedding import centroid, centroid_scores, fit_encoder

    encoder = fit_encoder([*seed, *background, *sample], random_seed=random_seed)
    return centroid_scores(
        open_texts(), encoder, in_domain=centroid([list(seed)], encoder), general=centroid([list(sample)], encoder)
    )


def _cross_entropy(open_texts: OpenTexts, seed: Sequence[str], sample: Sequence[str]) -> Scores:
    from seedcorn.relevance.cross_entropy import cross_entropy_scores, fit_cross_entropy

    return cross_entropy_scores(open_texts(), fit_cross_entropy(seed, sample))


def _cut(scores: Scores, curve: PrecisionCurve | None, cutoff: Cutoff, open_texts: OpenTexts) -> Selection:
    if cutoff.n_kept is not None:
        return keep_best(scores, n_kept=cutoff.n_kept)
    if cutoff.fraction is not None:
        return keep_fraction(scores, fraction=cutoff.fraction)
    if cutoff.threshold is not None:
        return keep_above(scores, threshold=cutoff.threshold)
    if cutoff.n_words is not None:
        return keep_words(scores, _n_words(open_texts()), n_words_budget=cutoff.n_words)
    if curve is None or cutoff.precision is None:
        raise ConfigError(
            wanted="a scorer whose precision can be estimated for 'relevance.cutoff.precision'",
            found="one without cross-validation",
            fix="Use the method 'logistic' with at least two seed examples, or another cut-off.",
        )
    return keep_above(scores, threshold=curve.threshold_for(cutoff.precision))


def _n_words(texts: Iterable[pa.StringArray]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    from seedcorn.relevance.ngrams import NgramFeatures, ngram_sums

    features = NgramFeatures(order=1, n_bits=4)
    no_weights = np.zeros(features.n_buckets, np.float32)
    counts = [ngram_sums(batch, no_weights, features=features).n_words for batch in texts]
    return np.concatenate([np.zeros(0, np.int64), *counts])


def _sample(texts: Iterable[pa.StringArray], n_wanted: int, rng: np.random.Generator) -> list[str]:
    """Return ``n_wanted`` texts of a stream, each equally likely, in stream order: those of the lowest random keys."""
    keys, kept = np.zeros(0), pa.array([], pa.string())
    for batch in texts:
        new_keys = rng.random(len(batch))
        low = np.flatnonzero(new_keys < (keys.max() if len(keys) >= n_wanted > 0 else 1.0))
        keys = np.concatenate([keys, new_keys[low]])
        kept = pa.concat_arrays([kept, batch.take(pa.array(low))])
        if len(keys) > n_wanted:
            lowest = np.sort(np.argsort(keys, kind="stable")[:n_wanted])
            keys, kept = keys[lowest], kept.take(pa.array(lowest))
    sample: list[str] = kept.to_pylist()
    return sample
