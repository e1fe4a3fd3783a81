"""Cut-offs: what each keeps, in which order, with which reason; precision estimated from held-out scores."""

import numpy as np
import pytest

from seedcorn.errors import ConfigError, DataError
from seedcorn.relevance.keeping import (
    keep_above,
    keep_best,
    keep_fraction,
    keep_per_intent,
    keep_words,
    n_of_fraction,
    precision_curve,
)
from seedcorn.selection import Direction, Scores


def scores_of(*values: float, lower_is_better: bool = False, missing: list[int] | None = None) -> Scores:
    flags = np.isin(np.arange(len(values)), missing) if missing else None
    direction = Direction.LOWER_IS_BETTER if lower_is_better else Direction.HIGHER_IS_BETTER
    return Scores(values=np.array(values, np.float64), name="relevance", direction=direction, missing=flags)


def test_threshold_is_inclusive_best_first_ties_by_position() -> None:
    selection = keep_above(scores_of(0.5, 0.9, 0.4, 0.5), threshold=0.5)
    assert selection.positions.tolist() == [1, 0, 3]
    assert selection.gains.tolist() == [0.9, 0.5, 0.5]
    assert selection.reason(2) == "relevance below 0.5"


def test_threshold_of_a_score_where_lower_is_better() -> None:
    selection = keep_above(scores_of(0.5, 0.9, 0.4, lower_is_better=True), threshold=0.5)
    assert selection.positions.tolist() == [2, 0]
    assert selection.reason(1) == "relevance above 0.5"


def test_rows_without_a_score_are_never_kept_and_say_so() -> None:
    for selection in (
        keep_best(scores_of(0, 1, missing=[0]), n_kept=2),
        keep_above(scores_of(0, 1, missing=[0]), threshold=0),
    ):
        assert selection.positions.tolist() == [1]
        assert selection.reason(0) == "nothing in it to score"


def test_fraction_counts_all_rows_and_is_not_misled_by_binary_fractions() -> None:
    assert len(keep_fraction(scores_of(*range(100)), fraction=0.29).positions) == 29
    assert n_of_fraction(10, 0.99) == 9
    assert n_of_fraction(0, 1.0) == 0
    with pytest.raises(ConfigError, match="0..1"):
        n_of_fraction(10, 1.1)


def test_word_budget_stops_at_the_first_row_that_does_not_fit() -> None:
    selection = keep_words(scores_of(3, 2, 1), np.array([4, 5, 1]), n_words_budget=8)
    assert selection.positions.tolist() == [0]
    assert keep_words(scores_of(3, 2, 1), np.array([4, 4, 1]), n_words_budget=8).positions.tolist() == [0, 1]
    with pytest.raises(DataError, match="word count"):
        keep_words(scores_of(1), np.array([1, 2]), n_words_budget=8)


def test_each_intent_has_its_quota() -> None:
    intents = np.array(["play", "play", "stop", "play", "other"])
    scores = scores_of(1, 3, 2, 4, 9)
    assert keep_per_intent(scores, intents, quotas={"play": 2, "stop": 5}).positions.tolist() == [3, 1, 2]
    assert keep_per_intent(scores, intents, quotas=1).positions.tolist() == [4, 3, 2]


def test_nothing_to_keep_of_an_empty_pool() -> None:
    for selection in (
        keep_best(scores_of(), n_kept=3),
        keep_above(scores_of(), threshold=0),
        keep_per_intent(scores_of(), np.array([], np.str_), quotas=1),
        keep_words(scores_of(), np.array([], np.int64), n_words_budget=3),
    ):
        assert selection.n_rows == 0


def test_negative_numbers_are_refused() -> None:
    with pytest.raises(ConfigError, match="rows"):
        keep_best(scores_of(1), n_kept=-1)


def test_precision_curve_counts_ties_together() -> None:
    held_out = np.array([0.9, 0.8, 0.8, 0.1])
    curve = precision_curve(held_out, np.array([True, True, False, False]))
    assert curve.thresholds.tolist() == [0.9, 0.8, 0.1]
    assert curve.recall.tolist() == [0.5, 1.0, 1.0]
    # Half a false example more than seen, of two + 1: 1/6, 3/6, 5/6 of the irrelevant text.
    np.testing.assert_allclose(curve.precision, [0.25 / (0.25 + 1 / 12), 0.5 / (0.5 + 0.25), 0.5 / (0.5 + 5 / 12)])


def test_the_threshold_keeps_most_at_the_precision_asked_for() -> None:
    rng = np.random.default_rng(0)
    relevant = np.arange(4000) < 1000
    held_out = rng.normal(size=4000) + 2 * relevant
    curve = precision_curve(held_out, relevant)
    threshold = curve.threshold_for(0.9)
    kept = held_out >= threshold
    assert 0.89 < relevant[kept].mean() < 0.93
    assert not (curve.precision[curve.thresholds < threshold] >= 0.9).any()


def test_precision_falls_when_less_of_the_pool_is_relevant() -> None:
    held_out, relevant = np.array([3.0, 2.0, 1.0, 0.0]), np.array([True, False, True, False])
    common = precision_curve(held_out, relevant, relevant_fraction=0.5)
    rare = precision_curve(held_out, relevant, relevant_fraction=0.01)
    assert (rare.precision < common.precision).all()


def test_a_precision_that_cannot_be_had_names_the_best() -> None:
    curve = precision_curve(np.array([1.0, 2.0]), np.array([True, False]))
    with pytest.raises(DataError, match="at best"):
        curve.threshold_for(0.99)
    with pytest.raises(DataError, match="seed and background"):
        precision_curve(np.array([1.0]), np.array([True]))
