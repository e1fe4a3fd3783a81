"""What the tests of language models share: small texts, and models looked at n-gram by n-gram."""

import numpy as np

from seedcorn.lm.automaton import advance
from seedcorn.lm.kneser_ney import FALLBACK_DISCOUNTS, estimate
from seedcorn.lm.ngram_model import NgramModel
from seedcorn.lm.vocabulary import BEGIN_ID

SENTENCES = (
    "play some music",
    "play the next song",
    "play the next song please",
    "what is the weather",
    "what is the weather in pune",
    "मौसम कैसा है",
    "कल मौसम कैसा है",
    "set an alarm for six",
    "set an alarm for seven please",
    "stop the music",
    "",
    "stop",
)


def small_model(sentences: tuple[str, ...] = SENTENCES, *, order: int = 3) -> NgramModel:
    """Estimate a model of a few sentences without a warning."""
    return estimate([list(sentences)], order=order, fallback_discounts=FALLBACK_DISCOUNTS)


def ngrams_of(model: NgramModel) -> dict[tuple[str, ...], tuple[float, float]]:
    """Return natural log probability and back-off weight (0 in the highest order) of every n-gram."""
    names: list[tuple[str, ...]] = [()]
    arrays, found = model.arrays, {}
    names *= int(model.order_begins[-1])
    for parent in range(len(arrays.backoffs)):
        for node in range(arrays.children[parent], arrays.children[parent + 1]):
            names[node] = (*names[parent], model.words[arrays.words[node]])
            backoff = float(arrays.backoffs[node]) if node < len(arrays.backoffs) else 0.0
            found[names[node]] = (float(arrays.logps[node]), backoff)
    return found


def distribution_sums(model: NgramModel) -> np.ndarray:
    """Return for every state of the model the sum of the probabilities of all words after it."""
    words = [word for word in range(len(model.words)) if word != BEGIN_ID]
    n_states = len(model.arrays.backoffs)
    return np.array([sum(np.exp(advance(model.arrays, s, w)[0]) for w in words) for s in range(n_states)])
