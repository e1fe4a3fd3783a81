"""Entropy pruning: drop the n-grams whose loss changes a model least (Stolcke, "Entropy-based pruning", 1998).

Dropping "h w" gives its probability to backing off. How much worse the model then is, is the relative entropy
D = -P(h) { p(w|h) [log p(w|h') + log a' - log p(w|h)] + left(h) [log a' - log a] }, where a and a' are the back-off
weights of h before and after, left(h) the probability that h leaves to backing off, and P(h) the model's own
probability of seeing h. exp(D) - 1 is by how much perplexity grows.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedcorn.compiled import borrowed, njit
from seedcorn.errors import ConfigError
from seedcorn.lm.automaton import NgramArrays, advance
from seedcorn.lm.kept_nodes import keep_nodes, kept_values
from seedcorn.lm.ngram_model import NgramModel
from seedcorn.lm.normalisation import set_backoffs
from seedcorn.lm.perplexity import measure_perplexity
from seedcorn.lm.text_buffers import Texts
from seedcorn.lm.trie import ROOT
from seedcorn.lm.vocabulary import BEGIN_ID, END_ID

_LEAST_MASS = 1e-12


def prune_by_entropy(model: NgramModel, *, threshold: float | None = None, n_ngrams: int | None = None) -> NgramModel:
    """Return ``model`` without the n-grams that matter least, its back-off weights set anew.

    Drops what raises perplexity by less than the fraction ``threshold`` each, or all but the ``n_ngrams`` that matter
    most, 1-grams included (ties: lower orders, then trie order, stay). 1-grams stay, and so does every context of an
    n-gram that stays. Cost: one pass over the model, and sorting for a size. Raises ConfigError when not exactly one of
    the two is given, or when ``n_ngrams`` is less than the 1-grams.
    """
    if (threshold is None) == (n_ngrams is None):
        raise ConfigError(wanted="a threshold or a number of n-grams", found="both or neither")
    changes = perplexity_changes(model)
    if threshold is not None:
        kept = changes >= threshold
    else:
        kept = _most_important(changes, n_ngrams or 0, n_unigrams=len(model.vocabulary))
    trie = keep_nodes(model.trie, kept)
    logps, backoffs = (kept_values(values, kept) for values in (model.arrays.logps, model.arrays.backoffs))
    arrays = NgramArrays(trie.words, trie.children, trie.suffixes, logps, backoffs)
    set_backoffs(arrays)
    return NgramModel(vocabulary=model.vocabulary, arrays=arrays, order_begins=trie.order_begins)


class PruningPoint(NamedTuple):
    """How large a pruned model is, and its perplexity on some text."""

    n_ngrams: int
    perplexity: float


def perplexity_by_size(model: NgramModel, texts: Sequence[Texts], *, sizes: Sequence[int]) -> list[PruningPoint]:
    """Return the perplexity on ``texts`` of ``model`` pruned to each of ``sizes``, to choose a size by.

    Raises as prune_by_entropy and measure_perplexity.
    """
    pruned = (prune_by_entropy(model, n_ngrams=size) for size in sizes)
    return [PruningPoint(sum(m.n_ngrams), measure_perplexity(m, texts).perplexity) for m in pruned]


def _most_important(changes: NDArray[np.float64], n_ngrams: int, *, n_unigrams: int) -> NDArray[np.bool_]:
    if n_ngrams < n_unigrams:
        raise ConfigError(
            wanted=f"room for the {n_unigrams:,} 1-grams at least",
            found=f"{n_ngrams:,}",
            fix="Estimate with a limited vocabulary to have fewer words.",
        )
    kept = np.zeros(len(changes), dtype=np.bool_)
    # Contexts come before what they are contexts of and matter no less, so that cutting the order never parts them.
    kept[np.argsort(-changes, kind="stable")[: 1 + n_ngrams]] = True
    return kept


def perplexity_changes(model: NgramModel) -> NDArray[np.float64]:
    """Return for each node by which fraction perplexity grows without it, or without what it is a context of.

    The greater of the two, as an n-gram can only go after those that continue it; infinite for 1-grams and the root.
    """
    changes = np.zeros(int(model.order_begins[-1]))
    _fill_changes(model.arrays, changes)
    changes[: int(model.order_begins[2])] = np.inf
    return changes


@njit(cache=True, nogil=True)
def _fill_changes(arrays: NgramArrays, changes: NDArray[np.float64]) -> None:
    arrays = borrowed(arrays)
    n_inner = len(arrays.backoffs)
    history_logps = np.zeros(n_inner)  # log P(h), the product of the probabilities of its words
    for parent in range(n_inner):
        for node in range(arrays.children[parent], min(arrays.children[parent + 1], n_inner)):
            # A sentence begins as often as one ends.
            is_begin = node == 1 + BEGIN_ID
            history_logps[node] = history_logps[parent] + arrays.logps[1 + END_ID if is_begin else node]
    for parent in range(1, n_inner):
        begin, end = arrays.children[parent], arrays.children[parent + 1]
        lower = np.empty(end - begin)
        left_below = 1.0
        for node in range(begin, end):
            lower[node - begin] = advance(arrays, arrays.suffixes[parent], arrays.words[node])[0]
            left_below -= np.exp(lower[node - begin])
        left_below = max(left_below, _LEAST_MASS)
        weight = np.float64(arrays.backoffs[parent])
        left = np.exp(weight) * left_below
        for node in range(begin, end):
            logp = np.float64(arrays.logps[node])
            new_weight = np.log((left + np.exp(logp)) / (left_below + np.exp(lower[node - begin])))
            kept_back = np.exp(logp) * (lower[node - begin] + new_weight - logp) + left * (new_weight - weight)
            changes[node] = max(np.expm1(-np.exp(history_logps[parent]) * kept_back), 0.0)
    for parent in range(n_inner - 1, ROOT, -1):
        for node in range(arrays.children[parent], arrays.children[parent + 1]):
            changes[parent] = max(changes[parent], changes[node])
