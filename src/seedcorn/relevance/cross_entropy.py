"""Relevance by cross-entropy difference (Moore and Lewis, "Intelligent selection of language model training data").

A text is relevant when the in-domain model finds it likely and the general model does not:
score(s) = (log p_in(s) - log p_general(s)) / (words of s + 1), in nats a word, so that length does not count.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from seedcorn.corpus.normalising import Texts, normalise_all
from seedcorn.lm.kneser_ney import FALLBACK_DISCOUNTS, estimate
from seedcorn.lm.ngram_model import NgramModel
from seedcorn.progress import track
from seedcorn.relevance.scorer import FittedMethod, ScorerOptions, ScorerTexts
from seedcorn.selection import Scores

NAME = "cross-entropy difference"
UNIT = "nats a word"


class CrossEntropyModels(NamedTuple):
    """The two language models that texts are scored by."""

    in_domain: NgramModel
    general: NgramModel


def fit_cross_entropy(
    in_domain_texts: Iterable[Texts], general_texts: Iterable[Texts], *, order: int = 3
) -> CrossEntropyModels:
    """Estimate the in-domain and the general model of batches of texts, normalised as everywhere.

    Both have the words seen in-domain, as Moore and Lewis advise: what neither knows counts alike in both. Samples of
    about the same size compare best. Raises DataError when a side has no text.
    """
    in_domain = _estimate(in_domain_texts, order, None)
    return CrossEntropyModels(in_domain, _estimate(general_texts, order, in_domain.words))


def cross_entropy_scorer(texts: ScorerTexts, options: ScorerOptions) -> FittedMethod:
    """Return the scorer by the models of the seed and of the pool's sample."""
    models = fit_cross_entropy([texts.seed], [texts.pool_sample])

    def score(batch: pa.StringArray) -> Scores:
        return cross_entropy_scores([batch], models)

    return FittedMethod(score=score)


def _estimate(texts: Iterable[Texts], order: int, vocabulary: list[str] | None) -> NgramModel:
    # Discounts given outright: a seed is too small to estimate them from, and that is nothing to warn of.
    normalised = (normalise_all(batch) for batch in texts)
    return estimate(normalised, order=order, vocabulary=vocabulary, fallback_discounts=FALLBACK_DISCOUNTS)


def cross_entropy_scores(batches: Iterable[Texts], models: CrossEntropyModels) -> Scores:
    """Return the scores of all rows of ``batches`` in order; higher is more in-domain. Rows without words have none."""
    parts = list(cross_entropy_batches(batches, models))
    values = np.concatenate([np.zeros(0), *(part.values for part in parts)])
    missing = np.concatenate([np.zeros(0, dtype=np.bool_), *(_missing(part) for part in parts)])
    return Scores(values=values, name=NAME, unit=UNIT, missing=missing if missing.any() else None)


def cross_entropy_batches(batches: Iterable[Texts], models: CrossEntropyModels) -> Iterator[Scores]:
    """Yield the scores of one batch after the other, for pools larger than memory."""
    for batch in track(batches, "scoring batches by cross-entropy"):
        yield _scores(batch, models)


def _scores(texts: Texts, models: CrossEntropyModels) -> Scores:
    normalised = pa.array(normalise_all(texts), pa.large_string())
    wanted, usual = models.in_domain.score(normalised), models.general.score(normalised)
    empty = wanted.n_words == 0
    values = np.where(empty, 0.0, (wanted.logps - usual.logps) / (wanted.n_words + 1))
    return Scores(values=values, name=NAME, unit=UNIT, missing=empty if empty.any() else None)


def _missing(scores: Scores) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    return np.zeros(len(scores), dtype=np.bool_) if scores.missing is None else scores.missing
