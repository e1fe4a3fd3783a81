"""Logistic relevance: ranking, length, calibration, held-out scores, small and wrong seeds, saving."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from seedcorn.corpus.builtin import builtin_general, builtin_requests
from seedcorn.errors import ConfigError, DataError, SeedcornWarning
from seedcorn.relevance.keeping import precision_curve
from seedcorn.relevance.linear import (
    Aggregate,
    Calibration,
    RelevanceModel,
    load_relevance_model,
    relevance_scores,
    save_relevance_model,
)
from seedcorn.relevance.logistic import LogisticFit, fit_logistic
from seedcorn.relevance.ngrams import NgramFeatures


@pytest.fixture(scope="module")
def requests() -> list[tuple[str, str]]:
    return [(u.text, u.intent) for u in builtin_requests(3000, lang="en", random_seed=1).utterances()]


@pytest.fixture(scope="module")
def wanted(requests: list[tuple[str, str]]) -> str:
    return requests[0][1]


@pytest.fixture(scope="module")
def fit(requests: list[tuple[str, str]], wanted: str) -> LogisticFit:
    train = requests[:1500]
    seed = [text for text, intent in train if intent == wanted][:30]
    background = [text for text, intent in train if intent != wanted]
    general = [u.text for u in builtin_general(500, lang="en", random_seed=2).utterances()]
    return fit_logistic(seed, background, general, relevant_fraction=0.1)


def auc(scores: np.ndarray, relevant: np.ndarray) -> float:
    better = scores[relevant][:, None] > scores[~relevant]
    return float(better.mean())


@pytest.mark.parametrize("aggregate", list(Aggregate))
def test_relevant_text_ranks_above_the_rest(
    fit: LogisticFit, requests: list[tuple[str, str]], wanted: str, aggregate: Aggregate
) -> None:
    test = requests[1500:]
    scores = relevance_scores([pa.array([text for text, _ in test])], fit.model, aggregate=aggregate)
    assert auc(scores.values, np.array([intent == wanted for _, intent in test])) > 0.97


def test_unknown_short_text_is_not_relevant(fit: LogisticFit) -> None:
    scores = relevance_scores([pa.array(["yes", "ok thanks", "qxv", "qxv zzk wrr vvp"])], fit.model)
    assert (scores.values < 0.1).all()


def test_repeating_a_text_does_not_change_its_probability_much(
    fit: LogisticFit, requests: list[tuple[str, str]]
) -> None:
    texts = [text for text, _ in requests[1500:1900]]
    once = relevance_scores([pa.array(texts)], fit.model).values
    padded = relevance_scores([pa.array([f"{text} qqx" for text in texts])], fit.model).values
    assert np.abs(once - padded).mean() < 0.05


def test_texts_without_words_are_missing(fit: LogisticFit) -> None:
    scores = relevance_scores([pa.array(["...", "play"])], fit.model)
    assert scores.missing is not None
    assert scores.missing.tolist() == [True, False]
    assert scores.values[0] == 0


def test_probabilities_are_calibrated_for_the_share_assumed(fit: LogisticFit) -> None:
    assert fit.held_out is not None
    relevant, probabilities = fit.held_out.relevant, fit.held_out.values(Aggregate.PROBABILITY)
    # As many relevant ones are expected as there are, once both kinds are brought to their shares.
    share = 0.1 * probabilities[relevant].mean() + 0.9 * probabilities[~relevant].mean()
    assert abs(share - 0.1) < 0.03
    assert precision_curve(probabilities, relevant).threshold_for(0.8) < probabilities[relevant].max()


def test_held_out_scores_are_worse_than_those_of_the_full_model(
    requests: list[tuple[str, str]], fit: LogisticFit, wanted: str
) -> None:
    seed = [text for text, intent in requests[:1500] if intent == wanted][:30]
    assert fit.held_out is not None
    seen = relevance_scores([pa.array(seed)], fit.model, aggregate=Aggregate.SUM).values
    assert fit.held_out.sums[:30].mean() < seen.mean()


def test_same_random_seed_same_model_and_any_number_of_threads(requests: list[tuple[str, str]]) -> None:
    texts = [text for text, _ in requests]
    with pytest.warns(SeedcornWarning, match="raw scores"):  # the seed is of all intents, as the others are
        a, b = (fit_logistic(texts[:20], texts[20:200], random_seed=3).model for _ in range(2))
    np.testing.assert_array_equal(a.weights, b.weights)
    assert a.calibration == b.calibration
    batches = [pa.array(texts[i : i + 100]) for i in range(0, len(texts), 100)]
    one = relevance_scores(batches, a).values
    np.testing.assert_array_equal(one, relevance_scores(batches, a, n_threads=3).values)
    np.testing.assert_array_equal(one, relevance_scores([pa.array(texts)], a).values)


def test_a_seed_of_one_example_works_uncalibrated_with_a_warning() -> None:
    with pytest.warns(SeedcornWarning, match="not calibrated"):
        fit = fit_logistic(["wake me at six"], ["play some jazz", "what is the weather"])
    assert fit.held_out is None
    scores = relevance_scores([pa.array(["wake me at nine", "play the news"])], fit.model).values
    assert scores[0] > 0.5 > scores[1]


@pytest.mark.parametrize("seed", [[], ["..."], ["", "!?"]])
def test_a_seed_without_words_is_refused(seed: list[str]) -> None:
    with pytest.raises(DataError, match="seed examples with words"):
        fit_logistic(seed, ["play some jazz"])


def test_nothing_to_tell_the_seed_from_is_refused() -> None:
    with pytest.raises(DataError, match="background or pool"):
        fit_logistic(["wake me up"], [], ["..."])


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ConfigError, match="relevant fraction"):
        fit_logistic(["a"], ["b"], relevant_fraction=1.0)
    with pytest.raises(ConfigError, match="regularisation"):
        fit_logistic(["a"], ["b"], regularisation=0)
    with pytest.raises(ConfigError, match="n_bits"):
        NgramFeatures(n_bits=40)
    with pytest.raises(ConfigError, match="order"):
        NgramFeatures(order=0)


def test_a_saved_model_is_the_same_model(fit: LogisticFit, tmp_path: Path) -> None:
    save_relevance_model(fit.model, tmp_path / "model.npz")
    loaded = load_relevance_model(tmp_path / "model.npz")
    np.testing.assert_array_equal(loaded.weights, fit.model.weights)
    assert (loaded.features, loaded.intercept, loaded.calibration) == (
        fit.model.features,
        fit.model.intercept,
        fit.model.calibration,
    )
    assert [p.name for p in tmp_path.iterdir()] == ["model.npz"]


@pytest.mark.parametrize("content", [b"", b"something else", b"PK\x03\x04broken"])
def test_another_file_is_not_a_model(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.npz").write_bytes(content)
    with pytest.raises(DataError, match="a relevance model"):
        load_relevance_model(tmp_path / "model.npz")


def test_probability_needs_a_calibration() -> None:
    features = NgramFeatures(n_bits=4)
    model = RelevanceModel(features=features, weights=np.zeros(16, np.float32))
    with pytest.raises(ConfigError, match="sum or mean"):
        relevance_scores([pa.array(["a"])], model)
    with pytest.raises(DataError, match="16 weights"):
        RelevanceModel(features=features, weights=np.zeros(3, np.float32))


def test_calibration_never_overflows() -> None:
    calibration = Calibration(slope=5.0, offset=0.0)
    assert calibration.probability(np.array([-1e9, 0.0, 1e9])).tolist() == [0.0, 0.5, 1.0]


def test_a_flat_calibration_does_not_destroy_the_ranking() -> None:
    seed = ["wake me up at six", "set an alarm for seven", "alarm at eight tomorrow"]
    background = ["play some jazz", "what is the weather", "read the news"]
    pool = ["play some rock", "how are you", "please set an alarm for eight", "wake me up at seven"]
    with pytest.warns(SeedcornWarning, match="ranked by their raw scores"):
        model = fit_logistic(seed, background=background, pool_sample=pool).model
    values = relevance_scores([pa.array(pool)], model).values
    assert min(values[2:]) > max(values[:2])
