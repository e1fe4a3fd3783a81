"""One call for every method: what each needs, that its choice is a Selection, and that wrong inputs are refused."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from seedcorn.diversity.baselines import k_centre
from seedcorn.diversity.methods import Method, Optimiser
from seedcorn.diversity.objectives import Budget, affordable
from seedcorn.diversity.sieve import StreamBatch, sieve_stream
from seedcorn.diversity.submodular import select_diverse
from seedcorn.diversity.view import DiversitySettings, View, scaled_relevance
from seedcorn.errors import ConfigError, DataError
from seedcorn.selection import Direction, Scores

N_ROWS = 80


def view(random_seed: int = 0, n_rows: int = N_ROWS) -> View:
    rng = np.random.default_rng(random_seed)
    vectors = rng.standard_normal((n_rows, 8)).astype(np.float32)
    return View(
        features=csr_matrix((rng.random((n_rows, 30)) < 0.2).astype(np.float32)),
        vectors=vectors / np.linalg.norm(vectors, axis=1, keepdims=True),
        relevance=Scores(values=rng.random(n_rows), name="relevance"),
    )


@pytest.mark.parametrize("method", list(Method))
@pytest.mark.parametrize("in_words", [False, True])
def test_every_method_keeps_within_the_budget(method: Method, in_words: bool) -> None:
    words = np.random.default_rng(1).integers(1, 12, N_ROWS)
    budget = Budget.words(70, words_of_rows=words) if in_words else Budget.utterances(20, n_rows=N_ROWS)
    kept = select_diverse(view(), method=method, budget=budget, seed=view(2, 5), random_seed=3)
    again = select_diverse(view(), method=method, budget=budget, seed=view(2, 5), random_seed=3)
    assert budget.total - budget.costs.min() < budget.costs[kept.positions].sum() <= budget.total
    assert kept.positions.tolist() == again.positions.tolist()
    assert len(kept.rounds) == len(kept.gains) == len(kept.positions)
    assert (np.diff(kept.rounds) >= 0).all()
    assert kept.rounds[0] == 1 or method is Method.PARAPHRASE  # a first share of 3 words may not pay for a row
    rejected = next(row for row in range(N_ROWS) if row not in kept.positions)
    assert kept.reason(rejected) == "adds less than what was chosen"


@pytest.mark.parametrize("method", list(Method))
def test_the_whole_pool_can_be_kept(method: Method) -> None:
    kept = select_diverse(view(), method=method, budget=Budget.utterances(N_ROWS, n_rows=N_ROWS))
    assert sorted(kept.positions.tolist()) == list(range(N_ROWS))


@pytest.mark.parametrize("method", [m for m in Method if m is not Method.RANDOM])
def test_what_a_method_needs_must_be_there_for_every_row(method: Method) -> None:
    with pytest.raises(DataError, match="80 rows"):
        select_diverse(View(), method=method, budget=Budget.utterances(5, n_rows=N_ROWS))
    with pytest.raises(DataError, match="81 rows"):
        select_diverse(view(), method=method, budget=Budget.utterances(5, n_rows=N_ROWS + 1))


def test_relevance_takes_the_best_and_never_a_row_without_score() -> None:
    missing = np.array([True, False, False, False])
    scores = Scores(
        values=np.array([0.0, 3.0, 1.0, 2.0]), name="distance", direction=Direction.LOWER_IS_BETTER, missing=missing
    )
    kept = select_diverse(View(relevance=scores), method=Method.RELEVANCE, budget=Budget.utterances(4, n_rows=4))
    assert kept.positions.tolist() == [2, 3, 1]
    assert scaled_relevance(scores).tolist() == [0.0, 0.0, 1.0, 0.5]


def test_relevance_share_moves_the_choice_towards_relevant_rows() -> None:
    pool, budget = view(), Budget.utterances(10, n_rows=N_ROWS)
    assert pool.relevance is not None

    def mean_relevance(share: float) -> float:
        settings = DiversitySettings(relevance_share=share)
        kept = select_diverse(pool, method=Method.FEATURE, budget=budget, settings=settings)
        assert pool.relevance is not None
        return float(pool.relevance.values[kept.positions].mean())

    assert mean_relevance(0.0) < mean_relevance(1.0) < mean_relevance(100.0)
    with pytest.raises(ConfigError, match="relevance share"):
        select_diverse(pool, method=Method.FEATURE, budget=budget, settings=DiversitySettings(relevance_share=-1))


def test_stochastic_optimiser_follows_the_random_seed() -> None:
    settings = DiversitySettings(optimiser=Optimiser.STOCHASTIC, epsilon=0.5)

    def kept(random_seed: int) -> list[int]:
        budget = Budget.utterances(10, n_rows=N_ROWS)
        chosen = select_diverse(
            view(), method=Method.FACILITY, budget=budget, settings=settings, random_seed=random_seed
        )
        return chosen.positions.tolist()

    assert kept(1) == kept(1) != kept(2)


def test_k_centre_takes_the_farthest_each_time() -> None:
    vectors = np.array([[1, 0], [0, 1], [0.6, 0.8], [-1, 0], [0, 1]], np.float32)
    picks = k_centre(vectors, Budget.utterances(4, n_rows=5), seed_vectors=vectors[:1])
    assert picks.positions.tolist() == [3, 1, 2, 0]
    assert picks.gains == pytest.approx([2.0, 2**0.5, 0.4**0.5, 0.0], abs=1e-3)


def test_affordable_passes_over_what_does_not_fit() -> None:
    costs = np.array([5, 2, 4, 1, 1])
    assert affordable(np.arange(5), costs, 8).tolist() == [0, 1, 3]
    assert affordable(np.arange(5), costs, 100).tolist() == [0, 1, 2, 3, 4]
    assert affordable(np.array([], np.int64), costs, 3).tolist() == []


def test_sieve_stream_stays_within_a_word_budget_and_counts_over_the_stream() -> None:
    rows = csr_matrix((np.random.default_rng(5).random((200, 40)) < 0.2).astype(np.float32))
    costs = np.random.default_rng(6).integers(1, 9, 200)
    batches = [StreamBatch(rows[i : i + 30], costs[i : i + 30]) for i in range(0, 200, 30)]
    picks = sieve_stream(batches, budget=60, n_features=40, seed_rows=rows[:3])
    assert costs[picks.positions].sum() <= 60
    assert picks.positions.max() > 60
    covered = np.asarray(rows[:3].sum(axis=0)).ravel()
    value = np.sqrt(covered + np.asarray(rows[picks.positions].sum(axis=0)).ravel()) - np.sqrt(covered)
    assert picks.gains.sum() == pytest.approx(value.sum(), rel=1e-4)


def test_sieve_stream_takes_each_new_thing_of_a_repetitive_pool() -> None:
    rows = csr_matrix(np.repeat(np.eye(6, dtype=np.float32), 20, axis=0))
    picks = sieve_stream([StreamBatch(rows, np.ones(120, np.int64))], budget=6, n_features=6, epsilon=0.1)
    assert len({row // 20 for row in picks.positions.tolist()}) >= 3


def test_sieve_stream_refuses_nothing_and_nonsense() -> None:
    with pytest.raises(DataError, match="an empty pool"):
        sieve_stream([], budget=3, n_features=4)
    with pytest.raises(ConfigError, match="epsilon"):
        sieve_stream([], budget=3, n_features=4, epsilon=0)
