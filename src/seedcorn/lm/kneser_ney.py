"""Modified Kneser-Ney estimation, interpolated at every order, as the reference estimator (KenLM's lmplz) does it.

p(w | h) = (c(h w) - D(c(h w))) / c(h .) + gamma(h) p(w | h'), where h' is h without its first word, c counts how
often (highest order, and after ``<s>``) or after how many different words an n-gram was seen, and gamma(h) gives
away what the discounts D took. Unigrams are interpolated with 1 / |V|. See Chen and Goodman (1998), equations 23-26,
and Heafield et al., "Scalable modified Kneser-Ney language model estimation" (ACL 2013), for pruning.
"""

import warnings
from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from seedcorn.compiled import njit
from seedcorn.errors import ConfigError, SeedcornWarning
from seedcorn.lm.automaton import NgramArrays
from seedcorn.lm.counts import Counting, NgramCounts, count_ngrams
from seedcorn.lm.ngram_model import MAX_ORDER, NgramModel
from seedcorn.lm.scratch import NewArray, new_array_within
from seedcorn.lm.text_buffers import Texts
from seedcorn.lm.trie import Trie, keep_nodes, link_all_suffixes
from seedcorn.lm.vocabulary import BEGIN_ID, SPECIAL_WORDS

Discounts: TypeAlias = tuple[float, float, float]
FALLBACK_DISCOUNTS: Discounts = (0.5, 1.0, 1.5)
_BYTES_PER_NODE = 32
_LEAST = np.float32(1e-37)  # instead of 0, where discounts are 0 and nothing is given away


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
    counts = count_ngrams(
        texts,
        order=order,
        n_memory_bytes=counting.n_memory_bytes,
        folder=counting.place,
        words=vocabulary or (),
        mapper=counting.mapper,
    )
    allowed = _allowed_words(counts, vocabulary, max_words)
    n_bytes = len(counts.trie.words) * _BYTES_PER_NODE
    new_array = new_array_within(n_bytes, n_memory_bytes=counting.n_memory_bytes, folder=counting.place)
    return _model_of(counts, thresholds, allowed, fallback_discounts, new_array)


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
    new_array: NewArray,
) -> NgramModel:
    words, children, ngram_counts, order_begins = counts.trie
    trie = Trie(words, children, new_array(len(words), np.int32), order_begins)
    link_all_suffixes(trie)
    kept = new_array(len(words), np.bool_)
    _mark_kept(trie, ngram_counts, np.array(thresholds), allowed, kept)
    _adjust_counts(trie, ngram_counts)
    discounts = np.array([_discounts(ngram_counts, trie, k, fallback) for k in range(1, len(thresholds) + 1)])
    probabilities = new_array(len(words), np.float32)
    weights = new_array(int(order_begins[-2]), np.float32)
    _discount(trie, ngram_counts, kept, discounts, probabilities, weights)
    vocabulary = counts.vocabulary
    if not kept.all():
        trie, origins = keep_nodes(trie, kept)
        probabilities, weights = probabilities[origins], weights[origins[: trie.order_begins[-2]]]
        vocabulary = vocabulary if allowed.all() else vocabulary.subset(np.flatnonzero(allowed))
    _interpolate(trie, probabilities, weights)
    for numbers in (probabilities, weights):  # in place, as they may be larger than memory
        np.log(np.maximum(numbers, _LEAST, out=numbers), out=numbers)
    arrays = NgramArrays(trie.words, trie.children, trie.suffixes, probabilities, weights)
    return NgramModel(vocabulary=vocabulary, arrays=arrays, order_begins=trie.order_begins)


@njit(cache=True, nogil=True)
def _mark_kept(
    trie: Trie,
    counts: NDArray[np.int64],
    thresholds: NDArray[np.int64],
    allowed: NDArray[np.bool_],
    kept: NDArray[np.bool_],
) -> None:
    """Keep the n-grams of allowed words seen more often than the threshold of their order; of 1-grams all allowed."""
    kept[0] = True
    for word in range(len(allowed)):
        kept[1 + word] = allowed[word]
    for k in range(2, len(trie.order_begins) - 1):
        for parent in range(trie.order_begins[k - 1], trie.order_begins[k]):
            for node in range(trie.children[parent], trie.children[parent + 1]):
                kept[node] = kept[parent] and allowed[trie.words[node]] and counts[node] > thresholds[k - 1]


