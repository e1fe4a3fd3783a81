"""What diversity selection is compared with: farthest-first k-centre, best relevance first, and chance."""

import numpy as np
from numpy.typing import NDArray

from seedcorn.diversity.nearest import DEFAULT_BLOCK_MB, Vectors, bring_closer, nearest, rounded
from seedcorn.diversity.objectives import Budget, Picks, affordable
from seedcorn.diversity.view import DiversitySettings, View, relevance_of, vectors_of
from seedcorn.progress import track
from seedcorn.selection import Scores


def k_centre(
    vectors: Vectors, budget: Budget, *, seed_vectors: Vectors | None = None, block_mb: int = DEFAULT_BLOCK_MB
) -> Picks:
    """Return the farthest-first choice: each time the row whose nearest chosen row is the farthest.

    Distances are Euclidean between the rows of ``vectors`` (n, d), all of length one; ``seed_vectors`` count as
    chosen from the start, without them the first row is the nearest to the mean. Gains are the distances; ties go to
    the lower position. At most twice the best radius (Gonzalez 1985); one pass over the pool a pick.
    """
    closest = _first_similarities(vectors, seed_vectors, block_mb)
    left, positions, gains = budget.total, [], []
    for _ in track(range(budget.n_picks_at_most), "choosing centres", total=budget.n_picks_at_most):
        closest[budget.costs > left] = np.inf
        row = int(closest.argmin())
        if np.isposinf(closest[row]):
            break
        positions.append(row)
        gains.append(float(np.sqrt(max(2 - 2 * closest[row], 0))))
        left -= int(budget.costs[row])
        bring_closer(closest, vectors, vectors[row : row + 1], block_mb=block_mb)
        closest[row] = np.inf
    return Picks(np.array(positions, np.int64), np.array(gains))


def by_k_centre(
    pool: View, budget: Budget, *, seed: View, settings: DiversitySettings, rng: np.random.Generator
) -> Picks:
    """Return the farthest-first choice of the pool."""
    return k_centre(vectors_of(pool, budget), budget, seed_vectors=seed.vectors, block_mb=settings.block_mb)


def _first_similarities(vectors: Vectors, seed: Vectors | None, block_mb: int) -> NDArray[np.float32]:
    if seed is None or not len(seed):
        return rounded(-(vectors @ vectors.mean(axis=0)))
    return nearest(vectors, seed, block_mb=block_mb).similarities


def random_rows(budget: Budget, *, rng: np.random.Generator) -> Picks:
    """Return rows drawn at random without replacement until nothing more fits; their gains are 1."""
    positions = affordable(rng.permutation(budget.n_rows), budget.costs, budget.total)
    return Picks(positions, np.ones(len(positions)))


def at_random(
    pool: View, budget: Budget, *, seed: View, settings: DiversitySettings, rng: np.random.Generator
) -> Picks:
    """Return rows drawn at random."""
    return random_rows(budget, rng=rng)


def most_relevant(relevance: Scores, budget: Budget) -> Picks:
    """Return the rows of best ``relevance``, best first, ties by position; rows without a score are never chosen."""
    positions = affordable(relevance.best_first(), budget.costs, budget.total)
    return Picks(positions, relevance.values[positions])


def by_relevance(
    pool: View, budget: Budget, *, seed: View, settings: DiversitySettings, rng: np.random.Generator
) -> Picks:
    """Return the most relevant rows of the pool."""
    return most_relevant(relevance_of(pool, budget), budget)
