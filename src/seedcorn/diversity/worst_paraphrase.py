"""Worst-paraphrase selection: what the paraphrase network finds least said already comes first.

D starts as the seed. In each round every candidate has the score of its best paraphrase in D, and the batch with the
lowest scores joins D (Cho, Xie, Lalor, Kumar, Campbell 2019; batch sizes are ours). Scores grow with the inner product
of two codes, so only products with the newest batch are computed in a round, block by block.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedcorn.diversity.nearest import DEFAULT_BLOCK_MB, Vectors, bring_closer, rounded
from seedcorn.diversity.objectives import Budget, Picks, affordable
from seedcorn.diversity.view import DiversitySettings, View, relevance_bonus, vectors_of
from seedcorn.errors import ConfigError, DataError
from seedcorn.progress import track
from seedcorn.selection import FloatArray, PositionArray


class Rounds(NamedTuple):
    """Rows in the order chosen, each with its inner product with its best paraphrase in D then, and its round."""

    positions: PositionArray
    best_products: FloatArray
    rounds: PositionArray


def worst_paraphrases(
    codes: Vectors,
    budget: Budget,
    *,
    seed_codes: Vectors,
    n_rounds: int = 20,
    relevance_bonus: FloatArray | None = None,
    block_mb: int = DEFAULT_BLOCK_MB,
) -> Rounds:
    """Return the rows of ``codes`` (n, d) that are the worst paraphrases of the seed (m, d) and of one another.

    Rounds share the budget evenly. Within a round the lowest score comes first, ties by position; rows that no longer
    fit into the budget are passed over. With ``relevance_bonus`` (n,) what counts is the place among the open rows, 0
    the lowest score and 1 the highest, minus the bonus: the worst paraphrases of a pool are often not relevant.
    Without a seed the first round starts from the row nearest to the mean code.
    Costs n * (m + rows chosen) inner products; beside the codes, memory is bounded by ``block_mb`` megabytes.
    Raises ConfigError when ``n_rounds`` is below one, DataError when the codes do not match.
    """
    if n_rounds < 1:
        raise ConfigError(wanted="at least one round", found=str(n_rounds))
    if len(codes) != budget.n_rows or (len(seed_codes) and seed_codes.shape[1] != codes.shape[1]):
        raise DataError(
            wanted=f"codes of {budget.n_rows:,} rows, as long as those of the seed",
            found=f"{codes.shape} and {seed_codes.shape}",
        )
    closest = _closest_to_seed(codes, seed_codes, block_mb)
    open_rows = np.ones(len(codes), np.bool_)
    bonus = np.zeros(len(codes)) if relevance_bonus is None else relevance_bonus
    batches: list[PositionArray] = []
    products: list[FloatArray] = []
    left = budget.total
    for round_ in track(range(1, n_rounds + 1), "rounds of worst paraphrases", total=n_rounds):
        share = budget.total * round_ // n_rounds - (budget.total - left)
        batch = _lowest(closest, open_rows, bonus, budget.costs, share, is_last=round_ == n_rounds)
        batches.append(batch)
        products.append(closest[batch].astype(np.float64))
        open_rows[batch] = False
        left -= int(budget.costs[batch].sum())
        if round_ < n_rounds and len(batch):
            bring_closer(closest, codes, codes[batch], block_mb=block_mb)
    sizes = [len(batch) for batch in batches]
    return Rounds(np.concatenate(batches), np.concatenate(products), np.repeat(np.arange(1, n_rounds + 1), sizes))


def by_worst_paraphrase(
    pool: View, budget: Budget, *, seed: View, settings: DiversitySettings, rng: np.random.Generator
) -> Picks:
    """Return the worst paraphrases of the seed; gains are minus the product with the best paraphrase."""
    codes = vectors_of(pool, budget)
    chosen = worst_paraphrases(
        codes,
        budget,
        seed_codes=np.zeros((0, codes.shape[1]), np.float32) if seed.vectors is None else seed.vectors,
        n_rounds=settings.n_rounds,
        relevance_bonus=relevance_bonus(pool, budget, settings),
        block_mb=settings.block_mb,
    )
    return Picks(chosen.positions, -chosen.best_products, chosen.rounds)


def _closest_to_seed(codes: Vectors, seed_codes: Vectors, block_mb: int) -> Vectors:
    if len(seed_codes):
        closest = np.full(len(codes), -np.inf, np.float32)
        bring_closer(closest, codes, seed_codes, block_mb=block_mb)
        return closest
    return rounded(-(codes @ codes.mean(axis=0)))


def _lowest(
    closest: Vectors,
    open_rows: NDArray[np.bool_],
    bonus: FloatArray,
    costs: PositionArray,
    share: int,
    *,
    is_last: bool,
) -> PositionArray:
    """Return the open rows of lowest score and highest bonus that ``share`` pays for, best first, ties by position.

    Before the last round a row that does not fit ends the batch: what is left of the share goes to the next round.
    """
    rows = np.flatnonzero(open_rows)
    order = rows[np.argsort(closest[rows], kind="stable")]
    if bonus.any():
        places = np.arange(len(order)) / max(len(order) - 1, 1)
        order = order[np.argsort(places - bonus[order], kind="stable")]
    if is_last:
        return affordable(order, costs, share)
    return order[: np.searchsorted(np.cumsum(costs[order]), share, side="right")]
