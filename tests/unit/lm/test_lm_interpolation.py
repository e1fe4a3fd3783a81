import math
from pathlib import Path

import numpy as np
import pytest

from language_models import SENTENCES, distribution_sums, ngrams_of, small_model
from seedcorn.errors import ConfigError, DataError
from seedcorn.lm.arpa import read_arpa
from seedcorn.lm.interpolation import Mixture, em_weights, fit_mixture, share_vocabulary, static_model
from seedcorn.lm.kneser_ney import FALLBACK_DISCOUNTS, estimate
from seedcorn.lm.ngram_model import NgramModel
from seedcorn.lm.perplexity import measure_perplexity
from seedcorn.lm.vocabulary import SPECIAL_WORDS

DEV = ["play the next song", "what is the weather in pune", "मौसम कैसा है", "please call six"]


@pytest.fixture(scope="module")
def models() -> tuple[NgramModel, ...]:
    other = ("call the shop", "what is in the shop", "call pune please")
    return (small_model(), small_model(other, order=2), small_model(("मौसम कैसा", *other), order=1))


def test_em_finds_the_best_weights() -> None:
    rng = np.random.default_rng(0)
    probabilities = rng.random((3, 200)) ** 3
    weights = em_weights(probabilities)
    best = np.log(weights @ probabilities).sum()
    assert weights.sum() == pytest.approx(1)
    for other in rng.dirichlet(np.ones(3), size=200):
        assert np.log(other @ probabilities).sum() <= best + 1e-6


def test_em_gives_all_to_a_model_that_is_always_better() -> None:
    assert em_weights(np.array([[0.5, 0.4], [0.1, 0.1]])) == pytest.approx([1, 0], abs=1e-4)


def test_mixture_adds_probabilities_not_logarithms(models: tuple[NgramModel, ...]) -> None:
    mixture = Mixture(models=models, weights=(0.5, 0.3, 0.2))
    parts = np.exp([model.word_scores(DEV).logps for model in models])
    np.testing.assert_allclose(np.exp(mixture.word_scores(DEV).logps), np.array([0.5, 0.3, 0.2]) @ parts)
    np.testing.assert_allclose(mixture.sentence_logps(DEV), mixture.score(DEV).logps)


def test_word_is_unknown_when_no_model_knows_it(models: tuple[NgramModel, ...]) -> None:
    assert Mixture(models=models, weights=(0.5, 0.3, 0.2)).score(DEV).n_oov.tolist() == [0, 0, 0, 0]
    assert Mixture(models=models, weights=(0.5, 0.3, 0.2)).score(["play zebra"]).n_oov.tolist() == [1]


def test_shared_vocabulary_keeps_ngrams_and_sums(models: tuple[NgramModel, ...]) -> None:
    shared = share_vocabulary(models)
    assert {frozenset(model.words) for model in shared} == {frozenset(w for m in models for w in m.words)}
    for model, original in zip(shared, models, strict=True):
        np.testing.assert_allclose(distribution_sums(model), 1, atol=1e-5)
        before, after = ngrams_of(original), ngrams_of(model)
        longer = [ngram for ngram in before if len(ngram) > 1]
        assert [after[n][0] for n in longer] == [before[n][0] for n in longer]
        new = [w for w in model.words if w not in original.words]
        assert all(after[w,][0] == pytest.approx(after["<unk>",][0]) for w in new)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_words_of_others_are_as_likely_as_if_the_model_had_been_estimated_over_them(order: int) -> None:
    lone, other = small_model(order=order), small_model(tuple(f"word{n}" for n in range(500)), order=1)
    shared = ngrams_of(share_vocabulary([lone, other])[0])
    words = sorted({*lone.words, *other.words} - set(SPECIAL_WORDS))
    expected = ngrams_of(
        estimate([list(SENTENCES)], order=order, vocabulary=words, fallback_discounts=FALLBACK_DISCOUNTS)
    )
    assert shared.keys() == expected.keys()
    for ngram in (ngram for ngram in expected if len(ngram) == 1):
        assert shared[ngram][0] == pytest.approx(expected[ngram][0], rel=1e-5)


def test_unknown_word_that_was_counted_is_divided_among_the_new_words(tmp_path: Path) -> None:
    arpa = tmp_path / "counted.arpa"
    unigrams = {"<unk>": 0.5, "<s>": 1e-99, "</s>": 0.2, "song": 0.2, "play": 0.1}
    lines = (f"{math.log10(probability):.7f}\t{word}" for word, probability in unigrams.items())
    arpa.write_text("\\data\\\nngram 1=5\n\n\\1-grams:\n" + "\n".join(lines) + "\n\n\\end\\\n", encoding="utf-8")
    counted = read_arpa(arpa)
    shared = share_vocabulary([counted, small_model()])[0]
    np.testing.assert_allclose(distribution_sums(shared), 1, atol=1e-5)
    probabilities = {ngram[0]: np.exp(logp) for ngram, (logp, _) in ngrams_of(shared).items()}
    n_new = len(shared.words) - len(counted.words)
    assert probabilities["music"] == probabilities["<unk>"] == pytest.approx(0.5 / (1 + n_new))
    assert probabilities["song"] == pytest.approx(0.2)


def test_static_model_sums_to_one_and_agrees_with_the_mixture(models: tuple[NgramModel, ...]) -> None:
    mixture = fit_mixture(share_vocabulary(models), [DEV])
    static = static_model(mixture)
    np.testing.assert_allclose(distribution_sums(static), 1, atol=1e-5)
    dynamic, fixed = (measure_perplexity(m, [DEV, list(SENTENCES)]).perplexity for m in (mixture, static))
    assert fixed == pytest.approx(dynamic, rel=0.005)
    assert {n for m in models for n in ngrams_of(m)} == set(ngrams_of(static))


def test_static_model_of_one_model_is_that_model(models: tuple[NgramModel, ...]) -> None:
    static = static_model(Mixture(models=models[:1], weights=(1.0,)))
    np.testing.assert_allclose(static.sentence_logps(DEV), models[0].sentence_logps(DEV), rtol=1e-5)


@pytest.mark.parametrize("weights", [(0.5, 0.5), (0.5, 0.6, -0.1), (0.2, 0.2, 0.2)])
def test_weights_that_are_none_are_refused(models: tuple[NgramModel, ...], weights: tuple[float, ...]) -> None:
    with pytest.raises(ConfigError, match="weights"):
        Mixture(models=models, weights=weights)


def test_no_dev_text_is_refused(models: tuple[NgramModel, ...]) -> None:
    with pytest.raises(DataError, match="dev text"):
        fit_mixture(models, [])
