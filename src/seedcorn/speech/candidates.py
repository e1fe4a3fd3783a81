"""The candidates of one step of the beam search: how they meet, what is known of them, and which of them stay.

Word sequences are told apart by 64-bit hashes, so that two rows with the same words and trie node become one.
"""

import numpy as np
from numpy.typing import NDArray

from seedcorn.compiled import njit
from seedcorn.lm.automaton import advance
from seedcorn.speech.beam import (
    N_CANDIDATES,
    N_ROWS,
    N_TRACES,
    NO_TRACE,
    NO_WORD,
    NOTHING,
    STAMP,
    TRIE_ROOT,
    LookedUp,
    MixedModels,
    SearchLimits,
    Workspace,
)

_HASH_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_HASH_FINISHER = np.uint64(0xBF58476D1CE4E5B9)


@njit(cache=True, nogil=True)
def begin(work: Workspace, models: MixedModels) -> None:
    """Make the beam the one hypothesis that has nothing yet."""
    work.counts[N_ROWS] = 1
    work.counts[N_TRACES] = 0
    empty = work.beam[0]
    empty.history = np.uint64(0)
    empty.node = TRIE_ROOT
    empty.blank_logp = 0.0
    empty.symbol_logp = NOTHING
    empty.total_logp = 0.0
    empty.lm_logp = 0.0
    empty.prior = 0.0
    empty.trace_row = NO_TRACE
    empty.first_step = 0
    empty.last_step = 0
    for i in range(len(models.begin_states)):
        work.beam_states[0, i] = models.begin_states[i]


@njit(cache=True, nogil=True)
def add_logps(a: float, b: float) -> float:
    """Return log(exp(a) + exp(b))."""
    if a < b:
        a, b = b, a
    return a if b == NOTHING else a + np.log1p(np.exp(b - a))


@njit(cache=True, nogil=True)
def _mixed(history: np.uint64, value: int) -> np.uint64:
    key = (history ^ np.uint64(value + 1)) * _HASH_MULTIPLIER
    return (key ^ (key >> np.uint64(29))) * _HASH_FINISHER


@njit(cache=True, nogil=True)
def advance_mixture(
    models: MixedModels, states: NDArray[np.int64], row: int, word: int, after: NDArray[np.int64], known: LookedUp
) -> float:
    """Return the log probability of ``word`` (a lexicon row) after ``states[row]``; the next ones go to ``after``."""
    total = NOTHING
    for i in range(states.shape[1]):
        key = states[row, i] << 32 | word
        slot = np.int64(_mixed(np.uint64(0), key) >> np.uint64(20)) & (known.keys.shape[1] - 1)
        if known.keys[i, slot] != key:
            logp, known.states[i, slot] = advance(models.arrays[i], states[row, i], models.word_ids[i, word])
            known.logps[i, slot] = models.log_weights[i] + logp + models.extra_logps[i, word]
            known.keys[i, slot] = key
        after[i] = known.states[i, slot]
        total = add_logps(total, known.logps[i, slot])
    return total


@njit(cache=True, nogil=True)
def copy_states(states: NDArray[np.int64], row: int, into: NDArray[np.int64], to: int) -> None:
    """Copy a row of language-model states."""
    for i in range(states.shape[1]):
        into[to, i] = states[row, i]


@njit(cache=True, nogil=True)
def history_after(history: np.uint64, word: int) -> np.uint64:
    """Return the hash of a word sequence that goes on with ``word``."""
    return _mixed(history, word)


@njit(cache=True, nogil=True)
def _claim(
    candidates: NDArray[np.void], slots: NDArray[np.int64], counts: NDArray[np.int64], history: np.uint64, node: int
) -> tuple[int, bool]:
    """Return the candidate row of this hypothesis, and whether it is new in this step."""
    mask = len(slots) - 1
    slot = np.int64(_mixed(history, node) >> np.uint64(20)) & mask
    while slots[slot] >> 32 == counts[STAMP]:
        row = slots[slot] & 0xFFFFFFFF
        if candidates[row].history == history and candidates[row].node == node:
            return row, False
        slot = (slot + 1) & mask
    row = counts[N_CANDIDATES]
    counts[N_CANDIDATES] += 1
    slots[slot] = counts[STAMP] << 32 | row
    return row, True


