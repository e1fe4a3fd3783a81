"""Diversity selection: one call for every method, and the two methods that maximise a submodular function."""

import pkgutil
from dataclasses import dataclass

import numpy as np

from seedcorn.diversity.facility_location import FacilityLocation
from seedcorn.diversity.feature_coverage import FeatureCoverage
from seedcorn.diversity.greedy import lazy_greedy, stochastic_greedy
from seedcorn.diversity.methods import Method, Optimiser
from seedcorn.diversity.objectives import Budget, Objective, Picks
from seedcorn.diversity.view import NO_SEED, Choose, DiversitySettings, View, features_of, relevance_bonus, vectors_of
from seedcorn.selection import FloatArray, PositionArray, Selection, keep

ADDS_LESS = "adds less than what was chosen"


@dataclass(frozen=True, kw_only=True)
class DiverseSelection(Selection):
    """A Selection with the round, counted from 1, in which each kept row was chosen, shape (k,)."""

    rounds: PositionArray


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
    choose: Choose = pkgutil.resolve_name(method.chosen_by)
    picks = choose(pool, budget, seed=seed, settings=settings, rng=np.random.default_rng(random_seed))
    selection = keep(picks.positions, picks.gains, n_rows=budget.n_rows, reason=ADDS_LESS)
    return DiverseSelection(
        positions=selection.positions,
        gains=selection.gains,
        reject_codes=selection.reject_codes,
        reject_reasons=selection.reject_reasons,
        rounds=np.arange(1, len(picks.positions) + 1) if picks.rounds is None else picks.rounds,
    )


def by_feature_coverage(
    pool: View, budget: Budget, *, seed: View, settings: DiversitySettings, rng: np.random.Generator
) -> Picks:
    """Return the rows that cover most n-grams; a bonus for relevance is scaled by the mean first gain."""
    features, bonus = features_of(pool, budget), relevance_bonus(pool, budget, settings)

    def coverage(row_bonus: FloatArray | None) -> FeatureCoverage:
        return FeatureCoverage(
            features,
            seed_rows=seed.features,
            feature_weights=settings.feature_weights,
            row_bonus=row_bonus,
            concave=settings.concave,
            limit=settings.limit,
        )

    if bonus is not None:
        bonus = bonus * float(coverage(None).gains(np.arange(budget.n_rows)).mean())
    return _maximised(coverage(bonus), budget, settings, rng)


def by_facility_location(
    pool: View, budget: Budget, *, seed: View, settings: DiversitySettings, rng: np.random.Generator
) -> Picks:
    """Return the rows that the rows of the pool are nearest to."""
    objective = FacilityLocation(
        vectors_of(pool, budget),
        seed_vectors=seed.vectors,
        n_represented=settings.n_represented,
        rng=rng,
        block_mb=settings.block_mb,
    )
    return _maximised(objective, budget, settings, rng)


def _maximised(objective: Objective, budget: Budget, settings: DiversitySettings, rng: np.random.Generator) -> Picks:
    if settings.optimiser is Optimiser.STOCHASTIC:
        return stochastic_greedy(objective, budget, rng=rng, epsilon=settings.epsilon)
    return lazy_greedy(objective, budget)
