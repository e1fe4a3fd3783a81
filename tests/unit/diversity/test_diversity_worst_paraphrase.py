"""Worst-paraphrase rounds do what their definition says, without computing more than they must."""

import numpy as np
import pytest

from seedcorn.diversity.nearest import nearest, nearest_kept
from seedcorn.diversity.objectives import Budget
from seedcorn.diversity.worst_paraphrase import worst_paraphrases
from seedcorn.errors import ConfigError, DataError


def codes(n_rows: int, random_seed: int) -> np.ndarray:
    """Return codes of small whole numbers, whose products are exact and often tie."""
    return np.random.default_rng(random_seed).integers(-3, 4, (n_rows, 8)).astype(np.float32)


def rounds_by_definition(pool: np.ndarray, seed: np.ndarray, sizes: list[int]) -> list[list[int]]:
    chosen, batches = seed, []
    open_rows = list(range(len(pool)))
    for size in sizes:
        best = (pool[open_rows] @ chosen.T).max(axis=1)
        batch = [open_rows[i] for i in np.argsort(best, kind="stable")[:size]]
        chosen = np.vstack([chosen, pool[batch]])
        open_rows = [row for row in open_rows if row not in batch]
        batches.append(batch)
    return batches


@pytest.mark.parametrize("block_mb", [1, 64])
def test_rounds_follow_the_definition(block_mb: int) -> None:
    pool, seed = codes(500, 1), codes(20, 2)
    result = worst_paraphrases(pool, Budget.utterances(50, n_rows=500), seed_codes=seed, n_rounds=4, block_mb=block_mb)
    batches = rounds_by_definition(pool, seed, [12, 13, 12, 13])
    assert result.positions.tolist() == [row for batch in batches for row in batch]
    assert np.bincount(result.rounds).tolist() == [0, 12, 13, 12, 13]
    assert result.best_products[:12] == pytest.approx((pool[batches[0]] @ seed.T).max(axis=1))


def test_one_round_a_row_never_takes_a_repetition() -> None:
    pool = np.repeat(np.eye(8, dtype=np.float32), 3, axis=0)
    seed = np.eye(8, dtype=np.float32)[:1]
    result = worst_paraphrases(pool, Budget.utterances(7, n_rows=24), seed_codes=seed, n_rounds=7)
    assert sorted(row // 3 for row in result.positions.tolist()) == [1, 2, 3, 4, 5, 6, 7]
    assert result.positions.tolist()[0] == 3


def test_without_a_seed_the_middle_comes_first() -> None:
    pool = np.array([[1, 0], [0.8, 0.6], [0.6, 0.8], [0, 1]], np.float32)
    none = np.zeros((0, 2), np.float32)
    result = worst_paraphrases(pool, Budget.utterances(2, n_rows=4), seed_codes=none, n_rounds=2)
    assert result.positions.tolist() == [1, 3]


def test_more_rounds_than_rows() -> None:
    result = worst_paraphrases(codes(3, 1), Budget.utterances(3, n_rows=3), seed_codes=codes(1, 2), n_rounds=10)
    assert sorted(result.positions.tolist()) == [0, 1, 2]
    assert result.rounds[-1] == 10


def test_budget_in_words_is_kept_and_used_up() -> None:
    costs = np.random.default_rng(3).integers(1, 20, 200)
    result = worst_paraphrases(codes(200, 4), Budget(150, costs), seed_codes=codes(5, 5), n_rounds=5)
    assert 150 - costs.min() < costs[result.positions].sum() <= 150
    assert len(set(result.positions.tolist())) == len(result.positions)


def test_wrong_inputs_are_refused() -> None:
    with pytest.raises(ConfigError, match="one round"):
        worst_paraphrases(codes(3, 1), Budget.utterances(1, n_rows=3), seed_codes=codes(1, 1), n_rounds=0)
    with pytest.raises(DataError, match="codes of 3 rows"):
        worst_paraphrases(
            codes(3, 1), Budget.utterances(1, n_rows=3), seed_codes=np.zeros((2, 5), np.float32), n_rounds=1
        )


def test_nearest_takes_the_first_of_equals_in_any_block_size() -> None:
    rows = codes(50, 6)
    others = np.vstack([codes(9, 7), codes(9, 7)])
    found = nearest(rows, others)
    assert found.positions.tolist() == (rows @ others.T).argmax(axis=1).tolist()
    assert found.positions.max() < 9
    none = nearest(rows, others[:0])
    assert none.positions.tolist() == [-1] * 50
    assert np.isneginf(none.similarities).all()


def test_nearest_kept_looks_at_the_seed_and_at_rows_kept_before() -> None:
    vectors = np.array([[1, 0], [0.6, 0.8], [0, 1], [0.8, 0.6]], np.float32)
    seed = np.array([[1, 0]], np.float32)
    found = nearest_kept(vectors, np.array([2, 1, 0, 3]), seed_vectors=seed)
    assert found.positions.tolist() == [-1, 2, -1, 1]
    assert found.seed_rows.tolist() == [0, -1, 0, -1]
    assert found.similarities == pytest.approx([0.0, 0.8, 1.0, 0.96], abs=1e-4)


def test_nearest_kept_of_the_first_row_without_seed_is_nothing() -> None:
    found = nearest_kept(codes(4, 8), np.array([3, 1]), seed_vectors=codes(0, 1))
    assert (found.positions[0], found.seed_rows[0]) == (-1, -1)
    assert np.isneginf(found.similarities[0])
    assert found.positions[1] == 3
    nothing = nearest_kept(codes(4, 8), np.array([], np.int64), seed_vectors=codes(2, 1))
    assert len(nothing.positions) == len(nothing.seed_rows) == 0


def test_a_relevance_bonus_holds_back_what_is_merely_strange() -> None:
    pool, seed = codes(40, 6), codes(4, 7)
    bonus = np.linspace(1, 0, 40)
    budget = Budget.utterances(10, n_rows=40)
    plain = worst_paraphrases(pool, budget, seed_codes=seed, n_rounds=2)
    some = worst_paraphrases(pool, budget, seed_codes=seed, n_rounds=2, relevance_bonus=bonus)
    much = worst_paraphrases(pool, budget, seed_codes=seed, n_rounds=2, relevance_bonus=100 * bonus)
    assert sorted(much.positions.tolist()) == list(range(10))
    assert bonus[some.positions].mean() > bonus[plain.positions].mean()
    none = worst_paraphrases(pool, budget, seed_codes=seed, n_rounds=2, relevance_bonus=np.zeros(40))
    assert none.positions.tolist() == plain.positions.tolist()
