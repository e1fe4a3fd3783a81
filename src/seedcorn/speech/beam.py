"""The memory of the beam search: hypotheses by row, how they meet, and which of them stay.

Word sequences are told apart by 64-bit hashes, so that two rows with the same words and trie node become one.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from seedcorn.lm.ngram_model import NgramArrays, advance

NOTHING = -np.inf
TRIE_ROOT = 0
NO_TRACE = -1
NO_WORD = -1
N_ROWS, N_CANDIDATES, N_TRACES, STAMP = 0, 1, 2, 3  # what the entries of Workspace.counts are
_HASH_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


class MixedModels(NamedTuple):
    """One or more language models whose probabilities are added with weights, over the rows of the lexicon's words.

    ``word_ids`` and ``extra_logps`` are (n_models, n_words + 1); the last column is the sentence end. ``extra_logps``
    is added to what a model gives its unknown word. ``lookahead`` (n_nodes,) is the best unigram below each node.
    """

    arrays: tuple[NgramArrays, ...]
    log_weights: NDArray[np.float64]
    begin_states: NDArray[np.int64]
    word_ids: NDArray[np.int64]
    extra_logps: NDArray[np.float64]
    lookahead: NDArray[np.float64]


class SearchLimits(NamedTuple):
    """Numbers that steer the search; see DecoderSettings."""

    lm_weight: float
    word_bonus: float
    beam_size: int
    beam_width_logp: float
    min_symbol_logp: float
    blank: int
    boundary: int


class Beam(NamedTuple):
    """Hypotheses by row: identity, probabilities, language-model state, and the way back to their words.

    ``best_logp`` is the largest single contribution to a row: it decides the word times, ``trace`` and ``new_word``.
    """

    history: NDArray[np.uint64]
    node: NDArray[np.int64]
    blank_logp: NDArray[np.float64]
    symbol_logp: NDArray[np.float64]
    lm_logp: NDArray[np.float64]
    n_words: NDArray[np.int64]
    states: NDArray[np.int64]
    trace: NDArray[np.int64]
    new_word: NDArray[np.int64]
    first_step: NDArray[np.int64]
    last_step: NDArray[np.int64]
    best_logp: NDArray[np.float64]


class Traces(NamedTuple):
    """Words that ended, each with the one before it and the steps at which its first and last symbol began."""

    parent: NDArray[np.int64]
    word: NDArray[np.int64]
    first_step: NDArray[np.int64]
    last_step: NDArray[np.int64]


class Workspace(NamedTuple):
    """Everything the search writes to; ``counts`` holds n_rows, n_candidates, n_traces and the stamp of the step."""

    beam: Beam
    candidates: Beam
    traces: Traces
    slots: NDArray[np.int64]
    stamps: NDArray[np.int64]
    counts: NDArray[np.int64]
    best_score: NDArray[np.float64]
    lm_states: NDArray[np.int64]


@njit(cache=True, nogil=True)
def add_logps(a: float, b: float) -> float:
    """Return log(exp(a) + exp(b))."""
    if a < b:
        a, b = b, a
    return a if b == NOTHING else a + np.log1p(np.exp(b - a))


@njit(cache=True, nogil=True)
def _new_beam(n_rows: int, n_models: int) -> Beam:
    return Beam(
        np.zeros(n_rows, dtype=np.uint64),
        np.zeros(n_rows, dtype=np.int64),
        np.zeros(n_rows),
        np.zeros(n_rows),
        np.zeros(n_rows),
        np.zeros(n_rows, dtype=np.int64),
        np.zeros((n_rows, n_models), dtype=np.int64),
        np.zeros(n_rows, dtype=np.int64),
        np.zeros(n_rows, dtype=np.int64),
        np.zeros(n_rows, dtype=np.int64),
        np.zeros(n_rows, dtype=np.int64),
        np.zeros(n_rows),
    )


@njit(cache=True, nogil=True)
def new_workspace(beam_size: int, n_candidates: int, n_steps: int, n_models: int) -> Workspace:
    """Return memory for utterances of up to ``n_steps``."""
    n_traces = beam_size * (n_steps + 1)
    n_slots = 1
    while n_slots < 2 * n_candidates:
        n_slots *= 2
    return Workspace(
        _new_beam(beam_size, n_models),
        _new_beam(n_candidates, n_models),
        Traces(
            np.zeros(n_traces, dtype=np.int64),
            np.zeros(n_traces, dtype=np.int64),
            np.zeros(n_traces, dtype=np.int64),
            np.zeros(n_traces, dtype=np.int64),
        ),
        np.zeros(n_slots, dtype=np.int64),
        np.zeros(n_slots, dtype=np.int64),
        np.zeros(4, dtype=np.int64),
        np.zeros(1),
        np.zeros(n_models, dtype=np.int64),
    )


@njit(cache=True, nogil=True)
def _mixed(history: np.uint64, value: int) -> np.uint64:
    key = (history ^ np.uint64(value + 1)) * _HASH_MULTIPLIER
    return (key ^ (key >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)


@njit(cache=True, nogil=True)
def advance_mixture(models: MixedModels, states: NDArray[np.int64], word: int, after: NDArray[np.int64]) -> float:
    """Return the log probability of ``word`` (a lexicon row) after ``states``, writing the next ones to ``after``."""
    total = NOTHING
    for i in range(len(models.arrays)):
        logp, state = advance(models.arrays[i], states[i], models.word_ids[i, word])
        after[i] = state
        total = add_logps(total, models.log_weights[i] + logp + models.extra_logps[i, word])
    return total


@njit(cache=True, nogil=True)
def claim(work: Workspace, history: np.uint64, node: int) -> tuple[int, bool]:
    """Return the candidate row of this hypothesis, and whether it is new in this step."""
    candidates, counts = work.candidates, work.counts
    mask = len(work.slots) - 1
    slot = np.int64(_mixed(history, node) >> np.uint64(20)) & mask
    while work.stamps[slot] == counts[STAMP]:
        row = work.slots[slot]
        if candidates.history[row] == history and candidates.node[row] == node:
            return row, False
        slot = (slot + 1) & mask
    row = counts[N_CANDIDATES]
    counts[N_CANDIDATES] += 1
    work.stamps[slot] = counts[STAMP]
    work.slots[slot] = row
    candidates.history[row] = history
    candidates.node[row] = node
    candidates.blank_logp[row] = NOTHING
    candidates.symbol_logp[row] = NOTHING
    candidates.best_logp[row] = NOTHING
    return row, True


@njit(cache=True, nogil=True)
def is_hopeless(
    work: Workspace, limits: SearchLimits, logp: float, lm_logp: float, lookahead: float, n_words: int
) -> bool:
    """Tell whether a contribution is impossible or lies below the beam, noting the best one."""
    if logp == NOTHING:
        return True
    score = logp + limits.lm_weight * (lm_logp + lookahead) + limits.word_bonus * n_words
    if score > work.best_score[0]:
        work.best_score[0] = score
    return score < work.best_score[0] - limits.beam_width_logp


@njit(cache=True, nogil=True)
def move(
    work: Workspace,
    row: int,
    step: int,
    node: int,
    logp: float,
    word: int,
    lm_logp: float,
    starts_word: bool,
) -> None:
    """Let a hypothesis reach ``node`` by a new symbol, having ended ``word`` unless that is NO_WORD."""
    beam, candidates = work.beam, work.candidates
    history = beam.history[row] if word == NO_WORD else _mixed(beam.history[row], word)
    to, is_new = claim(work, history, node)
    candidates.symbol_logp[to] = add_logps(candidates.symbol_logp[to], logp)
    if is_new:
        candidates.lm_logp[to] = lm_logp
        candidates.n_words[to] = beam.n_words[row] + (word != NO_WORD)
        candidates.states[to] = beam.states[row] if word == NO_WORD else work.lm_states
    if logp > candidates.best_logp[to]:
        candidates.best_logp[to] = logp
        candidates.trace[to] = beam.trace[row]
        candidates.new_word[to] = word
        candidates.first_step[to] = step if starts_word and word == NO_WORD else beam.first_step[row]
        candidates.last_step[to] = beam.last_step[row] if word != NO_WORD else step


@njit(cache=True, nogil=True)
def _score_candidates(work: Workspace, models: MixedModels, limits: SearchLimits) -> NDArray[np.float64]:
    candidates = work.candidates
    n = work.counts[N_CANDIDATES]
    scores = np.empty(n)
    for row in range(n):
        acoustic = add_logps(candidates.blank_logp[row], candidates.symbol_logp[row])
        language = candidates.lm_logp[row] + models.lookahead[candidates.node[row]]
        scores[row] = acoustic + limits.lm_weight * language + limits.word_bonus * candidates.n_words[row]
    return scores


@njit(cache=True, nogil=True)
def keep_best(work: Workspace, models: MixedModels, limits: SearchLimits) -> None:
    """Make the best candidates the beam; of equal ones at its edge, those that were met first."""
    scores = _score_candidates(work, models, limits)
    n = len(scores)
    n_kept = min(n, limits.beam_size)
    floor = max(scores) - limits.beam_width_logp
    edge = max(np.partition(scores, n - n_kept)[n - n_kept], floor) if n > n_kept else floor
    n_above = 0
    for row in range(n):
        n_above += scores[row] > edge
    n_at_edge = n_kept - n_above
    to = 0
    for row in range(n):
        at_edge = scores[row] == edge
        if scores[row] > edge or (at_edge and n_at_edge > 0):
            n_at_edge -= at_edge
            _copy_row(work, row, to)
            to += 1
    work.counts[N_ROWS] = to


@njit(cache=True, nogil=True)
def _copy_row(work: Workspace, row: int, to: int) -> None:
    """Copy a candidate into the beam, writing down the word that it has ended."""
    beam, candidates = work.beam, work.candidates
    beam.history[to] = candidates.history[row]
    beam.node[to] = candidates.node[row]
    beam.blank_logp[to] = candidates.blank_logp[row]
    beam.symbol_logp[to] = candidates.symbol_logp[row]
    beam.lm_logp[to] = candidates.lm_logp[row]
    beam.n_words[to] = candidates.n_words[row]
    beam.states[to] = candidates.states[row]
    beam.trace[to] = candidates.trace[row]
    beam.first_step[to] = candidates.first_step[row]
    beam.last_step[to] = candidates.last_step[row]
    word = candidates.new_word[row]
    if word != NO_WORD:
        trace = work.counts[N_TRACES]
        work.counts[N_TRACES] += 1
        work.traces.parent[trace] = candidates.trace[row]
        work.traces.word[trace] = word
        work.traces.first_step[trace] = candidates.first_step[row]
        work.traces.last_step[trace] = candidates.last_step[row]
        beam.trace[to] = trace


@njit(cache=True, nogil=True)
def next_step(work: Workspace) -> None:
    """Forget the candidates of the step before."""
    work.counts[STAMP] += 1
    work.counts[N_CANDIDATES] = 0
    work.best_score[0] = NOTHING
