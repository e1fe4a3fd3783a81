"""Modified Kneser-Ney estimation, interpolated at every order, as the reference estimator (KenLM's lmplz) does it.

p(w | h) = (c(h w) - D(c(h w))) / c(h .) + gamma(h) p(w | h'), where h' is h without its first word, c counts how
often (highest order, and after ``<s>``) or after how many different words an n-gram was seen, and gamma(h) gives
away what the discounts D took. Unigrams are interpolated with 1 / |V|. See Chen and Goodman (1998), equations 23-26,
and Heafield et al., "Scalable modified Kneser-Ney language model estimation" (ACL 2013), for pruning.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seedcorn.errors import ConfigError
from seedcorn.lm.adjusted_counts import adjust_counts, mark_kept
from seedcorn.lm.automaton import NgramArrays
from seedcorn.lm.counts import Counting, NgramCounts, count_ngrams
from seedcorn.lm.discounting import FALLBACK_DISCOUNTS, Discounts, discount, discounts_of, interpolate, take_logs
from seedcorn.lm.kept_nodes import keep_nodes, kept_values
from seedcorn.lm.ngram_model import MAX_ORDER, NgramModel
from seedcorn.lm.scratch import new_array
from seedcorn.lm.text_buffers import Texts
from seedcorn.lm.trie import Trie
from seedcorn.lm.vocabulary import SPECIAL_WORDS

__all__ = ["FALLBACK_DISCOUNTS", "Discounts", "estimate"]


def estimate(
    texts: Iterable[Texts],
    *,
    order: int = 3,
    prune: Sequence[int] = (0,),
    vocabulary: Sequence[str] | None = None,
    max_words: int | None = None,
    fallback_discounts: Discounts | None = None,
    counting: Counting = Counting(),
) -> NgramModel:
    """Estimate a model from ``texts``, batches of sentences as words separated by white space.

    ``prune[k - 1]`` drops n-grams of order k seen so often or less (the last number counts for the higher orders, too).
    With ``vocabulary`` the model knows exactly these words, seen or not. Other words, or those beyond the
    ``max_words`` most frequent ones (ties: first met), are unknown.
    Where discounts cannot be estimated, as in very small or deduplicated text, ``fallback_discounts`` are taken; unless
    they were given, FALLBACK_DISCOUNTS are, with a SeedcornWarning that names the order.
    ``counting`` says in how much memory, and where; the model is the same. The order of the sentences does not matter,
    but for the word ids. Raises ConfigError on impossible settings and DataError on text without sentences.
    """
    thresholds = _thresholds(prune, order)
    counts = count_ngrams(texts, order=order, words=vocabulary or (), counting=counting)
    allowed = _allowed_words(counts, vocabulary, max_words)
    return _model_of(counts, thresholds, allowed, fallback_discounts, counting.place)


def _thresholds(prune: Sequence[int], order: int) -> list[int]:
    if not 1 <= order <= MAX_ORDER:
        raise ConfigError(wanted=f"an order of 1 to {MAX_ORDER}", found=f"{order}")
    thresholds = [*prune, *([prune[-1]] * (order - len(prune)))] if prune else [0] * order
    if thresholds[0] != 0 or len(thresholds) > order or sorted(thresholds) != thresholds:
        raise ConfigError(
            wanted=f"up to {order} pruning thresholds that start with 0 and never fall",
            found=" ".join(map(str, prune)),
            fix="Limit the vocabulary to prune 1-grams.",
        )
    return thresholds


def _allowed_words(counts: NgramCounts, vocabulary: Sequence[str] | None, max_words: int | None) -> NDArray[np.bool_]:
    """Return for each word id whether the model may know it; the special words always."""
    n_words = len(counts.vocabulary)
    allowed = np.ones(n_words, dtype=np.bool_)
    if vocabulary is not None:  # counting gave its words the first ids
        n_known = len(set(vocabulary).union(SPECIAL_WORDS))
        allowed[n_known:] = False
    if max_words is not None:
        if max_words < 1:
            raise ConfigError(wanted="a vocabulary of at least one word", found=f"{max_words}")
        occurrences = np.where(allowed, counts.trie.counts[1 : 1 + n_words], 0)
        occurrences[: len(SPECIAL_WORDS)] = 0
        allowed[np.argsort(-occurrences, kind="stable")[max_words:]] = False
    allowed[: len(SPECIAL_WORDS)] = True
    return allowed


def _model_of(
    counts: NgramCounts,
    thresholds: list[int],
    allowed: NDArray[np.bool_],
    fallback: Discounts | None,
    folder: Path,
) -> NgramModel:
    words, children, ngram_counts, order_begins = counts.trie
    is_pruned = any(thresholds) or not allowed.all()
    kept = new_array(len(words) if is_pruned else 0, np.bool_, folder=folder)
    if is_pruned:
        mark_kept(counts.trie, thresholds=thresholds, allowed=allowed, kept=kept)
    trie = Trie(words, children, new_array(len(words), np.int32, folder=folder), order_begins)
    adjust_counts(trie, ngram_counts)
    discounts = np.array([discounts_of(ngram_counts, trie, k, fallback) for k in range(1, len(thresholds) + 1)])
    probabilities = _array_over(ngram_counts, folder)
    weights = new_array(int(order_begins[-2]), np.float32, folder=folder)
    discount(trie, ngram_counts, kept=kept, discounts=discounts, probabilities=probabilities, weights=weights)
    vocabulary = counts.vocabulary
    if is_pruned:
        trie = keep_nodes(trie, kept, folder=folder)
        probabilities, weights = (kept_values(values, kept, folder=folder) for values in (probabilities, weights))
        vocabulary = vocabulary if allowed.all() else vocabulary.subset(np.flatnonzero(allowed))
    interpolate(trie, probabilities, weights)
    take_logs(probabilities)
    take_logs(weights)
    arrays = NgramArrays(trie.words, trie.children, trie.suffixes, probabilities, weights)
    return NgramModel(vocabulary=vocabulary, arrays=arrays, order_begins=trie.order_begins)


def _array_over(counts: NDArray[np.int32] | NDArray[np.int64], folder: Path) -> NDArray[np.float32]:
    """Return an array of probabilities in the place of ``counts``, which are each read before it is written."""
    if counts.dtype == np.int32:
        return counts.view(np.float32)
    return new_array(len(counts), np.float32, folder=folder)
