"""Reasons: strongest n-grams and nearest seed utterance."""

import numpy as np

from seedcorn.corpus.utterances import Utterance
from seedcorn.relevance.explain import (
    explain_nearest,
    explain_ngrams,
    nearest_intents,
    nearest_seed,
    strongest_ngrams,
)
from seedcorn.relevance.linear import RelevanceModel
from seedcorn.relevance.ngrams import NgramFeatures, ngram_rows

FEATURES = NgramFeatures(order=2, n_bits=20)


def model_of(weights: dict[str, float]) -> RelevanceModel:
    table = np.zeros(FEATURES.n_buckets, np.float32)
    for ngram, weight in weights.items():
        table[ngram_rows([ngram], features=FEATURES)[1][-1]] = weight  # a text's longest n-gram comes last
    return RelevanceModel(features=FEATURES, weights=table)


def test_strongest_ngrams_are_positive_distinct_and_strongest_first() -> None:
    model = model_of({"wake": 1.0, "wake me": 2.0, "up": 0.5, "at": -3.0, "seven": 1.0})
    texts = ["Wake me, wake me up at seven", "at", ""]
    found = strongest_ngrams(texts, model, n_strongest=3)
    assert [[(n.ngram, n.weight) for n in row] for row in found] == [
        [("wake me", 2.0), ("wake", 1.0), ("seven", 1.0)],
        [],
        [],
    ]
    assert explain_ngrams(texts, model) == ["wake me +2.00, wake +1.00, seven +1.00", "", ""]


def test_nearest_seed_is_the_first_of_the_most_similar() -> None:
    seed = ["play jazz", "wake me up", "Wake me up!"]
    nearest = nearest_seed(["wake me up", "please wake him", "nothing shared", "..."], seed)
    assert nearest.positions.tolist() == [1, 1, -1, -1]
    assert nearest.similarities[0] == 1.0
    assert explain_nearest(["jazz", "zzz"], seed) == ["play jazz", ""]


def test_the_intent_is_that_of_the_nearest_seed_utterance() -> None:
    seed = [Utterance(text="play jazz", intent="play"), Utterance(text="wake me up", intent="alarm")]
    assert nearest_intents(["wake me", "zzz", "play"], seed).tolist() == ["alarm", "", "play"]
