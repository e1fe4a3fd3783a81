"""What holds for every pool: gains never rise, ties go by position, the order of input does not matter."""

import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from seedcorn.diversity.facility_location import FacilityLocation
from seedcorn.diversity.feature_coverage import FeatureCoverage
from seedcorn.diversity.greedy import lazy_greedy
from seedcorn.diversity.methods import Concave
from seedcorn.diversity.objectives import Budget, Objective
from seedcorn.diversity.sieve import StreamBatch, sieve_stream
from seedcorn.diversity.worst_paraphrase import worst_paraphrases

compiled = settings(deadline=None, max_examples=60)  # the first example of each kernel waits for its compilation
concaves = st.sampled_from(list(Concave))


@st.composite
def count_rows(draw: st.DrawFn, *, max_count: int = 2) -> csr_matrix:
    n_rows, n_features = draw(st.integers(1, 14)), draw(st.integers(1, 8))
    flat = draw(st.lists(st.integers(0, max_count), min_size=n_rows * n_features, max_size=n_rows * n_features))
    return csr_matrix(np.array(flat, np.float32).reshape(n_rows, n_features))


@st.composite
def code_rows(draw: st.DrawFn) -> np.ndarray:
    n_rows = draw(st.integers(1, 15))
    flat = draw(st.lists(st.integers(-2, 2), min_size=n_rows * 3, max_size=n_rows * 3))
    return np.array(flat, np.float32).reshape(n_rows, 3)


def greedy_by_definition(objective: Objective, n_picks: int) -> tuple[list[int], list[float]]:
    positions: list[int] = []
    gains: list[float] = []
    for _ in range(n_picks):
        now = np.round(objective.gains(np.arange(objective.n_rows)), 9)
        now[positions] = -1
        best = int(now.argmax())  # the first of equals
        objective.add(best)
        positions.append(best)
        gains.append(float(now[best]))
    return positions, gains


@compiled
@given(count_rows(), concaves, st.integers(1, 14))
def test_lazy_greedy_is_greedy_even_when_everything_ties(rows: csr_matrix, concave: Concave, n_picks: int) -> None:
    n_picks = min(n_picks, rows.shape[0])
    picks = lazy_greedy(FeatureCoverage(rows, concave=concave), Budget.utterances(n_picks, n_rows=rows.shape[0]))
    positions, gains = greedy_by_definition(FeatureCoverage(rows, concave=concave), n_picks)
    assert picks.positions.tolist() == positions
    np.testing.assert_allclose(picks.gains, gains, atol=1e-8)


@compiled
@given(code_rows(), st.integers(1, 15))
def test_facility_location_is_greedy_even_when_everything_ties(vectors: np.ndarray, n_picks: int) -> None:
    n_picks = min(n_picks, len(vectors))
    picks = lazy_greedy(FacilityLocation(vectors), Budget.utterances(n_picks, n_rows=len(vectors)))
    assert picks.positions.tolist() == greedy_by_definition(FacilityLocation(vectors), n_picks)[0]


@compiled
@given(count_rows(), concaves)
def test_gains_never_rise(rows: csr_matrix, concave: Concave) -> None:
    budget = Budget.utterances(rows.shape[0], n_rows=rows.shape[0])
    gains = lazy_greedy(FeatureCoverage(rows, concave=concave), budget).gains
    assert (np.diff(gains) <= 0).all()
    assert (gains >= 0).all()


@compiled
@given(code_rows())
def test_gains_of_facility_location_never_rise(vectors: np.ndarray) -> None:
    gains = lazy_greedy(FacilityLocation(vectors), Budget.utterances(len(vectors), n_rows=len(vectors))).gains
    assert (np.diff(gains) <= 0).all()


@compiled
@given(count_rows(), st.randoms(use_true_random=False), st.integers(0, 2**31))
def test_order_of_input_does_not_matter(rows: csr_matrix, shuffle: random.Random, random_seed: int) -> None:
    """With weights that leave no ties, the same utterances are chosen in the same order from a shuffled pool."""
    n_rows, n_features = rows.shape
    weights = np.random.default_rng(random_seed).random(n_features) + 0.1
    order = list(range(n_rows))
    shuffle.shuffle(order)
    budget = Budget.utterances(n_rows, n_rows=n_rows)
    straight = lazy_greedy(FeatureCoverage(rows, feature_weights=weights), budget)
    shuffled = lazy_greedy(FeatureCoverage(rows[order], feature_weights=weights), budget)
    dense = rows.toarray()
    np.testing.assert_array_equal(dense[straight.positions], dense[order][shuffled.positions])
    np.testing.assert_allclose(straight.gains, shuffled.gains, atol=1e-8)


@compiled
@given(count_rows(), st.integers(1, 5), st.integers(1, 4))
def test_sieve_keeps_its_promise_whatever_the_batches(rows: csr_matrix, n_picks: int, batch_size: int) -> None:
    n_rows, n_features = rows.shape
    n_picks = min(n_picks, n_rows)
    batches = [
        StreamBatch(rows[start : start + batch_size], np.ones(min(batch_size, n_rows - start), np.int64))
        for start in range(0, n_rows, batch_size)
    ]
    streamed = sieve_stream(batches, budget=n_picks, n_features=n_features, epsilon=0.1)
    whole = sieve_stream(
        [StreamBatch(rows, np.ones(n_rows, np.int64))], budget=n_picks, n_features=n_features, epsilon=0.1
    )
    assert streamed.positions.tolist() == whole.positions.tolist()
    assert len(set(streamed.positions.tolist())) == len(streamed.positions) <= n_picks
    greedy = lazy_greedy(FeatureCoverage(rows), Budget.utterances(n_picks, n_rows=n_rows)).gains.sum()
    assert streamed.gains.sum() >= 0.4 * greedy - 1e-6


@compiled
@given(code_rows(), st.integers(1, 6))
def test_every_round_takes_the_worst_paraphrases_left(codes: np.ndarray, n_rounds: int) -> None:
    n_rows = len(codes)
    seed = np.array([[1, 0, 0]], np.float32)
    chosen = worst_paraphrases(codes, Budget.utterances(n_rows, n_rows=n_rows), seed_codes=seed, n_rounds=n_rounds)
    assert sorted(chosen.positions.tolist()) == list(range(n_rows))
    known, left = seed, list(range(n_rows))
    for round_ in range(1, n_rounds + 1):
        batch = chosen.positions[chosen.rounds == round_].tolist()
        best = {row: float((known @ codes[row]).max()) for row in left}
        assert batch == sorted(left, key=lambda row: (best[row], row))[: len(batch)]
        known = np.vstack([known, codes[batch]]) if batch else known
        left = [row for row in left if row not in batch]
