"""Diversity selection: one call for every method, so that they can be compared on the same pool and budget."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_matrix

from seedcorn.diversity.baselines import k_centre, most_relevant, random_rows
from seedcorn.diversity.facility_location import FacilityLocation
from seedcorn.diversity.feature_coverage import FeatureCoverage
from seedcorn.diversity.greedy import lazy_greedy, stochastic_greedy
from seedcorn.diversity.methods import Concave, Method, Optimiser
from seedcorn.diversity.nearest import DEFAULT_BLOCK_MB, Vectors
from seedcorn.diversity.objectives import Budget, Objective, Picks
from seedcorn.diversity.worst_paraphrase import worst_paraphrases
from seedcorn.errors import ConfigError, DataError
from seedcorn.selection import FloatArray, PositionArray, Scores, Selection, keep


@dataclass(frozen=True, kw_only=True)
class View:
    """What the methods see of some utterances; each method says in Method which parts it needs.

    ``features`` (n, n_features) are n-gram counts, ``vectors`` (n, d) unit embeddings or paraphrase codes.
    """

    features: csr_matrix | None = None
    vectors: Vectors | None = None
    relevance: Scores | None = None


@dataclass(frozen=True, kw_only=True)
class DiverseSelection(Selection):
    """A Selection with the round, counted from 1, in which each kept row was chosen, shape (k,)."""

    rounds: PositionArray


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
ADDS_LESS = "adds less than what was chosen"


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


def select_diverse(
    pool: View,
    *,
    method: Method,
    budget: Budget,
    seed: View = NO_SEED,
    settings: DiversitySettings = DiversitySettings(),
    random_seed: int = 0,
) -> DiverseSelection:
    """Return the rows of ``pool`` that ``method`` chooses within ``budget``, in the order chosen, with their gains.

    The gain of ``paraphrase`` is minus the best inner product with what was chosen before; that of ``relevance`` the
    score; that of ``kcentre`` a distance. Ties go to the lower position. One ``random_seed`` gives one choice.
    Raises DataError when the view lacks what the method needs or has another number of rows than the budget.
    """
    rng = np.random.default_rng(random_seed)
    if method is Method.PARAPHRASE:
        vectors = _vectors(pool, budget)
        seed_codes = np.zeros((0, vectors.shape[1]), np.float32) if seed.vectors is None else seed.vectors
        chosen = worst_paraphrases(
            vectors,
            budget,
            seed_codes=seed_codes,
            n_rounds=settings.n_rounds,
            relevance_bonus=_relevance_bonus(pool, budget, settings),
            block_mb=settings.block_mb,
        )
        return _kept(Picks(chosen.positions, -chosen.best_products), budget.n_rows, rounds=chosen.rounds)
    return _kept(_picks(pool, seed, method, budget, settings, rng), budget.n_rows)


def _picks(
    pool: View, seed: View, method: Method, budget: Budget, settings: DiversitySettings, rng: np.random.Generator
) -> Picks:
    match method:
        case Method.FEATURE:
            return _optimised(_feature_coverage(pool, seed, budget, settings), budget, settings, rng)
        case Method.FACILITY:
            return _optimised(_facility_location(pool, seed, budget, settings, rng), budget, settings, rng)
        case Method.KCENTRE:
            vectors = _vectors(pool, budget)
            return k_centre(vectors, budget, seed_vectors=seed.vectors, block_mb=settings.block_mb)
        case Method.RELEVANCE | Method.ALL:
            return most_relevant(_relevance(pool, budget), budget)
        case _:
            return random_rows(budget, rng=rng)


def _optimised(objective: Objective, budget: Budget, settings: DiversitySettings, rng: np.random.Generator) -> Picks:
    if settings.optimiser is Optimiser.STOCHASTIC:
        return stochastic_greedy(objective, budget, rng=rng, epsilon=settings.epsilon)
    return lazy_greedy(objective, budget)


def _feature_coverage(pool: View, seed: View, budget: Budget, settings: DiversitySettings) -> FeatureCoverage:
    if pool.features is None or pool.features.shape[0] != budget.n_rows:
        raise _missing("n-gram features", budget)

    def coverage(row_bonus: FloatArray | None) -> FeatureCoverage:
        return FeatureCoverage(
            pool.features,
            seed_rows=seed.features,
            feature_weights=settings.feature_weights,
            row_bonus=row_bonus,
            concave=settings.concave,
            limit=settings.limit,
        )

    bonus = _relevance_bonus(pool, budget, settings)
    if bonus is None:
        return coverage(None)
    return coverage(bonus * float(coverage(None).gains(np.arange(budget.n_rows)).mean()))


def _relevance_bonus(pool: View, budget: Budget, settings: DiversitySettings) -> FloatArray | None:
    if settings.relevance_share < 0:
        raise ConfigError(wanted="a relevance share of at least 0", found=str(settings.relevance_share))
    if settings.relevance_share == 0:
        return None
    return settings.relevance_share * scaled_relevance(_relevance(pool, budget))


def _facility_location(
    pool: View, seed: View, budget: Budget, settings: DiversitySettings, rng: np.random.Generator
) -> FacilityLocation:
    return FacilityLocation(
        _vectors(pool, budget),
        seed_vectors=seed.vectors,
        n_represented=settings.n_represented,
        rng=rng,
        block_mb=settings.block_mb,
    )


def scaled_relevance(relevance: Scores) -> FloatArray:
    """Return the share of the other scored rows that each row is at least as good as: 0 worst, 1 best, 0 unscored."""
    order = relevance.best_first()
    scaled = np.zeros(len(relevance))
    scaled[order] = 1 - np.arange(len(order)) / max(len(order) - 1, 1)
    return scaled


def _vectors(pool: View, budget: Budget) -> Vectors:
    if pool.vectors is None or len(pool.vectors) != budget.n_rows:
        raise _missing("vectors", budget)
    return pool.vectors


def _relevance(pool: View, budget: Budget) -> Scores:
    if pool.relevance is None or len(pool.relevance) != budget.n_rows:
        raise _missing("relevance scores", budget)
    return pool.relevance


def _missing(what: str, budget: Budget) -> DataError:
    return DataError(wanted=f"{what} of all {budget.n_rows:,} rows of the pool", found="none or another number of them")


def _kept(picks: Picks, n_rows: int, *, rounds: PositionArray | None = None) -> DiverseSelection:
    selection = keep(picks.positions, picks.gains, n_rows=n_rows, reason=ADDS_LESS)
    return DiverseSelection(
        positions=selection.positions,
        gains=selection.gains,
        reject_codes=selection.reject_codes,
        reject_reasons=selection.reject_reasons,
        rounds=np.arange(1, len(picks.positions) + 1) if rounds is None else rounds,
    )
