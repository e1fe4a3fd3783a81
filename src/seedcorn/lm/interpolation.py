"""Linear interpolation: p(w | h) = sum over models m of weight_m p_m(w | h), the weights found by EM on dev text.

As a dynamic mixture every model is asked for every word. As one static back-off model the n-grams of all models are
stored with their mixed probability, and what is left of each context's mass goes to its back-off weight.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedcorn.compiled import borrowed, njit
from seedcorn.errors import ConfigError, DataError
from seedcorn.lm.automaton import NgramArrays, advance
from seedcorn.lm.ngram_model import NgramModel, SentenceScores, WordScores, sentence_scores
from seedcorn.lm.normalisation import set_backoffs
from seedcorn.lm.text_buffers import Texts
from seedcorn.lm.trie import ROOT, Trie, ngram_rows, trie_of_rows
from seedcorn.lm.vocabulary import BEGIN_ID, UNKNOWN_ID, Vocabulary

MAX_EM_ITERATIONS = 1_000
_SMALLEST_STEP = 1e-7
_TOLERANCE = 1e-6


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """Models and the weight of each; weights are >= 0 and sum to one. Raises ConfigError otherwise."""

    models: tuple[NgramModel, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.models) != len(self.weights) or not self.models:
            raise ConfigError(wanted=f"{len(self.models)} weights, one a model", found=f"{len(self.weights)}")
        if min(self.weights) < 0 or abs(sum(self.weights) - 1) > _TOLERANCE:
            raise ConfigError(wanted="weights >= 0 that sum to 1", found=", ".join(map(str, self.weights)))

    def word_scores(self, texts: Texts) -> WordScores:
        """Score every word of ``texts``; the word ids are those of the first model that knows the word, or unknown."""
        total = np.zeros(0)
        for number, (model, weight) in enumerate(zip(self.models, self.weights, strict=True)):
            scores = model.word_scores(texts)
            if number == 0:
                total, word_ids = np.zeros(len(scores.logps)), scores.word_ids.copy()
            total += weight * np.exp(scores.logps)
            word_ids = np.where(word_ids == UNKNOWN_ID, scores.word_ids, word_ids)
        return WordScores(logps=np.log(total), word_ids=word_ids, sentence_ends=scores.sentence_ends)

    def score(self, texts: Texts) -> SentenceScores:
        """Score every row of ``texts`` as a sentence; a word is unknown when no model knows it."""
        return sentence_scores(self.word_scores(texts))

    def sentence_logps(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the natural log probability of each of ``texts``, sentence end included."""
        return self.score(texts).logps


def fit_mixture(models: Sequence[NgramModel], dev_texts: Iterable[Texts]) -> Mixture:
    """Return the mixture of ``models`` whose weights make ``dev_texts`` most likely, by expectation maximisation.

    The likelihood has a single maximum. Cost: one scoring of the text a model, then 8 bytes a word and model. Raises
    DataError when the text has no sentence.
    """
    batches = [word_probabilities(models, batch) for batch in dev_texts]
    if not any(batch.size for batch in batches):
        raise DataError(wanted="dev text with at least one sentence", found="none")
    weights = em_weights(np.concatenate(batches, axis=1))
    return Mixture(models=tuple(models), weights=tuple(weights.tolist()))


def word_probabilities(models: Sequence[NgramModel], texts: Texts) -> NDArray[np.float64]:
    """Return the probability of every word of ``texts``, sentence ends included, under each model, (models, words)."""
    return np.exp(np.stack([model.word_scores(texts).logps for model in models]))


def em_weights(probabilities: NDArray[np.float64], *, smallest_step: float = _SMALLEST_STEP) -> NDArray[np.float64]:
    """Return the weights (n_models,) of the most likely mixture of ``probabilities`` (n_models, n_words).

    Iterates until no weight moves by ``smallest_step``.
    """
    n_models = len(probabilities)
    weights = np.full(n_models, 1 / n_models)
    for _ in range(MAX_EM_ITERATIONS):
        shares = weights[:, None] * probabilities
        updated = (shares / shares.sum(axis=0)).mean(axis=1)
        step = np.abs(updated - weights).max()
        weights = updated
        if step < smallest_step:
            break
    return weights / weights.sum()


def share_vocabulary(models: Sequence[NgramModel]) -> tuple[NgramModel, ...]:
    """Return ``models`` with the words of all of them, so that ``<unk>`` means the same in each.

    Kneser-Ney models give every word an equal part of the mass that is left for the unseen, and ``<unk>`` nothing else:
    that mass is divided anew among all words, as if the model had been estimated over them. Where ``<unk>`` is likelier
    than some word it was counted as a word, and its probability is divided among itself and the words added.
    Mixtures of models that do not share a vocabulary are no distributions: every word that one model lacks gets the
    whole probability of its ``<unk>``.
    """
    words = list(dict.fromkeys(word for model in models for word in model.words))
    return tuple(_with_words(model, words) for model in models)


