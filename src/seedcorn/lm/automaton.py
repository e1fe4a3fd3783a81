"""The automaton of a back-off n-gram model: its arrays, and the compiled code that walks them word by word.

p(w | h) is the probability stored for the n-gram "h w", or else the back-off weight of h times p(w | h without its
first word). A state is the node of the longest stored suffix of what was said so far, so looking a word up never
handles a history of words.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedcorn.compiled import njit
from seedcorn.lm.text_buffers import is_space, next_word
from seedcorn.lm.trie import ROOT, find_child
from seedcorn.lm.vocabulary import END_ID, FNV_OFFSET, FNV_PRIME, UNKNOWN_ID, WordTable, mixed, slot_of

_N_LANES = 32


class NgramArrays(NamedTuple):
    """What compiled code needs of a model: the trie (see Trie) with natural-log numbers.

    ``logps`` (n_nodes,) float32; ``backoffs`` (n_inner,) float32, the log back-off weight of every node below the
    highest order; those of the highest order are never a state.
    """

    words: NDArray[np.int32]
    children: NDArray[np.int32]
    suffixes: NDArray[np.int32]
    logps: NDArray[np.float32]
    backoffs: NDArray[np.float32]


@njit(cache=True, nogil=True)
def advance(arrays: NgramArrays, state: int, word_id: int) -> tuple[float, int]:
    """Return the natural log probability of ``word_id`` after ``state``, and the state after it."""
    logp, history = 0.0, np.int64(state)
    node = find_child(arrays.words, arrays.children, history, word_id)
    while node < 0:
        logp += arrays.backoffs[history]
        history = np.int64(arrays.suffixes[history])
        node = find_child(arrays.words, arrays.children, history, word_id)
    logp += arrays.logps[node]
    return logp, (node if node < len(arrays.backoffs) else int(arrays.suffixes[node]))


@njit(cache=True, nogil=True)
def find_words(
    table: WordTable,
    text: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    word_ids: NDArray[np.int32],
    sentence_ends: NDArray[np.int64],
) -> None:
    """Set the word ids of all rows, each closed by ``</s>``, and where each row ends among them."""
    n_tokens = 0
    for row in range(len(offsets) - 1):
        end = offsets[row + 1]
        at = next_word(text, offsets[row], end)
        while at < end:
            stop, value = at, np.uint64(FNV_OFFSET)
            while stop < end and not is_space(text[stop]):
                value = (value ^ np.uint64(text[stop])) * np.uint64(FNV_PRIME)
                stop += 1
            word = table.slots[slot_of(table, text, at, stop, mixed(value))]
            # Also "<s>" and "</s>" in the text: they are no words.
            word_ids[n_tokens] = word if word > END_ID else UNKNOWN_ID
            n_tokens += 1
            at = next_word(text, stop, end)
        word_ids[n_tokens] = END_ID
        n_tokens += 1
        sentence_ends[row + 1] = n_tokens


@njit(cache=True, nogil=True)
def score_words(
    arrays: NgramArrays,
    begin_state: int,
    word_ids: NDArray[np.int32],
    sentence_ends: NDArray[np.int64],
    logps: NDArray[np.float64],
) -> int:
    """Set the log probability of every word as ``advance`` does, several sentences side by side.

    Written out, because a call counts the references to each array, which takes longer than the search. A model does
    not fit in the processor's caches, and one sentence would wait for memory at every word: so the arrays are first
    touched for all lanes, which overlaps the waits. What is returned only keeps that from being left out.
    """
    words, children, suffixes, node_logps, backoffs = arrays
    n_rows = len(sentence_ends) - 1
    n_lanes, next_row, touched = min(_N_LANES, n_rows), 0, 0
    states, at, ends = np.empty(n_lanes, np.int64), np.zeros(n_lanes, np.int64), np.zeros(n_lanes, np.int64)
    while True:
        lane = 0
        while lane < n_lanes:
            if at[lane] < ends[lane]:
                lane += 1
            elif next_row < n_rows:
                states[lane], at[lane], ends[lane] = begin_state, sentence_ends[next_row], sentence_ends[next_row + 1]
                next_row += 1
            else:
                n_lanes -= 1
                states[lane], at[lane], ends[lane] = states[n_lanes], at[n_lanes], ends[n_lanes]
        if n_lanes == 0:
            return touched
        for lane in range(n_lanes):
            first = children[states[lane]]
            touched += words[first if first < len(words) else 0]
        for lane in range(n_lanes):
            state, word, logp = states[lane], word_ids[at[lane]], 0.0
            while True:
                if state == ROOT:
                    node = 1 + word
                    break
                node, high = children[state], children[state + 1]
                end = high
                while node < high:
                    middle = (node + high) >> 1
                    if words[middle] < word:
                        node = middle + 1
                    else:
                        high = middle
                if node < end and words[node] == word:
                    break
                logp += backoffs[state]
                state = suffixes[state]
            logps[at[lane]] = logp + node_logps[node]
            states[lane] = node if node < len(backoffs) else suffixes[node]
            at[lane] += 1
