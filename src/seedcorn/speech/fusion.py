"""Language models in the decoder: a linear mixture over the words of the lexicon, and what unknown words get."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba.typed import List
from numpy.typing import NDArray

from seedcorn.compiled import borrowed, njit
from seedcorn.errors import ConfigError, SeedcornWarning
from seedcorn.lm.automaton import NgramArrays, advance
from seedcorn.lm.kneser_ney import estimate
from seedcorn.lm.ngram_model import NgramModel
from seedcorn.lm.trie import ROOT
from seedcorn.speech.beam import MixedModels
from seedcorn.speech.lexicon import Lexicon, SpellingTrie

_ROOT = np.int64(ROOT)  # of a type, as in speech.beam


@dataclass(frozen=True, kw_only=True)
class WeightedModel:
    """A language model and its share of a mixture; ``oov_logps`` spreads its unknown word over the words unknown to it.

    See ``unigram_floor`` and ``character_oov_logps`` for the two ways to spread.
    """

    model: NgramModel
    weight: float = 1.0
    oov_logps: NDArray[np.float64] | None = None


def mixed_models(models: Sequence[WeightedModel], lexicon: Lexicon) -> MixedModels:
    """Return the linear mixture of ``models`` over the words of ``lexicon``, with the look-ahead of its trie.

    Raises ConfigError when there is no model or the weights are not positive numbers that sum to one.
    """
    check_mixture([model.weight for model in models])
    weights = np.array([model.weight for model in models], dtype=np.float64)
    word_ids = np.stack([np.append(m.model.word_ids(lexicon.words), m.model.end_id) for m in models])
    extra = np.array([_extra_logps(m, ids) for m, ids in zip(models, word_ids, strict=True)])
    arrays = List([_writeable(m.model.arrays) for m in models])  # one compiled type, however many models
    logps = np.stack([_unigram_logps(a, ids) for a, ids in zip(arrays, word_ids, strict=True)])
    unigrams = np.logaddexp.reduce(logps + extra + np.log(weights)[:, None], axis=0)[:-1]
    return MixedModels(
        arrays=arrays,
        log_weights=np.log(weights),
        begin_states=np.array([m.model.begin_state for m in models], dtype=np.int64),
        word_ids=word_ids,
        extra_logps=extra,
        lookahead=_lookahead(lexicon.trie, unigrams),
    )


def check_mixture(weights: Sequence[float]) -> None:
    """Raise ConfigError unless there are ``weights`` and they are positive numbers that sum to one."""
    if not weights or not all(weight > 0 for weight in weights) or abs(sum(weights) - 1) > 1e-6:
        raise ConfigError(wanted="positive mixture weights that sum to 1", found=str(list(weights)))


def _extra_logps(weighted: WeightedModel, word_ids: NDArray[np.int64]) -> NDArray[np.float64]:
    extra = np.zeros(len(word_ids))
    if weighted.oov_logps is not None:
        extra[:-1] = np.where(word_ids[:-1] == weighted.model.unknown_id, weighted.oov_logps, 0.0)
    return extra


def _writeable(arrays: NgramArrays) -> NgramArrays:
    """Return arrays of one compiled type, whether they come from a file or from the estimator."""
    usable = {name: np.require(array, requirements=["C", "W", "A"]) for name, array in arrays._asdict().items()}
    return arrays._replace(**usable)


@njit(cache=True, nogil=True)
def _unigram_logps(arrays: NgramArrays, word_ids: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return log P(word) of each word, (words,)."""
    arrays = borrowed(arrays)
    logps = np.empty(len(word_ids))
    for i, word in enumerate(word_ids):
        logps[i], _ = advance(arrays, _ROOT, word)
    return logps


@njit(cache=True, nogil=True)
def _lookahead(trie: SpellingTrie, unigrams: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the best unigram at or below each node; at the root it is 0, as nothing of a word is spelt there."""
    best = np.full(len(trie.symbols), -np.inf)
    for node in range(len(best) - 1, -1, -1):  # children come after their parents
        for at in range(trie.word_begins[node], trie.word_begins[node + 1]):
            best[node] = max(best[node], unigrams[trie.word_rows[at]])
        for child in range(trie.children[node], trie.children[node + 1]):
            best[node] = max(best[node], best[child])
    best[0] = 0.0
    return best


def unigram_floor(lexicon: Lexicon, model: NgramModel) -> NDArray[np.float64]:
    """Return log(1 / number of words unknown to ``model``) for every word: all unknown words are equally likely."""
    n_unknown = int((model.word_ids(lexicon.words) == model.unknown_id).sum())
    return np.full(len(lexicon.words), -np.log(max(n_unknown, 1)))


def character_oov_logps(lexicon: Lexicon, model: NgramModel) -> NDArray[np.float64]:
    """Return the log probability of each word's spelling, by a character 4-gram of the words that ``model`` knows.

    What is known of an unknown word is how it is written: likelier spellings get more of the unknown word's share.
    """
    known = [" ".join(word) for word in model.words if not word.startswith("<")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SeedcornWarning)  # small vocabularies need fallback discounts
        characters = estimate([known], order=4)
    return characters.sentence_logps([" ".join(word) for word in lexicon.words])
