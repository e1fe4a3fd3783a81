import numpy as np
import pytest

from language_models import SENTENCES, distribution_sums, ngrams_of, small_model
from seedcorn.errors import ConfigError
from seedcorn.lm.automaton import NgramArrays
from seedcorn.lm.kept_nodes import keep_nodes, kept_values
from seedcorn.lm.ngram_model import NgramModel
from seedcorn.lm.normalisation import set_backoffs
from seedcorn.lm.pruning import perplexity_by_size, perplexity_changes, prune_by_entropy


@pytest.fixture(scope="module")
def model() -> NgramModel:
    return small_model()


def without(model: NgramModel, node: int) -> NgramModel:
    kept = np.ones(int(model.order_begins[-1]), dtype=np.bool_)
    kept[node] = False
    trie = keep_nodes(model.trie, kept)
    logps, backoffs = (kept_values(values, kept) for values in (model.arrays.logps, model.arrays.backoffs))
    arrays = NgramArrays(trie.words, trie.children, trie.suffixes, logps, backoffs)
    set_backoffs(arrays)
    return NgramModel(vocabulary=model.vocabulary, arrays=arrays, order_begins=trie.order_begins)


def test_change_is_the_relative_entropy_of_the_definition(model: NgramModel) -> None:
    # For each 3-gram dropped: P(h) times the relative entropy of the distributions after h, in full.
    changes = perplexity_changes(model)
    names = list(ngrams_of(model))
    words = [w for w in range(len(model.words)) if w != 1]
    for node in range(int(model.order_begins[3]), int(model.order_begins[4]), 5):
        history = names[node - 1][:-1]
        pruned = without(model, node)
        before, after = (distribution(m, history, words) for m in (model, pruned))
        p_history = probability_of_history(model, history)
        entropy = p_history * float((before * np.log(before / after)).sum())
        assert changes[node] == pytest.approx(np.expm1(entropy), rel=0.02, abs=1e-7)


def distribution(model: NgramModel, history: tuple[str, ...], words: list[int]) -> np.ndarray:
    from seedcorn.lm.automaton import advance

    state = 0
    for word in history:
        state = advance(model.arrays, state, model.word_id(word))[1]
    return np.exp([advance(model.arrays, state, word)[0] for word in words])


def probability_of_history(model: NgramModel, history: tuple[str, ...]) -> float:
    ngrams = ngrams_of(model)
    first = "</s>" if history[0] == "<s>" else history[0]
    return float(np.exp(ngrams[first,][0] + ngrams[history][0]))


@pytest.mark.parametrize("threshold", [0.0, 1e-4, 1e-2, 1.0])
def test_threshold(model: NgramModel, threshold: float) -> None:
    pruned = prune_by_entropy(model, threshold=threshold)
    np.testing.assert_allclose(distribution_sums(pruned), 1, atol=1e-5)
    assert set(ngrams_of(pruned)) <= set(ngrams_of(model))
    assert sum(pruned.n_ngrams) == np.count_nonzero(perplexity_changes(model) >= threshold) - 1


def test_nothing_is_lost_at_threshold_zero(model: NgramModel) -> None:
    pruned = prune_by_entropy(model, threshold=0)
    np.testing.assert_allclose(pruned.sentence_logps(SENTENCES), model.sentence_logps(SENTENCES), rtol=1e-4)


@pytest.mark.parametrize("n_ngrams", [30, 50, 80, 10_000])
def test_size_is_kept_exactly_and_contexts_stay(model: NgramModel, n_ngrams: int) -> None:
    pruned = prune_by_entropy(model, n_ngrams=n_ngrams)
    found = ngrams_of(pruned)
    assert len(found) == min(n_ngrams, sum(model.n_ngrams))
    assert all(ngram[:-1] in found for ngram in found if len(ngram) > 1)
    np.testing.assert_allclose(distribution_sums(pruned), 1, atol=1e-5)


def test_smaller_models_are_nested(model: NgramModel) -> None:
    small, large = (set(ngrams_of(prune_by_entropy(model, n_ngrams=n))) for n in (40, 70))
    assert small < large


def test_perplexity_by_size(model: NgramModel) -> None:
    points = perplexity_by_size(model, [SENTENCES], sizes=[80, 50])
    assert [point.n_ngrams for point in points] == [80, 50]
    half = prune_by_entropy(model, n_ngrams=50)
    assert points[1].perplexity == pytest.approx(np.exp(-half.word_scores(SENTENCES).logps.mean()))


@pytest.mark.parametrize("given", [{}, {"threshold": 0.1, "n_ngrams": 50}, {"n_ngrams": 3}])
def test_impossible_settings_are_refused(model: NgramModel, given: dict[str, int]) -> None:
    with pytest.raises(ConfigError):
        prune_by_entropy(model, **given)