@njit(cache=True, nogil=True)
def contribute(
    candidates: NDArray[np.void],
    slots: NDArray[np.int64],
    counts: NDArray[np.int64],
    history: np.uint64,
    node: int,
    blank_logp: float,
    symbol_logp: float,
) -> tuple[int, bool, bool]:
    """Add the probability of more alignments to the candidate with these words and node.

    Return its row, whether it is new, and whether nothing larger was added to it before: only then does what added it
    decide how the candidate came about.
    """
    row, is_new = _claim(candidates, slots, counts, history, node)
    candidate = candidates[row]
    logp = max(blank_logp, symbol_logp)
    if is_new:
        candidate.history = history
        candidate.node = node
        candidate.blank_logp = blank_logp
        candidate.symbol_logp = symbol_logp
        candidate.best_logp = logp
        return row, True, True
    candidate.blank_logp = add_logps(candidate.blank_logp, blank_logp)
    candidate.symbol_logp = add_logps(candidate.symbol_logp, symbol_logp)
    is_best = logp > candidate.best_logp
    if is_best:
        candidate.best_logp = logp
    return row, False, is_best


@njit(cache=True, nogil=True)
def inherit(candidate: np.record, parent: np.record) -> None:
    """Give a new candidate the words of ``parent``, and what they score."""
    candidate.lm_logp = parent.lm_logp
    candidate.prior = parent.prior


@njit(cache=True, nogil=True)
def came_from(candidate: np.record, parent: np.record, word: int, first_step: int, last_step: int) -> None:
    """Note that a candidate came about from ``parent``, by ending ``word`` unless that is NO_WORD."""
    candidate.trace_row = parent.trace_row
    candidate.new_word = word
    candidate.first_step = first_step
    candidate.last_step = last_step


@njit(cache=True, nogil=True)
def _nth_largest(scores: NDArray[np.float64], n: int) -> float:
    """Return the ``n``-th largest score, reordering them (Hoare 1961); np.partition takes eight seconds to compile."""
    low, high = 0, len(scores) - 1
    while low < high:
        pivot = scores[(low + high) // 2]
        left, right = low, high
        while left <= right:
            while scores[left] > pivot:
                left += 1
            while scores[right] < pivot:
                right -= 1
            if left <= right:
                scores[left], scores[right] = scores[right], scores[left]
                left, right = left + 1, right - 1
        if n - 1 <= right:
            high = right
        elif n - 1 >= left:
            low = left
        else:
            break
    return scores[n - 1]


@njit(cache=True, nogil=True)
def keep_best(work: Workspace, models: MixedModels, limits: SearchLimits, step: int) -> None:
    """Make the best candidates the beam; of equal ones at its edge, those that were met first."""
    candidates = work.candidates
    n = work.counts[N_CANDIDATES]
    scores = np.empty(n)
    best = NOTHING
    for row in range(n):
        candidate = candidates[row]
        candidate.total_logp = add_logps(candidate.blank_logp, candidate.symbol_logp)
        scores[row] = candidate.total_logp + candidate.prior + limits.lm_weight * models.lookahead[candidate.node]
        best = max(best, scores[row])
    n_kept = min(n, limits.beam_size)
    edge = max(best - limits.beam_width_logp, _nth_largest(scores.copy(), n_kept) if n > n_kept else NOTHING)
    n_at_edge = n_kept
    for score in scores:
        n_at_edge -= score > edge
    to = np.int64(0)
    for row in range(n):
        at_edge = scores[row] == edge
        if scores[row] > edge or (at_edge and n_at_edge > 0):
            n_at_edge -= at_edge
            _copy_row(work, row, to, step)
            to += 1
    work.counts[N_ROWS] = to


@njit(cache=True, nogil=True)
def _copy_row(work: Workspace, row: int, to: int, step: int) -> None:
    """Copy a candidate into the beam, writing down the word that it has ended.

    Where no boundary is written, the next word has begun by the symbol that ended this one, at ``step``.
    """
    work.beam[to] = work.candidates[row]
    copy_states(work.candidate_states, row, work.beam_states, to)
    hypothesis = work.beam[to]
    if hypothesis.new_word != NO_WORD:
        trace = work.counts[N_TRACES]
        work.counts[N_TRACES] += 1
        ended = work.traces[trace]
        ended.parent = hypothesis.trace_row
        ended.word = hypothesis.new_word
        ended.first_step = hypothesis.first_step
        ended.last_step = hypothesis.last_step
        hypothesis.trace_row = trace
        hypothesis.first_step = step
        hypothesis.last_step = step


@njit(cache=True, nogil=True)
def next_step(counts: NDArray[np.int64]) -> None:
    """Forget the candidates of the step before."""
    counts[STAMP] += 1
    counts[N_CANDIDATES] = 0
