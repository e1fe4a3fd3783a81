from pathlib import Path

import numpy as np
import pytest

from language_models import SENTENCES, distribution_sums, ngrams_of, small_model
from seedcorn.errors import ConfigError, SeedcornWarning
from seedcorn.lm import counts as counting
from seedcorn.lm.counts import Counting
from seedcorn.lm.kneser_ney import FALLBACK_DISCOUNTS, estimate


def test_probabilities_by_hand() -> None:
    # Counts before: a after <s>; b after a; </s> after b. With D1 = 0.5 each context keeps 0.5 and gives 0.5 away.
    model = ngrams_of(small_model(("a b",), order=2))
    unigram = 0.5 / 3 + 0.5 / 4  # three words seen once each, four words with <unk>
    assert np.exp(model["a",][0]) == pytest.approx(unigram)
    assert np.exp(model["<unk>",][0]) == pytest.approx(0.5 / 4)
    assert np.exp(model["a", "b"][0]) == pytest.approx(0.5 + 0.5 * unigram)
    assert np.exp(model["a",][1]) == pytest.approx(0.5)


@pytest.mark.parametrize("order", [1, 2, 4, 6])
def test_distributions_sum_to_one(order: int) -> None:
    np.testing.assert_allclose(distribution_sums(small_model(order=order)), 1, atol=1e-5)


@pytest.mark.parametrize("prune", [(0, 1), (0, 0, 1), (0, 1, 2)])
def test_pruned_distributions_sum_to_one_and_rare_ngrams_are_gone(prune: tuple[int, ...]) -> None:
    model = estimate([list(SENTENCES)], order=3, prune=prune, fallback_discounts=FALLBACK_DISCOUNTS)
    np.testing.assert_allclose(distribution_sums(model), 1, atol=1e-5)
    assert model.n_ngrams[-1] < small_model().n_ngrams[-1]
    assert ("the", "next", "song") in ngrams_of(model) or prune[-1] == 2
    assert ("in", "pune", "</s>") not in ngrams_of(model)


def test_fallback_warns_and_names_every_order() -> None:
    with pytest.warns(SeedcornWarning) as caught:
        estimate([["a b c"]], order=2)
    assert ["1-grams" in str(w.message) for w in caught] == [True, False]
    assert all("taking 0.5, 1.0, 1.5 instead" in str(w.message) for w in caught)


def test_vocabulary_is_exactly_the_words_given() -> None:
    model = estimate([list(SENTENCES)], order=3, vocabulary=["play", "the", "new"], fallback_discounts=(0.5, 1.0, 1.5))
    assert sorted(model.words) == sorted(["<unk>", "<s>", "</s>", "play", "the", "new"])
    np.testing.assert_allclose(distribution_sums(model), 1, atol=1e-5)
    assert model.score(["play the music"]).n_oov.tolist() == [1]


def test_most_frequent_words_are_kept() -> None:
    model = estimate([list(SENTENCES)], order=2, max_words=1, fallback_discounts=FALLBACK_DISCOUNTS)
    assert model.words == ["<unk>", "<s>", "</s>", "the"]
    np.testing.assert_allclose(distribution_sums(model), 1, atol=1e-5)


def test_little_memory_gives_the_same_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MIN_TOKENS_PER_CHUNK", 20)
    spilled = estimate(
        [list(SENTENCES)],
        order=3,
        counting=Counting(n_memory_bytes=1, folder=tmp_path),
        fallback_discounts=FALLBACK_DISCOUNTS,
    )
    for left, right in zip(spilled.arrays, small_model().arrays, strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize(("order", "prune"), [(0, (0,)), (7, (0,)), (3, (1,)), (3, (0, 2, 1)), (2, (0, 0, 1))])
def test_impossible_settings_are_refused(order: int, prune: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError):
        estimate([list(SENTENCES)], order=order, prune=prune)


def test_model_without_words_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least one word"):
        estimate([list(SENTENCES)], max_words=0)
