"""What diversity methods see of utterances, and the settings they read."""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from scipy.sparse import csr_matrix

from seedcorn.diversity.methods import Concave, Optimiser
from seedcorn.diversity.nearest import DEFAULT_BLOCK_MB, Vectors
from seedcorn.diversity.objectives import Budget, Picks
from seedcorn.errors import ConfigError, DataError
from seedcorn.selection import FloatArray, PositionArray, Scores


@dataclass(frozen=True, kw_only=True)
class View:
    """What the methods see of some utterances; each method says in Method which parts it needs.

    ``features`` (n, n_features) are n-gram counts, ``vectors`` (n, d) unit embeddings or paraphrase codes.
    """

    features: csr_matrix | None = None
    vectors: Vectors | None = None
    relevance: Scores | None = None


@dataclass(frozen=True, kw_only=True)
class DiversitySettings:
    """The knobs of all methods; each method reads its own.

    ``relevance_share`` adds that share of the mean first gain, times the relevance scaled to 0..1, to every gain of
    ``feature``, and weighs the scaled relevance against the scaled place of a row in ``paraphrase`` (0 leaves relevance
    out).
    """

    concave: Concave = Concave.SQRT
    limit: float = 3.0
    feature_weights: FloatArray | None = None
    relevance_share: float = 0.0
    optimiser: Optimiser = Optimiser.LAZY
    epsilon: float = 0.01
    n_represented: int | None = None
    n_rounds: int = 20
    block_mb: int = DEFAULT_BLOCK_MB


NO_SEED = View()


class Choose(Protocol):
    """Chooses rows of a pool within a budget; methods.Method has one for every method."""

    def __call__(
        self, pool: View, budget: Budget, *, seed: View, settings: DiversitySettings, rng: np.random.Generator
    ) -> Picks:
        """Return the rows chosen, in that order. Raises DataError when the view lacks what the method needs."""
        ...


def part_of(view: View, rows: PositionArray) -> View:
    """Return what the methods see of ``rows`` alone."""
    relevance = view.relevance
    return View(
        features=None if view.features is None else view.features[rows],
        vectors=None if view.vectors is None else view.vectors[rows],
        relevance=relevance
        and replace(
            relevance,
            values=relevance.values[rows],
            missing=None if relevance.missing is None else relevance.missing[rows],
        ),
    )


def features_of(pool: View, budget: Budget) -> csr_matrix:
    """Return the n-gram counts of the pool; raises DataError when there are none, or of another number of rows."""
    if pool.features is None or pool.features.shape[0] != budget.n_rows:
        raise _missing("n-gram features", budget)
    return pool.features


def vectors_of(pool: View, budget: Budget) -> Vectors:
    """Return the vectors of the pool; raises DataError when there are none, or of another number of rows."""
    if pool.vectors is None or len(pool.vectors) != budget.n_rows:
        raise _missing("vectors", budget)
    return pool.vectors


def relevance_of(pool: View, budget: Budget) -> Scores:
    """Return the scores of the pool; raises DataError when there are none, or of another number of rows."""
    if pool.relevance is None or len(pool.relevance) != budget.n_rows:
        raise _missing("relevance scores", budget)
    return pool.relevance


def _missing(what: str, budget: Budget) -> DataError:
    return DataError(wanted=f"{what} of all {budget.n_rows:,} rows of the pool", found="none or another number of them")


def relevance_bonus(pool: View, budget: Budget, settings: DiversitySettings) -> FloatArray | None:
    """Return the scaled relevance of every row times its share, None where relevance does not count."""
    if settings.relevance_share < 0:
        raise ConfigError(wanted="a relevance share of at least 0", found=str(settings.relevance_share))
    if settings.relevance_share == 0:
        return None
    return settings.relevance_share * scaled_relevance(relevance_of(pool, budget))


def scaled_relevance(relevance: Scores) -> FloatArray:
    """Return the share of the other scored rows that each row is at least as good as: 0 worst, 1 best, 0 unscored."""
    order = relevance.best_first()
    scaled = np.zeros(len(relevance))
    scaled[order] = 1 - np.arange(len(order)) / max(len(order) - 1, 1)
    return scaled
