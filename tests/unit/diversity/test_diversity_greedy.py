"""Lazy greedy makes the choices of plain greedy: checked against brute force over every row at every step."""

import itertools

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from seedcorn.diversity.facility_location import FacilityLocation
from seedcorn.diversity.feature_coverage import FeatureCoverage
from seedcorn.diversity.greedy import lazy_greedy, stochastic_greedy
from seedcorn.diversity.methods import Concave
from seedcorn.diversity.objectives import Budget, Objective, Picks
from seedcorn.errors import ConfigError, DataError
from seedcorn.selection import FloatArray


def counts(n_rows: int, n_features: int, random_seed: int) -> csr_matrix:
    rng = np.random.default_rng(random_seed)
    amounts = rng.integers(1, 4, (n_rows, n_features)) * (rng.random((n_rows, n_features)) < 0.3)
    return csr_matrix(amounts.astype(np.float32))


def unit_rows(n_rows: int, n_dimensions: int, random_seed: int) -> np.ndarray:
    vectors = np.random.default_rng(random_seed).standard_normal((n_rows, n_dimensions)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def concave(amounts: FloatArray, kind: Concave, limit: float) -> FloatArray:
    match kind:
        case Concave.SQRT:
            return np.sqrt(amounts)
        case Concave.LOG1P:
            return np.log1p(amounts)
        case Concave.SATURATED:
            return np.minimum(amounts, limit)


def naive_greedy(objective: Objective, budget: Budget) -> Picks:
    positions: list[int] = []
    gains: list[float] = []
    left = budget.total
    while True:
        rows = np.array([r for r in range(budget.n_rows) if r not in positions and budget.costs[r] <= left])
        if not len(rows):
            return Picks(np.array(positions), np.array(gains))
        now = objective.gains(rows)
        densities = np.round(now / budget.costs[rows], 9)
        best = int(np.lexsort((rows, -densities))[0])
        objective.add(int(rows[best]))
        positions.append(int(rows[best]))
        gains.append(float(now[best]))
        left -= int(budget.costs[rows[best]])


@pytest.mark.parametrize("kind", list(Concave))
@pytest.mark.parametrize("in_words", [False, True])
def test_feature_coverage_equals_naive_greedy(kind: Concave, in_words: bool) -> None:
    rows, seed_rows = counts(60, 25, 1), counts(4, 25, 2)
    weights = np.random.default_rng(3).random(25)
    costs = np.random.default_rng(4).integers(1, 9, 60) if in_words else np.ones(60, np.int64)
    budget = Budget(40, costs)

    def objective() -> FeatureCoverage:
        return FeatureCoverage(rows, seed_rows=seed_rows, feature_weights=weights, concave=kind, limit=4.0)

    lazy, naive = lazy_greedy(objective(), budget), naive_greedy(objective(), budget)
    assert lazy.positions.tolist() == naive.positions.tolist()
    assert lazy.gains == pytest.approx(naive.gains, abs=1e-9)


def test_gains_add_up_to_the_value_of_the_set() -> None:
    rows, seed_rows = counts(30, 12, 5), counts(3, 12, 6)
    weights = np.random.default_rng(7).random(12)
    picks = lazy_greedy(
        FeatureCoverage(rows, seed_rows=seed_rows, feature_weights=weights), Budget.utterances(10, n_rows=30)
    )
    seed_covered = np.asarray(seed_rows.sum(axis=0)).ravel()
    covered = seed_covered + np.asarray(rows[picks.positions].sum(axis=0)).ravel()
    assert picks.gains.sum() == pytest.approx(weights @ (np.sqrt(covered) - np.sqrt(seed_covered)))


@pytest.mark.parametrize("in_words", [False, True])
def test_facility_location_equals_naive_greedy(in_words: bool) -> None:
    vectors, seed = unit_rows(150, 6, 8), unit_rows(3, 6, 9)
    costs = np.random.default_rng(4).integers(1, 9, 150) if in_words else np.ones(150, np.int64)
    budget = Budget(50, costs)
    lazy = lazy_greedy(FacilityLocation(vectors, seed_vectors=seed), budget)
    naive = naive_greedy(FacilityLocation(vectors, seed_vectors=seed), budget)
    assert lazy.positions.tolist() == naive.positions.tolist()
    nearest = np.maximum(vectors @ np.vstack([seed, vectors[lazy.positions]]).T, 0).max(axis=1)
    before = np.maximum(vectors @ seed.T, 0).max(axis=1)
    assert lazy.gains.sum() == pytest.approx(float((nearest - before).sum()), rel=1e-4)


def test_facility_location_weights_and_blocks() -> None:
    vectors = unit_rows(40, 5, 10)
    weights = np.zeros(40)
    weights[7] = 1.0
    objective = FacilityLocation(vectors, weights=weights, block_mb=1)
    assert lazy_greedy(objective, Budget.utterances(1, n_rows=40)).positions.tolist() == [7]


def test_facility_location_on_a_sample_of_points() -> None:
    vectors = unit_rows(200, 5, 11)
    sampled = FacilityLocation(vectors, n_represented=50, rng=np.random.default_rng(0))
    assert sampled.gains(np.arange(200)).max() < FacilityLocation(vectors).gains(np.arange(200)).max()
    with pytest.raises(ConfigError, match="an rng"):
        FacilityLocation(vectors, n_represented=50)


def test_greedy_is_near_the_best_set_of_all() -> None:
    rows = counts(12, 10, 12)
    picks = lazy_greedy(FeatureCoverage(rows), Budget.utterances(4, n_rows=12))
    best = max(
        np.sqrt(np.asarray(rows[list(chosen)].sum(axis=0), np.float64)).sum()
        for chosen in itertools.combinations(range(12), 4)
    )
    assert (1 - 1 / np.e) * best <= picks.gains.sum() <= best + 1e-9


def test_ties_go_to_the_lower_position() -> None:
    rows = csr_matrix(np.array([[0, 0, 2], [1, 1, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]], np.float32))
    assert lazy_greedy(FeatureCoverage(rows), Budget.utterances(5, n_rows=5)).positions.tolist() == [1, 0, 4, 2, 3]


def test_what_the_seed_covers_is_worth_less() -> None:
    rows = csr_matrix(np.array([[1, 1, 0], [0, 0, 1]], np.float32))
    seed = csr_matrix(np.array([[9, 9, 0]], np.float32))
    assert lazy_greedy(FeatureCoverage(rows), Budget.utterances(1, n_rows=2)).positions.tolist() == [0]
    assert lazy_greedy(FeatureCoverage(rows, seed_rows=seed), Budget.utterances(1, n_rows=2)).positions.tolist() == [1]


def test_row_bonus_brings_relevance_in() -> None:
    rows = csr_matrix(np.array([[1, 1, 0], [0, 0, 1]], np.float32))
    bonus = np.array([0.0, 1.5])
    picks = lazy_greedy(FeatureCoverage(rows, row_bonus=bonus), Budget.utterances(2, n_rows=2))
    assert picks.positions.tolist() == [1, 0]
    assert picks.gains == pytest.approx([2.5, 2.0])


def test_stochastic_greedy_is_near_exact_and_repeatable() -> None:
    rows = counts(300, 40, 13)
    budget = Budget.utterances(60, n_rows=300)
    exact = lazy_greedy(FeatureCoverage(rows), budget)
    sampled = stochastic_greedy(FeatureCoverage(rows), budget, rng=np.random.default_rng(1))
    again = stochastic_greedy(FeatureCoverage(rows), budget, rng=np.random.default_rng(1))
    assert sampled.positions.tolist() == again.positions.tolist()
    assert len(set(sampled.positions.tolist())) == 60
    assert 0.9 * exact.gains.sum() < sampled.gains.sum() <= exact.gains.sum()


def test_stochastic_greedy_of_the_whole_pool_as_sample_is_greedy() -> None:
    rows, budget = counts(20, 15, 14), Budget.utterances(20, n_rows=20)
    sampled = stochastic_greedy(FeatureCoverage(rows), budget, rng=np.random.default_rng(1), epsilon=1e-9)
    assert sampled.positions.tolist() == lazy_greedy(FeatureCoverage(rows), budget).positions.tolist()


def test_stochastic_greedy_stays_within_a_word_budget() -> None:
    costs = np.random.default_rng(15).integers(1, 30, 100)
    picks = stochastic_greedy(FeatureCoverage(counts(100, 20, 16)), Budget(90, costs), rng=np.random.default_rng(0))
    assert 90 - costs.min() < costs[picks.positions].sum() <= 90


def test_a_pool_of_duplicates_fills_the_budget_by_position() -> None:
    rows = csr_matrix(np.ones((5, 3), np.float32))
    picks = lazy_greedy(FeatureCoverage(rows, concave=Concave.SATURATED, limit=2), Budget.utterances(4, n_rows=5))
    assert picks.positions.tolist() == [0, 1, 2, 3]
    assert picks.gains.tolist() == [3.0, 3.0, 0.0, 0.0]


@pytest.mark.parametrize("total", [0, -1, 6])
def test_impossible_budgets_are_refused(total: int) -> None:
    with pytest.raises(ConfigError, match="a budget from 1 to 5"):
        Budget.utterances(total, n_rows=5)


def test_wrong_inputs_are_refused() -> None:
    with pytest.raises(DataError, match="an empty pool"):
        Budget.utterances(1, n_rows=0)
    with pytest.raises(DataError, match="cost of at least 1"):
        Budget(1, np.array([0, 1]))
    with pytest.raises(DataError, match="amounts of at least 0"):
        FeatureCoverage(csr_matrix(np.array([[-1.0]], np.float32)))
    with pytest.raises(DataError, match="2 feature weights"):
        FeatureCoverage(counts(3, 2, 1), feature_weights=np.ones(3))
    with pytest.raises(DataError, match="feature weights of at least 0"):
        FeatureCoverage(counts(3, 2, 1), feature_weights=np.array([1.0, -1.0]))
    with pytest.raises(DataError, match="seed rows with 2 features"):
        FeatureCoverage(counts(3, 2, 1), seed_rows=counts(1, 3, 1))
    with pytest.raises(ConfigError, match="saturation limit"):
        FeatureCoverage(counts(3, 2, 1), concave=Concave.SATURATED, limit=0)
    with pytest.raises(ConfigError, match="epsilon"):
        stochastic_greedy(
            FeatureCoverage(counts(3, 2, 1)), Budget.utterances(1, n_rows=3), rng=np.random.default_rng(), epsilon=1
        )


def test_rows_of_words_cost_at_least_one() -> None:
    assert Budget.words(3, words_of_rows=np.array([0, 2, 5])).costs.tolist() == [1, 2, 5]
    assert Budget.words(3, words_of_rows=np.array([0, 2, 5])).n_picks_at_most == 2
