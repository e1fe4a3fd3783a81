"""Back-off weights that make every conditional distribution of a model sum to one."""

import numpy as np

from seedcorn.compiled import borrowed, njit
from seedcorn.lm.automaton import NgramArrays, advance
from seedcorn.lm.trie import ROOT
from seedcorn.lm.vocabulary import BEGIN_ID

LEAST_LOGP = -99 * np.log(10.0)  # what stands for "never", as in ARPA files
_LEAST_MASS = 1e-9


@njit(cache=True, nogil=True)
def set_backoffs(arrays: NgramArrays) -> None:
    """Scale the unigrams to sum to one, and set the back-off weight of every context to what its n-grams leave.

    The weight of h is (1 - sum p(w | h)) / (1 - sum p(w | h')), over the words w stored after h. Lower orders come
    first, so that p(w | h') is already that of the new model.
    """
    arrays = borrowed(arrays)
    total = 0.0
    for node in range(1, arrays.children[1]):
        if node != 1 + BEGIN_ID:
            total += np.exp(np.float64(arrays.logps[node]))
    for node in range(1, arrays.children[1]):
        if node != 1 + BEGIN_ID:
            arrays.logps[node] -= np.log(total)
    arrays.backoffs[ROOT] = 0.0
    for parent in range(1, len(arrays.backoffs)):
        left, left_below = 1.0, 1.0
        for node in range(arrays.children[parent], arrays.children[parent + 1]):
            left -= np.exp(np.float64(arrays.logps[node]))
            left_below -= np.exp(advance(arrays, arrays.suffixes[parent], arrays.words[node])[0])
        if arrays.children[parent] == arrays.children[parent + 1] or left_below < _LEAST_MASS:
            arrays.backoffs[parent] = 0.0
        else:
            arrays.backoffs[parent] = max(np.log(max(left, 1e-300) / left_below), LEAST_LOGP)
