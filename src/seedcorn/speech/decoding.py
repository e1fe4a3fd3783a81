"""From CTC posteriors to words: beam search with a lexicon and language models, in threads, n-best.

The score of a word sequence W is  log p_CTC(W) + lm_weight * log p_LM(W </s>) + word_bonus * |W|.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedcorn.progress import track
from seedcorn.speech.alphabet import Alphabet
from seedcorn.speech.beam import N_ROWS, NO_TRACE, MixedModels, SearchLimits, Workspace, new_workspace
from seedcorn.speech.beam_search import search
from seedcorn.speech.fusion import WeightedModel, mixed_models
from seedcorn.speech.lexicon import Lexicon
from seedcorn.speech.posteriors import LogPosteriors, check_logps
from seedcorn.speech.settings import DecoderSettings

_UTTERANCES_PER_TASK = 16
_LEAST_LOGP = -1e4  # finite, so that a blank is always possible and no utterance loses all its hypotheses


@dataclass(frozen=True, kw_only=True)
class Hypothesis:
    """One reading of an utterance, with natural-log scores; ``lm_logp`` is not weighted and includes the sentence end.

    ``first_steps`` and ``last_steps`` are the steps of the posteriors at which the first and the last symbol of each
    word begin, on the likeliest alignment. ``complete`` is False when the last word had to be dropped.
    """

    words: tuple[str, ...]
    score: float
    acoustic_logp: float
    lm_logp: float
    first_steps: tuple[int, ...]
    last_steps: tuple[int, ...]
    complete: bool


def decode(
    posteriors: Sequence[LogPosteriors],
    *,
    lexicon: Lexicon,
    models: Sequence[WeightedModel],
    settings: DecoderSettings,
    n_threads: int = 1,
) -> list[tuple[Hypothesis, ...]]:
    """Return the n-best hypotheses of each utterance, best first, in the order of ``posteriors``.

    Each utterance is (steps, symbols) of natural logs, its columns those of the lexicon's alphabet. An utterance
    without steps gives the empty hypothesis. The result does not depend on ``n_threads``.
    Raises DataError when the columns disagree with the alphabet or hold NaN or positive numbers.
    """
    for row, logps in enumerate(posteriors):
        check_logps(logps, lexicon.alphabet, where=f"utterance {row}")
    mixed = mixed_models(models, lexicon)
    limits = _limits(settings, lexicon.alphabet)
    tasks = [slice(start, start + _UTTERANCES_PER_TASK) for start in range(0, len(posteriors), _UTTERANCES_PER_TASK)]

    def decode_some(task: slice) -> list[tuple[Hypothesis, ...]]:
        return _decode_some(posteriors[task], lexicon, mixed, limits, settings.n_best)

    with ThreadPoolExecutor(n_threads) as threads:
        done = track(threads.map(decode_some, tasks), f"decoding {_UTTERANCES_PER_TASK} utterances", total=len(tasks))
        return [hypotheses for part in done for hypotheses in part]


def _decode_some(
    posteriors: Sequence[LogPosteriors], lexicon: Lexicon, mixed: MixedModels, limits: SearchLimits, n_best: int
) -> list[tuple[Hypothesis, ...]]:
    longest = max(len(logps) for logps in posteriors)
    work = _workspace_for(longest, lexicon, mixed, limits)
    results = []
    for logps in posteriors:
        wide = np.maximum(np.ascontiguousarray(logps, dtype=np.float64), _LEAST_LOGP)
        complete = search(wide, lexicon.trie, mixed, limits, work)
        results.append(_hypotheses(work, n_best=n_best, complete=complete, lexicon=lexicon))
    return results


def _workspace_for(n_steps: int, lexicon: Lexicon, mixed: MixedModels, limits: SearchLimits) -> Workspace:
    trie = lexicon.trie
    most_children = int(np.diff(trie.children).max())
    most_words = int(np.diff(trie.word_begins).max())
    n_first_symbols = 1 if limits.boundary >= 0 else int((trie.root_children >= 0).sum())
    n_candidates = limits.beam_size * (1 + most_children + most_words * n_first_symbols)
    return new_workspace(limits.beam_size, n_candidates, n_steps, len(mixed.arrays))


def _hypotheses(work: Workspace, *, n_best: int, complete: bool, lexicon: Lexicon) -> tuple[Hypothesis, ...]:
    """Return what the search left in the beam, best first; of equal scores, the row that comes first."""
    rows = work.beam[: work.counts[N_ROWS]]
    scores = rows["total_logp"] + rows["prior"]
    best = np.argsort(-scores, kind="stable")[:n_best].tolist()
    return tuple(_hypothesis(rows[row], float(scores[row]), work.traces, complete, lexicon) for row in best)


def _hypothesis(row: np.void, score: float, traces: NDArray[np.void], complete: bool, lexicon: Lexicon) -> Hypothesis:
    words, first_steps, last_steps = [], [], []
    at = int(row["trace_row"])
    while at != NO_TRACE:
        at, word, first_step, last_step = traces[at].item()
        words.append(lexicon.words[word])
        first_steps.append(first_step)
        last_steps.append(last_step)
    return Hypothesis(
        words=tuple(reversed(words)),
        score=score,
        acoustic_logp=float(row["total_logp"]),
        lm_logp=float(row["lm_logp"]),
        first_steps=tuple(reversed(first_steps)),
        last_steps=tuple(reversed(last_steps)),
        complete=complete,
    )


def _limits(settings: DecoderSettings, alphabet: Alphabet) -> SearchLimits:
    return SearchLimits(
        lm_weight=float(settings.lm_weight),
        word_bonus=float(settings.word_bonus),
        beam_size=settings.beam_size,
        beam_width_logp=float(settings.beam_width_logp),
        min_symbol_logp=float(settings.min_symbol_logp),
        blank=alphabet.blank,
        boundary=alphabet.boundary,
    )
