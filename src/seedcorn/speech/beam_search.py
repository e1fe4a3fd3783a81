"""CTC prefix beam search with a word lexicon and n-gram language models, compiled.

A hypothesis is a word sequence and a node of the spelling trie. Its acoustic probability sums all alignments, kept
apart by whether they end in a blank (Hannun et al. 2014, Algorithm 1; Graves and Jaitly 2014). While a word is being
spelt, the best unigram probability below its node stands in for the language model.
"""

import numpy as np
from numpy.typing import NDArray

from seedcorn.compiled import borrowed, njit
from seedcorn.speech.beam import (
    N_CANDIDATES,
    N_ROWS,
    NO_WORD,
    NOTHING,
    TRIE_ROOT,
    MixedModels,
    SearchLimits,
    Workspace,
)
from seedcorn.speech.candidates import (
    advance_mixture,
    begin,
    came_from,
    contribute,
    copy_states,
    history_after,
    inherit,
    keep_best,
    next_step,
)
from seedcorn.speech.lexicon import SpellingTrie


@njit(cache=True, nogil=True)
def _keep_prefixes(
    work: Workspace, trie: SpellingTrie, models: MixedModels, limits: SearchLimits, frame: NDArray[np.float64]
) -> float:
    """Let every hypothesis go on by a blank or by repeating its last symbol; return the best score."""
    beam, candidates, slots, counts = work.beam, work.candidates, work.slots, work.counts
    lookahead, symbols = models.lookahead, trie.symbols
    best = NOTHING
    for row in range(counts[N_ROWS]):
        hypothesis = beam[row]
        blank_logp = hypothesis.total_logp + frame[limits.blank]
        if hypothesis.node != TRIE_ROOT:
            symbol_logp = hypothesis.symbol_logp + frame[symbols[hypothesis.node]]
        elif limits.boundary >= 0:  # a further word boundary changes nothing, with or without a blank in between
            symbol_logp = hypothesis.total_logp + frame[limits.boundary]
        else:
            symbol_logp = NOTHING
        score = max(blank_logp, symbol_logp) + hypothesis.prior + limits.lm_weight * lookahead[hypothesis.node]
        best = max(best, score)
        if score < best - limits.beam_width_logp:
            continue
        to, is_new, is_best = contribute(
            candidates, slots, counts, hypothesis.history, hypothesis.node, blank_logp, symbol_logp
        )
        if is_new:
            inherit(candidates[to], hypothesis)
            copy_states(work.beam_states, row, work.candidate_states, to)
        if is_best:
            came_from(candidates[to], hypothesis, NO_WORD, hypothesis.first_step, hypothesis.last_step)
    return best


@njit(cache=True, nogil=True)
def _spell_on(
    work: Workspace,
    trie: SpellingTrie,
    models: MixedModels,
    limits: SearchLimits,
    step: int,
    frame: NDArray[np.float64],
    best: float,
) -> float:
    """Begin or go on spelling a word, by every allowed symbol that some word has there; return the best score."""
    beam, candidates, slots, counts = work.beam, work.candidates, work.slots, work.counts
    lookahead, symbols, children = models.lookahead, trie.symbols, trie.children
    for row in range(counts[N_ROWS]):
        hypothesis = beam[row]
        node = hypothesis.node
        for child in range(children[node], children[node + 1]):
            symbol = symbols[child]
            if frame[symbol] < limits.min_symbol_logp:
                continue
            logp = (hypothesis.blank_logp if symbol == symbols[node] else hypothesis.total_logp) + frame[symbol]
            score = logp + hypothesis.prior + limits.lm_weight * lookahead[child]
            best = max(best, score)
            if logp == NOTHING or score < best - limits.beam_width_logp:
                continue
            to, is_new, is_best = contribute(candidates, slots, counts, hypothesis.history, child, NOTHING, logp)
            if is_new:
                inherit(candidates[to], hypothesis)
                copy_states(work.beam_states, row, work.candidate_states, to)
            if is_best:
                first_step = step if node == TRIE_ROOT else hypothesis.first_step
                came_from(candidates[to], hypothesis, NO_WORD, first_step, step)
    return best


@njit(cache=True, nogil=True)
def _end_word(work: Workspace, row: int, node: int, logp: float, word: int, word_logp: float, prior: float) -> None:
    """Let the hypothesis in ``row`` end ``word`` and reach ``node``; ``work.lm_states`` holds the states after it."""
    hypothesis, candidates = work.beam[row], work.candidates
    history = history_after(hypothesis.history, word)
    to, is_new, is_best = contribute(candidates, work.slots, work.counts, history, node, NOTHING, logp)
    if is_new:
        candidates[to].lm_logp = hypothesis.lm_logp + word_logp
        candidates[to].prior = prior
        for i in range(len(work.lm_states)):
            work.candidate_states[to, i] = work.lm_states[i]
    if is_best:
        came_from(candidates[to], hypothesis, word, hypothesis.first_step, hypothesis.last_step)


