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
    NOTHING,
    TRIE_ROOT,
    MixedModels,
    SearchLimits,
    Workspace,
    advance_mixture,
    end_word,
    is_hopeless,
    keep_best,
    next_step,
    spell,
    stay,
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
def _keep_prefix(
    work: Workspace, models: MixedModels, limits: SearchLimits, row: int, frame: NDArray[np.float64], last: int
) -> None:
    """Let a hypothesis go on by a blank, or by repeating its last symbol."""
    hypothesis = work.beam[row]
    blank_logp = hypothesis.total_logp + frame[limits.blank]
    symbol_logp = NOTHING
    if last >= 0:
        # After a word boundary, a further one changes nothing, whether or not a blank lies in between.
        symbol_logp = (hypothesis.total_logp if last == limits.boundary else hypothesis.symbol_logp) + frame[last]
    score = max(blank_logp, symbol_logp) + hypothesis.prior + limits.lm_weight * models.lookahead[hypothesis.node]
    if not is_hopeless(work.best_score, limits.beam_width_logp, score):
        stay(work, row, blank_logp, symbol_logp)


@njit(cache=True, nogil=True)
def _start_word(
    work: Workspace,
    trie: SpellingTrie,
    models: MixedModels,
    limits: SearchLimits,
    row: int,
    step: int,
    frame: NDArray[np.float64],
    allowed: NDArray[np.int64],
) -> None:
    """Begin a word by every allowed symbol that some word begins with."""
    hypothesis = work.beam[row]
    for symbol in allowed:
        child = trie.root_children[symbol]
        if child >= 0:
            logp = hypothesis.total_logp + frame[symbol]
            score = logp + hypothesis.prior + limits.lm_weight * models.lookahead[child]
            if not is_hopeless(work.best_score, limits.beam_width_logp, score):
                spell(work, row, step, child, logp)


@njit(cache=True, nogil=True)
def _spell_on(
    work: Workspace,
    trie: SpellingTrie,
    models: MixedModels,
    limits: SearchLimits,
    row: int,
    step: int,
    frame: NDArray[np.float64],
    last: int,
) -> None:
    """Extend the word being spelt by every allowed symbol that some word goes on with."""
    hypothesis = work.beam[row]
    for child in range(trie.children[hypothesis.node], trie.children[hypothesis.node + 1]):
        symbol = trie.symbols[child]
        if frame[symbol] >= limits.min_symbol_logp:
            logp = (hypothesis.blank_logp if symbol == last else hypothesis.total_logp) + frame[symbol]
            score = logp + hypothesis.prior + limits.lm_weight * models.lookahead[child]
            if not is_hopeless(work.best_score, limits.beam_width_logp, score):
                spell(work, row, step, child, logp)


@njit(cache=True, nogil=True)
def _end_words(
    work: Workspace,
    trie: SpellingTrie,
    models: MixedModels,
    limits: SearchLimits,
    row: int,
    frame: NDArray[np.float64],
) -> None:
    """End the words that are spelt completely by a word boundary."""
    hypothesis = work.beam[row]
    logp = hypothesis.total_logp + frame[limits.boundary]
    for at in range(trie.word_begins[hypothesis.node], trie.word_begins[hypothesis.node + 1]):
        word = trie.word_rows[at]
        word_logp = advance_mixture(models, work.beam_states, row, word, work.lm_states)
        prior = hypothesis.prior + limits.lm_weight * word_logp + limits.word_bonus
        if not is_hopeless(work.best_score, limits.beam_width_logp, logp + prior):
            end_word(work, row, TRIE_ROOT, logp, word, hypothesis.lm_logp + word_logp, prior)


@njit(cache=True, nogil=True)
def _start_next_words(
    work: Workspace,
    trie: SpellingTrie,
    models: MixedModels,
    limits: SearchLimits,
    row: int,
    frame: NDArray[np.float64],
    allowed: NDArray[np.int64],
    last: int,
) -> None:
    """End the words that are spelt completely by the first symbol of the next one, where no boundary is written."""
    hypothesis = work.beam[row]
    for at in range(trie.word_begins[hypothesis.node], trie.word_begins[hypothesis.node + 1]):
        word = trie.word_rows[at]
        word_logp = advance_mixture(models, work.beam_states, row, word, work.lm_states)
        prior = hypothesis.prior + limits.lm_weight * word_logp + limits.word_bonus
        for symbol in allowed:
            child = trie.root_children[symbol]
            if child >= 0:
                logp = (hypothesis.blank_logp if symbol == last else hypothesis.total_logp) + frame[symbol]
                score = logp + prior + limits.lm_weight * models.lookahead[child]
                if not is_hopeless(work.best_score, limits.beam_width_logp, score):
                    end_word(work, row, child, logp, word, hypothesis.lm_logp + word_logp, prior)


