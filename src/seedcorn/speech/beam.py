"""The memory of the beam search: hypotheses by row, the words that they ended, and what the search is given."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedcorn.lm.automaton import NgramArrays

NOTHING = -np.inf
# Of a type: a function that is given a plain number is compiled for that number too, besides all others.
TRIE_ROOT = np.int64(0)
NO_TRACE = np.int64(-1)
NO_WORD = np.int64(-1)
N_LOOKED_UP = 1 << 13
N_ROWS, N_CANDIDATES, N_TRACES, STAMP = 0, 1, 2, 3  # what the entries of Workspace.counts are

# One hypothesis. history: hash of its words; node: where its last, unfinished word stands in the trie; blank_logp and
# symbol_logp: of the alignments that end in a blank or not; total_logp: of all (rows of the beam only); prior: weighted
# language-model score and word bonus; best_logp: the largest single contribution, which decides trace_row, new_word
# (ended in this step) and the steps at which the last word's first and last symbol began.
HYPOTHESIS = np.dtype(
    [
        ("history", np.uint64),
        ("node", np.int64),
        ("blank_logp", np.float64),
        ("symbol_logp", np.float64),
        ("total_logp", np.float64),
        ("lm_logp", np.float64),
        ("prior", np.float64),
        ("best_logp", np.float64),
        ("trace_row", np.int64),
        ("new_word", np.int64),
        ("first_step", np.int64),
        ("last_step", np.int64),
    ]
)
# An ended word, the trace of the word before it, and the steps at which its first and last symbol began.
TRACE = np.dtype([("parent", np.int64), ("word", np.int64), ("first_step", np.int64), ("last_step", np.int64)])


class MixedModels(NamedTuple):
    """One or more language models whose probabilities are added with weights, over the rows of the lexicon's words.

    ``word_ids`` and ``extra_logps`` are (n_models, n_words + 1); the last column is the sentence end. ``extra_logps``
    is added to what a model gives its unknown word. ``lookahead`` (n_nodes,) is the best unigram below each node.
    """

    arrays: Sequence[NgramArrays]
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


class LookedUp(NamedTuple):
    """What the models said lately, by a hash of state and word: a hypothesis ends the same word for several steps.

    Of each model and slot, shape (n_models, n_slots): what was asked (-1: nothing yet), the weighted log probability,
    and the state after the word.
    """

    keys: NDArray[np.int64]
    logps: NDArray[np.float64]
    states: NDArray[np.int64]


class Workspace(NamedTuple):
    """Everything the search writes to, with one and the same models.

    ``beam`` and ``candidates`` are rows of HYPOTHESIS, each with a row of language-model states; ``slots`` is a hash
    table of the candidates of this step; ``counts`` holds n_rows, n_candidates, n_traces and the number of the step;
    ``lm_states`` receives the states after a word.
    """

    beam: NDArray[np.void]
    beam_states: NDArray[np.int64]
    candidates: NDArray[np.void]
    candidate_states: NDArray[np.int64]
    traces: NDArray[np.void]
    slots: NDArray[np.int64]
    counts: NDArray[np.int64]
    lm_states: NDArray[np.int64]
    looked_up: LookedUp


def new_workspace(beam_size: int, n_candidates: int, n_steps: int, n_models: int) -> Workspace:
    """Return memory for utterances of up to ``n_steps`` and steps of up to ``n_candidates``."""
    n_slots = 1 << (2 * n_candidates).bit_length()
    return Workspace(
        beam=np.zeros(beam_size, dtype=HYPOTHESIS),
        beam_states=np.zeros((beam_size, n_models), dtype=np.int64),
        candidates=np.zeros(n_candidates, dtype=HYPOTHESIS),
        candidate_states=np.zeros((n_candidates, n_models), dtype=np.int64),
        traces=np.zeros(beam_size * (n_steps + 1), dtype=TRACE),
        slots=np.zeros(n_slots, dtype=np.int64),
        counts=np.zeros(4, dtype=np.int64),
        lm_states=np.zeros(n_models, dtype=np.int64),
        looked_up=LookedUp(
            keys=np.full((n_models, N_LOOKED_UP), -1, dtype=np.int64),
            logps=np.zeros((n_models, N_LOOKED_UP)),
            states=np.zeros((n_models, N_LOOKED_UP), dtype=np.int64),
        ),
    )
