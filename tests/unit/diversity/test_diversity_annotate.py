from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedcorn.diversity.annotate import (
    AnnotationSettings,
    Candidates,
    annotation_worth,
    choose_to_annotate,
    intent_margins,
    jensen_shannon,
)
from seedcorn.diversity.methods import Strategy
from seedcorn.errors import DataError


def candidates(*, sure: list[float], slots: list[float] | None = None, vectors: object = None) -> Candidates:
    best = np.array(sure)
    n = len(sure)
    return Candidates(
        intent_probabilities=np.stack([best, 1 - best], axis=1),
        slots_probabilities=np.ones(n) if slots is None else np.array(slots),
        vectors=np.eye(max(n, 1), dtype=np.float32)[:n] if vectors is None else np.asarray(vectors, np.float32),
        labelled_vectors=np.zeros((0, max(n, 1) if vectors is None else np.shape(vectors)[1]), np.float32),
        n_words=np.full(n, 4),
    )


def with_another_view(view: Candidates) -> Candidates:
    return replace(view, second_view=view.intent_probabilities[:, ::-1].copy())


def choose(view: Candidates, **settings: object) -> list[int]:
    chosen = choose_to_annotate(view, settings=AnnotationSettings(**settings), rng=np.random.default_rng(1))
    return chosen.positions.tolist()


def test_uncertainty_takes_what_is_probably_wrong_by_intent_or_by_slots() -> None:
    view = candidates(sure=[0.99, 0.6, 0.95], slots=[1.0, 1.0, 0.2])
    assert choose(view, strategy="uncertainty", batch_size=2) == [2, 1]
    assert choose(view, strategy="uncertainty", batch_size=1, slots_count=False) == [1]


def test_mixed_takes_one_of_several_unsure_texts_that_are_alike_and_leaves_an_outlier() -> None:
    alike = [[1.0, 0, 0]] * 4 + [[0, 1.0, 0]] * 2 + [[0, 0, 1.0]]
    view = candidates(sure=[0.5] * 7, vectors=alike)
    assert choose(view, strategy="mixed", batch_size=2) == [0, 4]


def test_mixed_leaves_what_is_like_labelled_text() -> None:
    view = candidates(sure=[0.5, 0.5], vectors=[[1.0, 0], [0, 1.0]])
    covered = replace(view, labelled_vectors=np.array([[1.0, 0]], np.float32))
    assert choose(covered, strategy="mixed", batch_size=1) == [1]


def test_a_budget_of_words_is_kept() -> None:
    view = with_another_view(candidates(sure=[0.5] * 6))
    for strategy in Strategy:
        assert len(choose(view, strategy=strategy, n_words=9)) == 2


def test_text_that_is_none_of_the_agents_business_is_left() -> None:
    view = candidates(sure=[0.5, 0.6])
    relevant = replace(view, relevance=np.array([0.0, 1.0]))
    assert choose(relevant, strategy="uncertainty", batch_size=1) == [1]


def test_disagreement_needs_two_views() -> None:
    view = candidates(sure=[0.5, 0.9])
    for strategy in ("disagreement", "mixed"):
        assert choose(with_another_view(view), strategy=strategy, batch_size=1) == [1]
    with pytest.raises(DataError, match="second view"):
        choose(view, strategy="disagreement")


def test_nothing_to_choose_from_is_refused() -> None:
    with pytest.raises(DataError, match="unlabelled text"):
        choose(candidates(sure=[]))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.integers(1, 30), st.sampled_from(list(Strategy)))
def test_every_strategy_takes_as_many_as_there_are_each_once(sure: list[float], size: int, strategy: Strategy) -> None:
    chosen = choose(with_another_view(candidates(sure=sure)), strategy=strategy, batch_size=size)
    assert len(set(chosen)) == len(chosen) == min(size, len(sure))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_worth_is_a_share(sure: list[float]) -> None:
    for strategy in Strategy:
        worth = annotation_worth(
            with_another_view(candidates(sure=sure)), settings=AnnotationSettings(strategy=strategy)
        )
        assert ((worth >= 0) & (worth <= 1)).all()


def test_measures_of_doubt() -> None:
    first, second = np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([[0.5, 0.5], [0.0, 1.0]])
    np.testing.assert_allclose(jensen_shannon(first, second), [0.0, 1.0])
    np.testing.assert_allclose(intent_margins(np.array([[0.7, 0.1, 0.2]])), [0.5])