@njit(cache=True, nogil=True)
def _begin(work: Workspace, models: MixedModels) -> None:
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
    empty.n_words = 0
    empty.trace = NO_TRACE
    empty.first_step = 0
    empty.last_step = 0
    for i in range(len(models.begin_states)):
        work.beam_states[0, i] = models.begin_states[i]


@njit(cache=True, nogil=True)
def _expect_blank(work: Workspace, models: MixedModels, limits: SearchLimits, blank_logp: float) -> None:
    """Begin with the best score that a blank gives, so that few hopeless contributions are made."""
    for row in range(work.counts[N_ROWS]):
        hypothesis = work.beam[row]
        ahead = limits.lm_weight * models.lookahead[hypothesis.node]
        work.best_score[0] = max(work.best_score[0], hypothesis.total_logp + blank_logp + hypothesis.prior + ahead)


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
    _expect_blank(work, models, limits, frame[limits.blank])
    allowed = np.flatnonzero(frame >= limits.min_symbol_logp)
    for row in range(work.counts[N_ROWS]):
        node = work.beam[row].node
        last = limits.boundary if node == TRIE_ROOT else np.int64(trie.symbols[node])
        _keep_prefix(work, models, limits, row, frame, last)
        if node == TRIE_ROOT:
            _start_word(work, trie, models, limits, row, step, frame, allowed)
            continue
        _spell_on(work, trie, models, limits, row, step, frame, last)
        if limits.boundary < 0:
            _start_next_words(work, trie, models, limits, row, frame, allowed, last)
        elif frame[limits.boundary] >= limits.min_symbol_logp:
            _end_words(work, trie, models, limits, row, frame)
    keep_best(work, models, limits, step)


@njit(cache=True, nogil=True)
def _end_sentence(work: Workspace, trie: SpellingTrie, models: MixedModels, limits: SearchLimits, n_steps: int) -> bool:
    """End the last word (a further frame of word boundary) and the sentence; return whether any hypothesis could.

    When none could, the unfinished words are dropped.
    """
    end_of_sentence = models.word_ids.shape[1] - 1
    next_step(work)
    for row in range(work.counts[N_ROWS]):
        hypothesis = work.beam[row]
        if hypothesis.node == TRIE_ROOT:
            stay(work, row, hypothesis.total_logp, NOTHING)
        for at in range(trie.word_begins[hypothesis.node], trie.word_begins[hypothesis.node + 1]):
            word = trie.word_rows[at]
            word_logp = advance_mixture(models, work.beam_states, row, word, work.lm_states)
            prior = hypothesis.prior + limits.lm_weight * word_logp + limits.word_bonus
            end_word(work, row, TRIE_ROOT, hypothesis.total_logp, word, hypothesis.lm_logp + word_logp, prior)
    complete = work.counts[N_CANDIDATES] > 0
    for row in range(work.counts[N_ROWS]):
        if not complete:
            work.beam[row].node = TRIE_ROOT
            stay(work, row, work.beam[row].total_logp, NOTHING)
    for row in range(work.counts[N_CANDIDATES]):
        end_logp = advance_mixture(models, work.candidate_states, row, end_of_sentence, work.lm_states)
        work.candidates[row].lm_logp += end_logp
        work.candidates[row].prior += limits.lm_weight * end_logp
    keep_best(work, models, limits, n_steps)
    return complete


@njit(cache=True, nogil=True)
def _collect(work: Workspace, n_best: int, complete: bool) -> Found:
    n = work.counts[N_ROWS]
    scores = np.empty(n)
    for row in range(n):
        scores[row] = work.beam[row].total_logp + work.beam[row].prior
    best = np.argsort(-scores, kind="mergesort")[:n_best]
    n_words = np.array([work.beam[row].n_words for row in best])
    words = np.full((len(best), n_words.max()), -1, dtype=np.int64)
    first_steps, last_steps = words.copy(), words.copy()
    for rank in range(len(best)):
        at = work.beam[best[rank]].trace
        for place in range(n_words[rank] - 1, -1, -1):
            trace = work.traces[at]
            words[rank, place] = trace.word
            first_steps[rank, place] = trace.first_step
            last_steps[rank, place] = trace.last_step
            at = trace.parent
    return Found(
        np.array([work.beam[row].total_logp for row in best]),
        np.array([work.beam[row].lm_logp for row in best]),
        scores[best],
        n_words,
        words,
        first_steps,
        last_steps,
        complete,
    )


@njit(cache=True, nogil=True)
def search(
    logps: NDArray[np.float64],
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
    complete = _end_sentence(work, trie, models, limits, len(logps))
    return _collect(work, n_best, complete)