@njit(cache=True, nogil=True)
def _end_words(
    work: Workspace, trie: SpellingTrie, models: MixedModels, limits: SearchLimits, boundary_logp: float, best: float
) -> None:
    """End the words that are spelt completely by a word boundary."""
    for row in range(work.counts[N_ROWS]):
        hypothesis = work.beam[row]
        logp = hypothesis.total_logp + boundary_logp
        for at in range(trie.word_begins[hypothesis.node], trie.word_begins[hypothesis.node + 1]):
            word = np.int64(trie.word_rows[at])
            word_logp = advance_mixture(models, work.beam_states, row, word, work.lm_states, work.looked_up)
            prior = hypothesis.prior + limits.lm_weight * word_logp + limits.word_bonus
            best = max(best, logp + prior)
            if logp + prior >= best - limits.beam_width_logp:
                _end_word(work, row, TRIE_ROOT, logp, word, word_logp, prior)


@njit(cache=True, nogil=True)
def _start_next_words(
    work: Workspace,
    trie: SpellingTrie,
    models: MixedModels,
    limits: SearchLimits,
    frame: NDArray[np.float64],
    best: float,
) -> None:
    """End the words that are spelt completely by the first symbol of the next one, where no boundary is written."""
    for row in range(work.counts[N_ROWS]):
        hypothesis = work.beam[row]
        last = trie.symbols[hypothesis.node]
        for at in range(trie.word_begins[hypothesis.node], trie.word_begins[hypothesis.node + 1]):
            word = np.int64(trie.word_rows[at])
            word_logp = advance_mixture(models, work.beam_states, row, word, work.lm_states, work.looked_up)
            prior = hypothesis.prior + limits.lm_weight * word_logp + limits.word_bonus
            for symbol in range(len(frame)):
                child = np.int64(trie.root_children[symbol])
                if child < 0 or frame[symbol] < limits.min_symbol_logp:
                    continue
                logp = (hypothesis.blank_logp if symbol == last else hypothesis.total_logp) + frame[symbol]
                score = logp + prior + limits.lm_weight * models.lookahead[child]
                best = max(best, score)
                if logp > NOTHING and score >= best - limits.beam_width_logp:
                    _end_word(work, row, child, logp, word, word_logp, prior)


@njit(cache=True, nogil=True)
def _take_step(
    work: Workspace,
    trie: SpellingTrie,
    models: MixedModels,
    limits: SearchLimits,
    step: int,
    frame: NDArray[np.float64],
) -> None:
    next_step(work.counts)
    best = _keep_prefixes(work, trie, models, limits, frame)
    best = _spell_on(work, trie, models, limits, step, frame, best)
    if limits.boundary < 0:
        _start_next_words(work, trie, models, limits, frame, best)
    elif frame[limits.boundary] >= limits.min_symbol_logp:
        _end_words(work, trie, models, limits, frame[limits.boundary], best)
    keep_best(work, models, limits, step)


@njit(cache=True, nogil=True)
def _keep_complete(work: Workspace, row: int) -> None:
    """Let a hypothesis without an unfinished word, or without the one that it has, reach the end."""
    hypothesis, candidates = work.beam[row], work.candidates
    logp = hypothesis.total_logp
    to, is_new, is_best = contribute(candidates, work.slots, work.counts, hypothesis.history, TRIE_ROOT, logp, NOTHING)
    if is_new:
        inherit(candidates[to], hypothesis)
        copy_states(work.beam_states, row, work.candidate_states, to)
    if is_best:
        came_from(candidates[to], hypothesis, NO_WORD, hypothesis.first_step, hypothesis.last_step)


@njit(cache=True, nogil=True)
def _end_sentence(work: Workspace, trie: SpellingTrie, models: MixedModels, limits: SearchLimits, n_steps: int) -> bool:
    """End the last word (a further frame of word boundary) and the sentence; return whether any hypothesis could.

    When none could, the unfinished words are dropped.
    """
    next_step(work.counts)
    for row in range(work.counts[N_ROWS]):
        if work.beam[row].node == TRIE_ROOT:
            _keep_complete(work, row)
    _end_words(work, trie, models, limits, 0.0, NOTHING)
    complete = work.counts[N_CANDIDATES] > 0
    if not complete:
        for row in range(work.counts[N_ROWS]):
            _keep_complete(work, row)
    end_of_sentence = models.word_ids.shape[1] - 1
    for row in range(work.counts[N_CANDIDATES]):
        end_logp = advance_mixture(models, work.candidate_states, row, end_of_sentence, work.lm_states, work.looked_up)
        work.candidates[row].lm_logp += end_logp
        work.candidates[row].prior += limits.lm_weight * end_logp
    keep_best(work, models, limits, n_steps)
    return complete


@njit(cache=True, nogil=True)
def search(
    logps: NDArray[np.float64],
    trie: SpellingTrie,
    models: MixedModels,
    limits: SearchLimits,
    work: Workspace,
) -> bool:
    """Leave the best word sequences of one utterance, ``logps`` (steps, symbols), in the beam; see DecoderSettings.

    Return whether they end with a whole word; otherwise an unfinished one is dropped.
    Cost: O(steps * beam * (children of a node + log beam)).
    """
    frames, trie, models, work = borrowed(logps), borrowed(trie), borrowed(models), borrowed(work)
    begin(work, models)
    for step in range(len(frames)):
        _take_step(work, trie, models, limits, step, frames[step])
    return _end_sentence(work, trie, models, limits, len(frames))
