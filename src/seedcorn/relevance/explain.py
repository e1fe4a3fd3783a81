"""Why an example was kept: its strongest n-grams and its nearest seed utterance."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags_array

from seedcorn.corpus.normalising import Texts, normalise_all
from seedcorn.corpus.utterances import Utterance
from seedcorn.relevance.linear import RelevanceModel
from seedcorn.relevance.ngrams import NgramFeatures, ngram_matrix, ngram_rows, ngram_spans
from seedcorn.selection import FloatArray, PositionArray

_ROWS_PER_PRODUCT = 16_384


class WeightedNgram(NamedTuple):
    """An n-gram and what it adds to the sum of its text."""

    ngram: str
    weight: float


class NearestSeed(NamedTuple):
    """For each text the ``positions`` (n,) of its nearest seed utterance, -1 where it shares no n-gram with any."""

    positions: PositionArray
    similarities: FloatArray


def strongest_ngrams(texts: Texts, model: RelevanceModel, *, n_strongest: int = 3) -> list[tuple[WeightedNgram, ...]]:
    """Return for each text its distinct n-grams of highest positive weight, strongest first, ties in text order."""
    indptr, buckets = ngram_rows(texts, features=model.features)
    weights = model.weights[buckets]
    return [
        _strongest(normalised.split(), model.features.order, weights[start:end].tolist(), n_strongest)
        for normalised, start, end in zip(normalise_all(texts), indptr[:-1], indptr[1:], strict=True)
    ]


def _strongest(words: list[str], order: int, weights: list[float], n_strongest: int) -> tuple[WeightedNgram, ...]:
    spans = ngram_spans(len(words), order=order)
    distinct: dict[str, float] = {}
    positive = [place for place, weight in enumerate(weights) if weight > 0]
    for place in sorted(positive, key=weights.__getitem__, reverse=True):
        if len(distinct) == n_strongest:
            break
        first, end = spans[place]
        distinct[" ".join(words[first:end])] = weights[place]
    return tuple(WeightedNgram(ngram, weight) for ngram, weight in distinct.items())


def nearest_seed(texts: Texts, seed: Texts, *, features: NgramFeatures = NgramFeatures()) -> NearestSeed:
    """Return for each text the seed utterance of highest n-gram cosine (the first of equals), and that cosine."""
    of_seed = _unit_rows(ngram_matrix(seed, features=features)).T.tocsr()
    rows = _unit_rows(ngram_matrix(texts, features=features))
    result = NearestSeed(np.full(rows.shape[0], -1, np.int64), np.zeros(rows.shape[0]))
    for start in range(0, rows.shape[0], _ROWS_PER_PRODUCT):
        cosines = np.round((rows[start : start + _ROWS_PER_PRODUCT] @ of_seed).toarray(), 6)
        best = cosines.argmax(axis=1)
        similarity = cosines[np.arange(len(best)), best]
        here = slice(start, start + len(best))
        result.positions[here] = np.where(similarity > 0, best, -1)
        result.similarities[here] = similarity
    return result


def nearest_intents(texts: Texts, seed: Sequence[Utterance]) -> NDArray[np.str_]:
    """Return the intent of each text's nearest seed utterance, "" where it shares no n-gram with any, shape (n,)."""
    nearest = nearest_seed(texts, [utterance.text for utterance in seed])
    return np.array([*(utterance.intent for utterance in seed), ""])[nearest.positions]


def explain_ngrams(texts: Texts, model: RelevanceModel) -> list[str]:
    """Return the strongest n-grams of each text for people to read: "set an alarm +2.31, alarm +1.90"."""
    strongest = strongest_ngrams(texts, model)
    return [", ".join(f"{ngram} {weight:+.2f}" for ngram, weight in ngrams) for ngrams in strongest]


def explain_nearest(texts: Texts, seed: Sequence[str]) -> list[str]:
    """Return the text of the nearest seed utterance of each text, "" where it shares no n-gram with any."""
    return [seed[i] if i >= 0 else "" for i in nearest_seed(texts, seed).positions]


def _unit_rows(counts: csr_matrix) -> csr_matrix:
    lengths = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1)).ravel())
    return (diags_array(1 / np.maximum(lengths, 1e-12)) @ counts).tocsr()
