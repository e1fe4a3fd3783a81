"""The arithmetic of modified Kneser-Ney: discounts, discounted probabilities, interpolation; a block at a time.

Chen and Goodman (1998), equations 23-26; Heafield et al. (ACL 2013) for pruning.
"""

import warnings
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from seedcorn.compiled import njit
from seedcorn.errors import SeedcornWarning
from seedcorn.lm import trie_blocks
from seedcorn.lm.scratch import let_go
from seedcorn.lm.trie import ROOT, Trie
from seedcorn.lm.trie_blocks import node_ranges, parent_ranges
from seedcorn.lm.vocabulary import BEGIN_ID

Discounts: TypeAlias = tuple[float, float, float]
FALLBACK_DISCOUNTS: Discounts = (0.5, 1.0, 1.5)
_LEAST = np.float32(1e-37)  # instead of 0, where discounts are 0 and nothing is given away
_Counts: TypeAlias = "NDArray[np.int32] | NDArray[np.int64]"


def discounts_of(counts: _Counts, trie: Trie, k: int, fallback: Discounts | None) -> list[float]:
    """Return what to take from adjusted counts 0, 1, 2 and 3 or more of order ``k`` (Chen and Goodman, equation 26)."""
    n = np.zeros(5, dtype=np.int64)
    for begin, end in node_ranges(*trie.order_begins[k : k + 2].tolist(), n_nodes=trie_blocks.NODES_PER_BLOCK):
        _count_counts(counts[begin:end], n)
        let_go(counts)
    if all(n[1:4]):
        y = n[1] / (n[1] + 2 * n[2])
        discounts = [float(times - (times + 1) * y * n[times + 1] / n[times]) for times in (1, 2, 3)]
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


@njit(cache=True, nogil=True)
def _count_counts(counts: _Counts, n: NDArray[np.int64]) -> None:
    for count in counts:
        if count < len(n):
            n[count] += 1


def _counts_of_counts(n: NDArray[np.int64]) -> str:
    return ", ".join(f"{n[times]:,} seen {times}x" for times in range(1, 5))


def discount(
    trie: Trie,
    counts: _Counts,
    *,
    kept: NDArray[np.bool_],
    discounts: NDArray[np.float64],
    probabilities: NDArray[np.float32],
    weights: NDArray[np.float32],
) -> None:
    """Set the discounted probability of every n-gram and the weight gamma that each context gives to lower orders.

    What pruned n-grams were counted goes to the lower orders as well; an empty ``kept`` keeps all. A context without
    followers has weight 1. ``probabilities`` may lie over ``counts``.
    """
    for k in range(1, len(trie.order_begins) - 1):
        first, end = trie.order_begins[k - 1 : k + 1].tolist()
        for parents in parent_ranges(trie.children, first, end, n_nodes=trie_blocks.NODES_PER_BLOCK):
            _discount_children(trie.children, parents, counts, kept, discounts[k - 1], probabilities, weights)
            let_go(trie.children, counts, kept, probabilities, weights)


@njit(cache=True, nogil=True)
def _discount_children(
    children: NDArray[np.int32],
    parents: tuple[int, int],
    counts: _Counts,
    kept: NDArray[np.bool_],
    discounts: NDArray[np.float64],
    probabilities: NDArray[np.float32],
    weights: NDArray[np.float32],
) -> None:
    for parent in range(parents[0], parents[1]):
        total, given_away = 0, 0.0
        for node in range(children[parent], children[parent + 1]):
            total += counts[node]
            if len(kept) == 0 or kept[node]:
                given_away += discounts[min(counts[node], 3)]
            else:
                given_away += counts[node]
        weights[parent] = given_away / total if total else 1.0
        for node in range(children[parent], children[parent + 1]):
            taken = discounts[min(counts[node], 3)]
            probabilities[node] = (counts[node] - taken) / total if total else 0.0


def interpolate(trie: Trie, probabilities: NDArray[np.float32], weights: NDArray[np.float32]) -> None:
    """Add to each discounted probability the lower order's share, from unigrams upwards; 1 / |V| below unigrams.

    Every suffix is of the order below: where an n-gram is kept, what it ends with was seen as often, and is kept too.
    """
    order_begins = trie.order_begins.tolist()
    uniform = 1.0 / (order_begins[2] - 2)  # every word but <s>
    _interpolate_unigrams(probabilities[: order_begins[2]], weights[ROOT], uniform)
    probabilities[ROOT] = 1.0
    probabilities[1 + BEGIN_ID] = 1.0  # never predicted; as the reference estimator writes it
    weights[ROOT] = 1.0
    for k in range(2, len(order_begins) - 1):
        parents = (order_begins[k - 1], order_begins[k])
        for window in node_ranges(*parents, n_nodes=trie_blocks.NODES_PER_WINDOW):
            for block in parent_ranges(trie.children, *parents, n_nodes=trie_blocks.NODES_PER_BLOCK):
                _interpolate_children(trie, block, window, probabilities, weights)
                let_go(trie.children, trie.suffixes, weights)
            let_go(probabilities)


@njit(cache=True, nogil=True)
def _interpolate_unigrams(probabilities: NDArray[np.float32], weight: float, uniform: float) -> None:
    for node in range(1, len(probabilities)):
        probabilities[node] += weight * uniform


@njit(cache=True, nogil=True)
def _interpolate_children(
    trie: Trie,
    parents: tuple[int, int],
    window: tuple[int, int],
    probabilities: NDArray[np.float32],
    weights: NDArray[np.float32],
) -> None:
    for parent in range(parents[0], parents[1]):
        for node in range(trie.children[parent], trie.children[parent + 1]):
            suffix = trie.suffixes[node]
            if window[0] <= suffix < window[1]:
                probabilities[node] += weights[parent] * probabilities[suffix]


def take_logs(numbers: NDArray[np.float32]) -> None:
    """Replace ``numbers`` by their natural logarithms; a little more than 0 stands for 0."""
    for begin, end in node_ranges(0, len(numbers), n_nodes=trie_blocks.NODES_PER_BLOCK):
        part = numbers[begin:end]
        np.log(np.maximum(part, _LEAST, out=part), out=part)
        let_go(numbers)
