"""Relevance as a setting: which scorer, and which cut-off turns its scores into a selection."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pyarrow as pa
from pydantic import Field, model_validator

from seedcorn.config import Settings
from seedcorn.corpus.parallel import map_in_order
from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import DataError
from seedcorn.progress import track
from seedcorn.relevance.cutoff import keep_above, keep_best, keep_fraction, keep_per_intent, keep_words
from seedcorn.relevance.linear import Aggregate
from seedcorn.relevance.methods import FittedMethod, Method, fit_method
from seedcorn.relevance.ngrams import NgramFeatures, ngram_sums
from seedcorn.relevance.reasons import nearest_intents
from seedcorn.relevance.streaming import Scorer, sample_texts
from seedcorn.selection import Scores, Selection

OpenTexts = Callable[[], Iterator[pa.StringArray]]
_ROWS_SAMPLED_FROM = 2_000_000


class Cutoff(Settings):
    """Where the relevant part of the pool ends; exactly one is set.

    ``precision`` keeps as much as an estimate by cross-validation on the labelled data allows at that precision
    (logistic only), ``n_kept`` and ``fraction`` the best rows, ``n_words`` the best rows within a budget of words,
    ``n_per_intent`` the best rows of those nearest to each intent of the seed.
    """

    precision: float | None = Field(None, gt=0, le=1)
    threshold: float | None = None
    n_kept: int | None = Field(None, ge=1)
    fraction: float | None = Field(None, gt=0, le=1)
    n_words: int | None = Field(None, ge=1)
    n_per_intent: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of {', '.join(type(self).model_fields)}; found {len(given)}")
        return self


class RelevanceSettings(Settings):
    """How the relevant part of the pool is found; ``relevant_fraction`` is the share of it that precision assumes."""

    method: Method = Method.LOGISTIC
    aggregate: Aggregate | None = None
    n_pool_sample: int = Field(20_000, ge=0)
    relevant_fraction: float | None = Field(None, gt=0, lt=1)
    cutoff: Cutoff = Cutoff(n_kept=2_000)


@dataclass(frozen=True, kw_only=True)
class Relevant:
    """The scores of a pool, what the cut-off keeps of it, and the fitted method that scored it."""

    scores: Scores
    selection: Selection
    fitted: FittedMethod


def find_relevant(
    open_texts: OpenTexts,
    *,
    seed: Sequence[Utterance],
    background: Sequence[Utterance],
    settings: RelevanceSettings,
    random_seed: int,
    n_threads: int = 1,
) -> Relevant:
    """Return the relevant part of a pool; ``open_texts`` starts a pass over its text column.

    Raises ConfigError when a precision is asked of a scorer that cannot estimate one, DataError when nothing is kept.
    """
    rng = np.random.default_rng(random_seed)
    sample = sample_texts(open_texts(), n_texts=settings.n_pool_sample, n_rows=_ROWS_SAMPLED_FROM, rng=rng)
    fitted = fit_method(
        settings.method,
        [u.text for u in seed],
        [u.text for u in background],
        sample,
        aggregate=settings.aggregate,
        relevant_fraction=settings.relevant_fraction,
        random_seed=random_seed,
    )
    scores = _score_pool(open_texts(), fitted.score, n_threads)
    selection = _cut(scores, fitted, settings.cutoff, seed, open_texts)
    if not len(selection.positions):
        raise DataError(
            wanted="at least one relevant utterance in the pool",
            found=f"none of {len(scores):,} passes {settings.cutoff.model_dump(exclude_none=True)}",
            fix="Lower 'relevance.cutoff', or use a pool nearer to the functionality.",
        )
    return Relevant(scores=scores, selection=selection, fitted=fitted)


def _score_pool(batches: Iterable[pa.StringArray], score: Scorer, n_threads: int) -> Scores:
    parts = list(map_in_order(score, track(batches, "scoring the pool, batches"), n_threads=n_threads))
    missing = [np.zeros(len(part), np.bool_) if part.missing is None else part.missing for part in parts]
    return replace(parts[0], values=np.concatenate([p.values for p in parts]), missing=np.concatenate(missing))


def _cut(
    scores: Scores, fitted: FittedMethod, cutoff: Cutoff, seed: Sequence[Utterance], open_texts: OpenTexts
) -> Selection:
    if cutoff.n_kept is not None:
        return keep_best(scores, n_kept=cutoff.n_kept)
    if cutoff.fraction is not None:
        return keep_fraction(scores, fraction=cutoff.fraction)
    if cutoff.n_words is not None:
        return keep_words(scores, _n_words(open_texts()), n_words_budget=cutoff.n_words)
    if cutoff.n_per_intent is not None:
        intents = np.concatenate([nearest_intents(texts, seed) for texts in open_texts()])
        return keep_per_intent(scores, intents, quotas=dict.fromkeys((u.intent for u in seed), cutoff.n_per_intent))
    if cutoff.precision is not None:
        return keep_above(scores, threshold=fitted.threshold_for(cutoff.precision))
    return keep_above(scores, threshold=cutoff.threshold or 0.0)


def _n_words(texts: Iterable[pa.StringArray]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    features = NgramFeatures(order=1, n_bits=4)
    no_weights = np.zeros(features.n_buckets, np.float32)
    return np.concatenate([ngram_sums(batch, no_weights, features=features).n_words for batch in texts])
