"""CTC prefix beam search with a word lexicon and n-gram language models, compiled.

A hypothesis is a word sequence and a node of the spelling trie. Its acoustic probability sums all alignments, kept
apart by whether they end in a blank (Hannun et al. 2014, Algorithm 1; Graves and Jaitly 2014). While a word is being
spelt, the best unigram probability below its node stands in for the language model.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from seedcorn.speech.beam import (
    N_CANDIDATES,
    N_ROWS,
    N_TRACES,
    NO_TRACE,
    NO_WORD,
    NOTHING,
    TRIE_ROOT,
    MixedModels,
    SearchLimits,
    Workspace,
    add_logps,
    advance_mixture,
    claim,
    is_hopeless,
    keep_best,
    move,
    next_step,
)
from seedcorn.speech.lexicon import SpellingTrie


class Found(NamedTuple):
    """The best hypotheses, best first; ``words`` and the steps are (n, longest), -1 beyond ``n_words``."""

    acoustic_logps: NDArray[np.float64]
    lm_logps: NDArray[np.float64]
    scores: NDArray[np.float64]
    n_words: NDArray[np.int64]
    words: NDArray[np.int64]
    first_steps: NDArray[np.int64]
    last_steps: NDArray[np.int64]
    complete: bool


@njit(cache=True, nogil=True)
def _stay(
    work: Workspace, models: MixedModels, limits: SearchLimits, row: int, frame: NDArray[np.float64], last: int
) -> None:
    """Let a hypothesis keep its prefix: by a blank, or by repeating its last symbol."""
    beam, candidates = work.beam, work.candidates
    node, lm_logp, n_words = beam.node[row], beam.lm_logp[row], beam.n_words[row]
    total = add_logps(beam.blank_logp[row], beam.symbol_logp[row])
    blank_logp = total + frame[limits.blank]
    symbol_logp = NOTHING
    if last >= 0:
        # After a word boundary, a further one changes nothing, whether or not a blank lies in between.
        symbol_logp = (total if last == limits.boundary else beam.symbol_logp[row]) + frame[last]
    logp = add_logps(blank_logp, symbol_logp)
    if is_hopeless(work, limits, logp, lm_logp, models.lookahead[node], n_words):
        return
    to, is_new = claim(work, beam.history[row], node)
    candidates.blank_logp[to] = add_logps(candidates.blank_logp[to], blank_logp)
    candidates.symbol_logp[to] = add_logps(candidates.symbol_logp[to], symbol_logp)
    if is_new:
        candidates.lm_logp[to] = lm_logp
        candidates.n_words[to] = n_words
        candidates.states[to] = beam.states[row]
    if logp > candidates.best_logp[to]:
        candidates.best_logp[to] = logp
        candidates.trace[to] = beam.trace[row]
        candidates.new_word[to] = NO_WORD
        candidates.first_step[to] = beam.first_step[row]
        candidates.last_step[to] = beam.last_step[row]


@njit(cache=True, nogil=True)
def _spell_on(
    work: Workspace,
    trie: SpellingTrie,
    models: MixedModels,
    limits: SearchLimits,
    row: int,
    step: int,
    frame: NDArray[np.float64],
    allowed: NDArray[np.int64],
    last: int,
) -> None:
    """Extend the word being spelt by every allowed symbol that some word goes on with."""
    beam = work.beam
    node, lm_logp, n_words = beam.node[row], beam.lm_logp[row], beam.n_words[row]
    total = add_logps(beam.blank_logp[row], beam.symbol_logp[row])
    if node == TRIE_ROOT:
        for symbol in allowed:
            child = trie.root_children[symbol]
            if child >= 0:
                logp = total + frame[symbol]
                if not is_hopeless(work, limits, logp, lm_logp, models.lookahead[child], n_words):
                    move(work, row, step, child, logp, NO_WORD, lm_logp, True)
        return
    for child in range(trie.children[node], trie.children[node + 1]):
        symbol = trie.symbols[child]
        if frame[symbol] >= limits.min_symbol_logp:
            logp = (beam.blank_logp[row] if symbol == last else total) + frame[symbol]
            if not is_hopeless(work, limits, logp, lm_logp, models.lookahead[child], n_words):
                move(work, row, step, child, logp, NO_WORD, lm_logp, False)


@njit(cache=True, nogil=True)
def _end_words(
    work: Workspace,
    trie: SpellingTrie,
    models: MixedModels,
    limits: SearchLimits,
    row: int,
    step: int,
    frame: NDArray[np.float64],
) -> None:
    """End the words that are spelt completely by a word boundary."""
    beam = work.beam
    node = beam.node[row]
    if frame[limits.boundary] < limits.min_symbol_logp:
        return
    logp = add_logps(beam.blank_logp[row], beam.symbol_logp[row]) + frame[limits.boundary]
    for at in range(trie.word_begins[node], trie.word_begins[node + 1]):
        word = trie.word_rows[at]
        lm_logp = beam.lm_logp[row] + advance_mixture(models, beam.states[row], word, work.lm_states)
        if not is_hopeless(work, limits, logp, lm_logp, models.lookahead[TRIE_ROOT], beam.n_words[row] + 1):
            move(work, row, step, TRIE_ROOT, logp, word, lm_logp, False)


@njit(cache=True, nogil=True)
def _start_next_words(
    work: Workspace,
    trie: SpellingTrie,
    models: MixedModels,
    limits: SearchLimits,
    row: int,
    step: int,
    frame: NDArray[np.float64],
    allowed: NDArray[np.int64],
    last: int,
) -> None:
    """End the words that are spelt completely by the first symbol of the next one, where no boundary is written."""
    beam = work.beam
    node = beam.node[row]
    total = add_logps(beam.blank_logp[row], beam.symbol_logp[row])
    for at in range(trie.word_begins[node], trie.word_begins[node + 1]):
        word = trie.word_rows[at]
        lm_logp = beam.lm_logp[row] + advance_mixture(models, beam.states[row], word, work.lm_states)
        for symbol in allowed:
            child = trie.root_children[symbol]
            if child >= 0:
                logp = (beam.blank_logp[row] if symbol == last else total) + frame[symbol]
                if not is_hopeless(work, limits, logp, lm_logp, models.lookahead[child], beam.n_words[row] + 1):
                    move(work, row, step, child, logp, word, lm_logp, True)


@njit(cache=True, nogil=True)
def _begin(work: Workspace, models: MixedModels) -> None:
    beam = work.beam
    work.counts[N_ROWS] = 1
    work.counts[N_TRACES] = 0
    beam.history[0] = 0
    beam.node[0] = TRIE_ROOT
    beam.blank_logp[0] = 0.0
    beam.symbol_logp[0] = NOTHING
    beam.lm_logp[0] = 0.0
    beam.n_words[0] = 0
    beam.states[0] = models.begin_states
    beam.trace[0] = NO_TRACE
    beam.first_step[0] = 0
    beam.last_step[0] = 0


@njit(cache=True, nogil=True)
def _take_step(
    work: Workspace,
    trie: SpellingTrie,
    models: MixedModels,
    limits: SearchLimits,
    step: int,
    frame: NDArray[np.float64],
) -> None:
    next_step(work)
    allowed = np.flatnonzero(frame >= limits.min_symbol_logp)
    for row in range(work.counts[N_ROWS]):
        node = work.beam.node[row]
        last = limits.boundary if node == TRIE_ROOT else np.int64(trie.symbols[node])
        _stay(work, models, limits, row, frame, last)
        _spell_on(work, trie, models, limits, row, step, frame, allowed, last)
        if trie.word_begins[node] < trie.word_begins[node + 1]:
            if limits.boundary >= 0:
                _end_words(work, trie, models, limits, row, step, frame)
            else:
                _start_next_words(work, trie, models, limits, row, step, frame, allowed, last)
    keep_best(work, models, limits)


@njit(cache=True, nogil=True)
def _end_sentence(work: Workspace, trie: SpellingTrie, models: MixedModels, limits: SearchLimits) -> bool:
    """End the last word (a further frame of word boundary) and the sentence; return whether any hypothesis could.

    When none could, the unfinished words are dropped.
    """
    beam, candidates = work.beam, work.candidates
    end_of_sentence = models.word_ids.shape[1] - 1
    next_step(work)
    for row in range(work.counts[N_ROWS]):
        node = beam.node[row]
        logp = add_logps(beam.blank_logp[row], beam.symbol_logp[row])
        if node == TRIE_ROOT:
            work.lm_states[:] = beam.states[row]
            move(work, row, 0, TRIE_ROOT, logp, NO_WORD, beam.lm_logp[row], False)
        for at in range(trie.word_begins[node], trie.word_begins[node + 1]):
            word = trie.word_rows[at]
            lm_logp = beam.lm_logp[row] + advance_mixture(models, beam.states[row], word, work.lm_states)
            move(work, row, 0, TRIE_ROOT, logp, word, lm_logp, False)
    complete = work.counts[N_CANDIDATES] > 0
    if not complete:
        for row in range(work.counts[N_ROWS]):
            logp = add_logps(beam.blank_logp[row], beam.symbol_logp[row])
            move(work, row, 0, TRIE_ROOT, logp, NO_WORD, beam.lm_logp[row], False)
    for row in range(work.counts[N_CANDIDATES]):
        candidates.lm_logp[row] += advance_mixture(models, candidates.states[row], end_of_sentence, work.lm_states)
    keep_best(work, models, limits)
    return complete


@njit(cache=True, nogil=True)
def _collect(work: Workspace, limits: SearchLimits, n_best: int, complete: bool) -> Found:
    beam, traces = work.beam, work.traces
    n = work.counts[N_ROWS]
    acoustic = np.empty(n)
    for row in range(n):
        acoustic[row] = add_logps(beam.blank_logp[row], beam.symbol_logp[row])
    scores = acoustic + limits.lm_weight * beam.lm_logp[:n] + limits.word_bonus * beam.n_words[:n]
    best = np.argsort(-scores, kind="mergesort")[:n_best]
    longest = 0
    for row in best:
        longest = max(longest, beam.n_words[row])
    words = np.full((len(best), longest), -1, dtype=np.int64)
    first_steps, last_steps = words.copy(), words.copy()
    for rank, row in enumerate(best):
        trace = beam.trace[row]
        for place in range(beam.n_words[row] - 1, -1, -1):
            words[rank, place] = traces.word[trace]
            first_steps[rank, place] = traces.first_step[trace]
            last_steps[rank, place] = traces.last_step[trace]
            trace = traces.parent[trace]
    return Found(
        acoustic[best],
        beam.lm_logp[:n][best],
        scores[best],
        beam.n_words[:n][best],
        words,
        first_steps,
        last_steps,
        complete,
    )


@njit(cache=True, nogil=True)
def search(
    logps: NDArray[np.float16],
    trie: SpellingTrie,
    models: MixedModels,
    limits: SearchLimits,
    n_best: int,
    work: Workspace,
) -> Found:
    """Return the ``n_best`` word sequences of one utterance, ``logps`` (steps, symbols); see DecoderSettings.

    Cost: O(steps * beam * (children of a node + log beam)).
    """
    _begin(work, models)
    for step in range(len(logps)):
        _take_step(work, trie, models, limits, step, logps[step])
    complete = _end_sentence(work, trie, models, limits)
    return _collect(work, limits, n_best, complete)