@njit(cache=True, nogil=True)
def _adjust_counts(trie: Trie, counts: NDArray[np.int64]) -> None:
    """Turn the counts of lower orders into how many different words came before, in place.

    What starts with ``<s>`` has no word before and keeps its count; ``<s>`` itself is never predicted.
    """
    order = len(trie.order_begins) - 2
    first, end = 1 + BEGIN_ID, 2 + BEGIN_ID  # the n-grams that start with <s>: one range in each order
    for k in range(1, order):
        counts[trie.order_begins[k] : first] = 0
        counts[end : trie.order_begins[k + 1]] = 0
        for node in range(trie.order_begins[k + 1], trie.order_begins[k + 2]):
            counts[trie.suffixes[node]] += 1
        first, end = trie.children[first], trie.children[end]
    counts[1 + BEGIN_ID] = 0


def _discounts(counts: NDArray[np.int64], trie: Trie, k: int, fallback: Discounts | None) -> list[float]:
    """Return what to take from adjusted counts 0, 1, 2 and 3 or more of order ``k`` (Chen and Goodman, equation 26)."""
    of_order = counts[trie.order_begins[k] : trie.order_begins[k + 1]]
    n = [int(np.count_nonzero(of_order == times)) for times in range(5)]
    if all(n[1:4]):
        y = n[1] / (n[1] + 2 * n[2])
        discounts = [times - (times + 1) * y * n[times + 1] / n[times] for times in (1, 2, 3)]
        if all(0 <= discount <= times for times, discount in enumerate(discounts, 1)):
            return [0.0, *discounts]
    if fallback is not None:
        return [0.0, *fallback]
    warnings.warn(
        f"the discounts of {k}-grams cannot be estimated from this text ({_counts_of_counts(n)}): "
        f"taking {', '.join(map(str, FALLBACK_DISCOUNTS))} instead",
        SeedcornWarning,
        stacklevel=4,
    )
    return [0.0, *FALLBACK_DISCOUNTS]


def _counts_of_counts(n: list[int]) -> str:
    return ", ".join(f"{n[times]:,} seen {times}x" for times in range(1, 5))


@njit(cache=True, nogil=True)
def _discount(
    trie: Trie,
    counts: NDArray[np.int64],
    kept: NDArray[np.bool_],
    discounts: NDArray[np.float64],
    probabilities: NDArray[np.float32],
    weights: NDArray[np.float32],
) -> None:
    """Set the discounted probability of every n-gram and the weight gamma that each context gives to lower orders.

    What pruned n-grams were counted goes to the lower orders as well. A context without followers has weight 1.
    """
    for k in range(1, len(trie.order_begins) - 1):
        for parent in range(trie.order_begins[k - 1], trie.order_begins[k]):
            total, given_away = 0, 0.0
            for node in range(trie.children[parent], trie.children[parent + 1]):
                total += counts[node]
                if kept[node]:
                    given_away += discounts[k - 1, min(counts[node], 3)]
                else:
                    given_away += counts[node]
            weights[parent] = given_away / total if total else 1.0
            for node in range(trie.children[parent], trie.children[parent + 1]):
                discount = discounts[k - 1, min(counts[node], 3)]
                probabilities[node] = (counts[node] - discount) / total if total else 0.0


@njit(cache=True, nogil=True)
def _interpolate(trie: Trie, probabilities: NDArray[np.float32], weights: NDArray[np.float32]) -> None:
    """Add to each discounted probability the lower order's share, from unigrams upwards; 1 / |V| below unigrams."""
    uniform = 1.0 / (trie.children[1] - 2)  # every word but <s>
    for node in range(1, trie.children[1]):
        probabilities[node] += weights[0] * uniform
    probabilities[0] = 1.0
    probabilities[1 + BEGIN_ID] = 1.0  # never predicted; as the reference estimator writes it
    weights[0] = 1.0
    for parent in range(1, len(weights)):
        for node in range(trie.children[parent], trie.children[parent + 1]):
            probabilities[node] += weights[parent] * probabilities[trie.suffixes[node]]