def _with_words(model: NgramModel, words: list[str]) -> NgramModel:
    known = set(model.words)
    added = [word for word in words if word not in known]
    if not added:
        return model
    # The new 1-grams come after the old ones and have no children; the nodes of higher orders move up.
    old, end, n_new = model.arrays, 1 + len(model.words), len(added)
    children, backoffs = old.children, old.backoffs
    if model.order > 1:
        children = np.insert(children, end, np.full(n_new, children[end]))
        backoffs = np.insert(backoffs, end, np.zeros(n_new))
    children = children + np.int32(n_new)
    children[ROOT] = 1
    suffixes = np.where(old.suffixes >= end, old.suffixes + np.int32(n_new), old.suffixes)
    logps = old.logps.copy()
    logps[1:end], of_new_words = _unigrams_with(old.logps[1:end].astype(np.float64), n_new)
    arrays = NgramArrays(
        words=np.insert(old.words, end, np.arange(end - 1, end - 1 + n_new)),
        children=children,
        suffixes=np.insert(suffixes, end, np.zeros(n_new, dtype=np.int32)),
        logps=np.insert(logps, end, np.full(n_new, of_new_words, dtype=np.float32)),
        backoffs=backoffs.copy(),
    )
    set_backoffs(arrays)
    order_begins = model.order_begins + np.where(np.arange(model.order + 2) >= 2, n_new, 0)
    vocabulary = Vocabulary.from_words([*model.words, *added])
    return NgramModel(vocabulary=vocabulary, arrays=arrays, order_begins=order_begins)


def _unigrams_with(logps: NDArray[np.float64], n_new: int) -> tuple[NDArray[np.float64], float]:
    """Return the unigrams of the old words, by id, and that of each new one, when there are ``n_new`` words more."""
    said = np.delete(np.arange(len(logps)), BEGIN_ID)
    probabilities, unknown = np.exp(logps[said]), np.exp(logps[UNKNOWN_ID])
    if probabilities.min() >= unknown * (1 - _TOLERANCE):
        part = unknown * len(said) / (len(said) + n_new)
        probabilities += part - unknown
        probabilities[0] = part
    else:
        part = unknown / (1 + n_new)
        probabilities[0] = part
    shared = logps.copy()
    shared[said] = np.log(probabilities)
    return shared, float(np.log(part))


def static_model(mixture: Mixture) -> NgramModel:
    """Return one back-off model of the n-grams of all models of ``mixture``, with their mixed probabilities.

    Its vocabulary is all words together (see share_vocabulary), and every conditional distribution sums to one.
    """
    models = share_vocabulary(mixture.models)
    vocabulary = models[0].vocabulary
    order = max(model.order for model in models)
    ids = [vocabulary.ids_of(model.words).astype(np.int32) for model in models]
    rows = [
        np.concatenate([ids[i][ngram_rows(m.trie, k)] for i, m in enumerate(models) if m.order >= k])
        for k in range(2, order + 1)
    ]
    trie, _ = trie_of_rows(len(vocabulary), rows)
    probabilities = np.zeros(len(trie.words))
    for model, weight, own_ids in zip(models, mixture.weights, ids, strict=True):
        _add_probabilities(trie, model.arrays, weight, np.argsort(own_ids), probabilities)
    probabilities[ROOT] = 1.0
    logps = np.log(probabilities).astype(np.float32)
    backoffs = np.zeros(int(trie.order_begins[-2]), dtype=np.float32)
    arrays = NgramArrays(trie.words, trie.children, trie.suffixes, logps, backoffs)
    set_backoffs(arrays)
    return NgramModel(vocabulary=vocabulary, arrays=arrays, order_begins=trie.order_begins)


@njit(cache=True, nogil=True)
def _add_probabilities(
    trie: Trie,
    arrays: NgramArrays,
    weight: float,
    word_ids: NDArray[np.int64],
    probabilities: NDArray[np.float64],
) -> None:
    """Add ``weight`` times the model's probability of every n-gram; ``word_ids`` are its ids of the trie's words."""
    arrays = borrowed(arrays)
    n_inner = len(trie.children) - 1
    states = np.zeros(n_inner, dtype=np.int64)
    for parent in range(n_inner):
        for node in range(trie.children[parent], trie.children[parent + 1]):
            logp, state = advance(arrays, states[parent], word_ids[trie.words[node]])
            probabilities[node] += weight * np.exp(logp)
            if node < n_inner:
                states[node] = state
