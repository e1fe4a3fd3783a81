"""Rescoring n-best lists with a language model of the in-domain target text; weights tuned on dev.

The score of a hypothesis is log p(translation) / words + lm * log p(text) / words + length * words
- out_of_vocabulary * (words that no known text has): a log-linear model (Och and Ney 2002) over per-word values, so
that long sentences are not preferred or punished by their length alone. Translators spell by subwords, and so words
that nobody writes; a language model over a wide vocabulary hardly minds.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from seedcorn.corpus.normalising import normalise_all
from seedcorn.errors import DataError
from seedcorn.evaluation.translation import chrf
from seedcorn.progress import track
from seedcorn.selection import FloatArray
from seedcorn.translation.nbest import TRANSLATION_LOGP, NBest
from seedcorn.translation.settings import NO_RESCORING, RescoringWeights

LM_LOGP = "lm_logp"
OUT_OF_VOCABULARY_WORDS = "out_of_vocabulary_words"
LM_WEIGHTS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0)
LENGTH_WEIGHTS = (-0.1, 0.0, 0.1)
OUT_OF_VOCABULARY_WEIGHTS = (0.0, 2.0)
_LISTS_PER_BATCH = 1_024


class SentenceLm(Protocol):
    """Anything that gives sentences their log-probability: an n-gram model, a neural one."""

    def sentence_logps(self, texts: Sequence[str]) -> FloatArray:
        """Return natural log p of each text (normalised words between spaces), its end included, shape (n,)."""


def with_lm(nbests: Iterable[NBest], lm: SentenceLm) -> Iterator[NBest]:
    """Yield ``nbests`` with the feature lm_logp, in batches, in order."""
    batch: list[NBest] = []
    for nbest in nbests:
        batch.append(nbest)
        if len(batch) == _LISTS_PER_BATCH:
            yield from _with_lm(batch, lm)
            batch = []
    yield from _with_lm(batch, lm)


def with_out_of_vocabulary_words(nbests: Iterable[NBest], known: Collection[str]) -> Iterator[NBest]:
    """Yield ``nbests`` with how many words of each hypothesis are not among ``known`` ones, as a feature."""
    for nbest in nbests:
        normalised = normalise_all([h.text for h in nbest.hypotheses])
        counted = (
            replace(h, features={**h.features, OUT_OF_VOCABULARY_WORDS: float(n_out_of_vocabulary(text, known))})
            for h, text in zip(nbest.hypotheses, normalised, strict=True)
        )
        yield replace(nbest, hypotheses=tuple(counted))


def n_out_of_vocabulary(normalised: str, known: Collection[str]) -> int:
    """Return how many words of a ``normalised`` text are not among the ``known`` ones."""
    return sum(word not in known for word in normalised.split())


def rank(nbest: NBest, weights: RescoringWeights) -> NDArray[np.int64]:
    """Return the positions of the hypotheses, best first; ties keep their order.

    Raises DataError when a hypothesis has no translation_logp, or lacks another feature that weighs something.
    """
    return np.argsort(-_values(nbest, weights), kind="stable")


def rescored(nbests: Iterable[NBest], weights: RescoringWeights) -> Iterator[NBest]:
    """Yield ``nbests`` with their hypotheses in the order of ``rank``."""
    for nbest in nbests:
        yield replace(nbest, hypotheses=tuple(nbest.hypotheses[i] for i in rank(nbest, weights)))


def tune_weights(
    nbests: Sequence[NBest], loss: Callable[[Sequence[str]], float], *, n_hypotheses: int = 1
) -> RescoringWeights:
    """Return the weights whose best hypotheses have the lowest ``loss``, by search over a grid; ties keep the smaller.

    The best ``n_hypotheses`` of every list are given to the loss, best first, list after list. ``nbests`` have lm_logp;
    out-of-vocabulary words are weighed where every hypothesis has their number.
    ``loss`` is chrf_loss where there are references, for one hypothesis each; else for example the perplexity of dev
    text under a language model of the hypotheses.
    """
    if not nbests:
        raise DataError(wanted="n-best lists of dev sentences to tune weights on", found="none")
    counted = all(OUT_OF_VOCABULARY_WORDS in h.features for nbest in nbests for h in nbest.hypotheses)
    every = product(LM_WEIGHTS, LENGTH_WEIGHTS, OUT_OF_VOCABULARY_WEIGHTS if counted else (0.0,))
    grid = [RescoringWeights(lm=lm, length=length, out_of_vocabulary=oov) for lm, length, oov in every]
    # No rescoring comes first: it must be beaten, not equalled.
    grid.sort(key=lambda weights: (abs(weights.lm) + abs(weights.length) + weights.out_of_vocabulary, weights.length))
    losses: dict[tuple[str, ...], float] = {}
    best, lowest = NO_RESCORING, np.inf
    lists = _Lists.of(nbests)
    for weights in track(grid, "tuning rescoring weights", total=len(grid)):
        texts = lists.best(weights, n_hypotheses=n_hypotheses)
        if texts not in losses:
            losses[texts] = loss(texts)
        if losses[texts] < lowest:
            best, lowest = weights, losses[texts]
    return best


def chrf_loss(references: Sequence[str]) -> Callable[[Sequence[str]], float]:
    """Return the loss that is the negative chrF against ``references``."""
    return lambda texts: -chrf(texts, references).score


def _values(nbest: NBest, weights: RescoringWeights) -> FloatArray:
    wanted = {name: _feature(nbest, name) for name in _features_of(weights)}
    n_words = np.array([hypothesis.n_words for hypothesis in nbest.hypotheses], dtype=np.float64)
    return _weighed(wanted, n_words, weights)


def _features_of(weights: RescoringWeights) -> list[str]:
    """Return the features that count."""
    counted = {TRANSLATION_LOGP: 1.0, LM_LOGP: weights.lm, OUT_OF_VOCABULARY_WORDS: weights.out_of_vocabulary}
    return [name for name, weight in counted.items() if weight]


def _weighed(features: Mapping[str, FloatArray], n_words: FloatArray, weights: RescoringWeights) -> FloatArray:
    values = features[TRANSLATION_LOGP] / n_words + weights.length * n_words
    if weights.lm:
        # The end of the sentence is a word to the language model.
        values += weights.lm * features[LM_LOGP] / (n_words + 1)
    if weights.out_of_vocabulary:
        values -= weights.out_of_vocabulary * features[OUT_OF_VOCABULARY_WORDS]
    return values


class _Lists(NamedTuple):
    """All hypotheses of many lists, one after the other: of which list each is, its text, words and features."""

    list_of: NDArray[np.int64]
    place: NDArray[np.int64]
    texts: list[str]
    n_words: FloatArray
    features: Mapping[str, FloatArray]

    @staticmethod
    def of(nbests: Sequence[NBest]) -> "_Lists":
        sizes = [len(nbest.hypotheses) for nbest in nbests]
        every = [h for nbest in nbests for h in nbest.hypotheses]
        names = set.intersection(*(set(h.features) for h in every)) if every else set()
        return _Lists(
            np.repeat(np.arange(len(sizes)), sizes),
            np.concatenate([np.zeros(0, np.int64), *map(np.arange, sizes)]),
            [h.text for h in every],
            np.array([h.n_words for h in every], dtype=np.float64),
            {name: np.array([h.features[name] for h in every], dtype=np.float64) for name in names},
        )

    def best(self, weights: RescoringWeights, *, n_hypotheses: int) -> tuple[str, ...]:
        """Return the texts of the first hypotheses of each list in the order of ``rank``, list after list."""
        missing = [name for name in _features_of(weights) if name not in self.features]
        if missing:
            raise _no_feature(missing[0], self.features)
        values = _weighed(self.features, self.n_words, weights)
        order = np.lexsort((self.place, -values, self.list_of))
        return tuple(self.texts[i] for i in order[self.place < n_hypotheses].tolist())


def _feature(nbest: NBest, name: str) -> FloatArray:
    try:
        return np.array([hypothesis.features[name] for hypothesis in nbest.hypotheses], dtype=np.float64)
    except KeyError as error:
        raise _no_feature(name, nbest.hypotheses[0].features) from error


def _no_feature(name: str, known: Iterable[str]) -> DataError:
    found = f"features {', '.join(sorted(known)) or 'none'}"
    return DataError(wanted=f"the feature '{name}' in every hypothesis", found=found)


def _with_lm(batch: Sequence[NBest], lm: SentenceLm) -> Iterator[NBest]:
    texts = normalise_all([hypothesis.text for nbest in batch for hypothesis in nbest.hypotheses])
    logps = iter(lm.sentence_logps(texts).tolist() if texts else ())
    for nbest in batch:
        yield replace(
            nbest,
            hypotheses=tuple(replace(h, features={**h.features, LM_LOGP: next(logps)}) for h in nbest.hypotheses),
        )
