"""Importance weights: their formula, unseen n-grams, short texts, sampling in proportion."""

import numpy as np
import pyarrow as pa
import pytest

from seedcorn.errors import ConfigError, DataError
from seedcorn.relevance.importance import fit_importance, sampled
from seedcorn.relevance.linear import relevance_scores
from seedcorn.relevance.names import Aggregate
from seedcorn.relevance.ngrams import NgramFeatures, ngram_rows
from seedcorn.selection import Scores

UNIGRAMS = NgramFeatures(order=1, n_bits=20)


def test_weights_are_log_ratios_of_smoothed_shares() -> None:
    model = fit_importance(["wake up"], [pa.array(["wake down", "go down"])], features=UNIGRAMS, pool_share=0.25)
    n_pool = 4 + 0.01 * UNIGRAMS.n_buckets
    expected = {
        "wake": np.log(0.25 + 0.75 * 0.5 / (1.01 / n_pool)),
        "up": np.log(0.25 + 0.75 * 0.5 / (0.01 / n_pool)),
        "down": np.log(0.25),
        "unheard-of": np.log(0.25),
    }
    for word, weight in expected.items():
        bucket = ngram_rows([word], features=UNIGRAMS)[1][0]
        assert model.weights[bucket] == pytest.approx(weight, rel=1e-5)


def test_unseen_and_short_texts_are_scored_and_not_preferred() -> None:
    pool = [pa.array(["turn the light on", "what is the time now", "a b c"])]
    model = fit_importance(["turn the light off", "turn on"], pool)
    texts = pa.array(["turn", "turn the light off please", "zzz", "what is time"])
    scores = relevance_scores([texts], model, aggregate=Aggregate.MEAN)
    assert scores.missing is not None
    assert not scores.missing.any()
    assert min(scores.values[:2]) > 0 > max(scores.values[2:])


def test_sampling_follows_the_weights() -> None:
    scores = Scores(values=np.log(np.array([1.0, 3.0, 6.0])), name="relevance", unit="sum of n-gram weights")
    rng = np.random.default_rng(5)
    first = [int(sampled(scores, rng=rng).best_first()[0]) for _ in range(3000)]
    np.testing.assert_allclose(np.bincount(first) / 3000, [0.1, 0.3, 0.6], atol=0.03)


def test_wrong_input() -> None:
    with pytest.raises(DataError, match="in-domain text with words"):
        fit_importance(["..."], [pa.array(["a"])])
    with pytest.raises(DataError, match="pool with words"):
        fit_importance(["a"], [])
    with pytest.raises(ConfigError, match="pool share"):
        fit_importance(["a"], [pa.array(["b"])], pool_share=0.0)
    with pytest.raises(ConfigError, match="log weights"):
        sampled(Scores(values=np.zeros(1), name="r", unit="probability"), rng=np.random.default_rng(0))
