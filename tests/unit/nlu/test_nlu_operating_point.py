import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from seedcorn.errors import DataError
from seedcorn.nlu.operating_point import threshold_at_budget

LOG_ODDS = arrays(np.float64, st.integers(2, 60), elements=st.floats(-20, 20, width=32))


@pytest.mark.parametrize("n", [500, 6000])
def test_the_budget_is_met_on_average_and_with_less_noise_than_by_the_largest(n: int) -> None:
    rng, budget = np.random.default_rng(1), 0.003
    passing: list[tuple[float, float]] = []
    for _ in range(300):
        others = rng.normal(size=n)  # the tail of a normal law is not exponential, but near it
        smoothed = threshold_at_budget(others, budget=budget).value
        kth = np.sort(others)[::-1][int(budget * n)]
        passing.append((float(_passing(smoothed)), float(_passing(kth))))
    by_tail, by_rank = np.array(passing).T
    assert by_tail.mean() == pytest.approx(budget, rel=0.2)
    assert by_tail.std() < by_rank.std()


def _passing(threshold: float) -> float:
    """Return the share of a standard normal law above ``threshold``."""
    return 0.5 * math.erfc(threshold / math.sqrt(2))


def test_the_standard_error_is_that_of_repeated_samples() -> None:
    rng = np.random.default_rng(2)
    found = [threshold_at_budget(rng.exponential(size=2000), budget=0.003) for _ in range(400)]
    spread = np.std([t.value for t in found])
    assert np.mean([t.standard_error for t in found]) == pytest.approx(spread, rel=0.15)


@given(log_odds=LOG_ODDS, shift=st.floats(-5, 5))
def test_a_threshold_moves_with_the_log_odds_and_falls_with_the_budget(log_odds: np.ndarray, shift: float) -> None:
    strict, lax = (threshold_at_budget(log_odds, budget=b) for b in (0.001, 0.05))
    moved = threshold_at_budget(log_odds + shift, budget=0.001)
    assert strict.value >= lax.value
    assert moved.value == pytest.approx(strict.value + shift, abs=1e-6)


@pytest.mark.parametrize(("n", "budget"), [(1, 0.1), (20, 0.0), (20, 1.0)])
def test_too_few_log_odds_and_impossible_budgets_are_refused(n: int, budget: float) -> None:
    with pytest.raises(DataError, match="wanted at least two log odds"):
        threshold_at_budget(np.zeros(n), budget=budget)
