import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from seedcorn.corpus.builtin import builtin_requests
from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import DataError
from seedcorn.nlu.linear import LinearNlu, train_linear
from seedcorn.nlu.operating_point import (
    hold_false_alarms,
    leads,
    matching_offset,
    threshold_at_budget,
)

LEADS = arrays(np.float64, st.integers(2, 60), elements=st.floats(-20, 20, width=32))


@pytest.fixture(scope="module")
def requests() -> list[Utterance]:
    return builtin_requests(600, lang="en", random_seed=1).utterances()


def n_alarms(model: LinearNlu, functionality: set[str], dev: list[Utterance]) -> int:
    others = [u.text for u in dev if u.intent not in functionality]
    return sum(p.intent in functionality for p in model.predict(others))


def test_a_held_model_alarms_no_more_than_the_reference_and_misses_no_more(requests: list[Utterance]) -> None:
    functionality = {requests[0].intent}
    own = [u for u in requests if u.intent in functionality]
    others = [u for u in requests if u.intent not in functionality]
    eager, careful = train_linear([*own, *others[:20]]), train_linear([*own[:12], *others[:60]])
    dev = [*own[12:], *others[60:]]
    held = hold_false_alarms(eager, functionality, dev, like=careful)
    assert n_alarms(eager, functionality, dev) > n_alarms(careful, functionality, dev) > 0
    assert n_alarms(held, functionality, dev) <= n_alarms(careful, functionality, dev)
    texts = [u.text for u in own]
    assert (leads(held, functionality, texts) < leads(eager, functionality, texts)).all()
    assert hold_false_alarms(careful, functionality, dev, like=eager) is careful
    assert hold_false_alarms(eager, functionality, own, like=careful) is eager  # nothing to alarm at


def test_a_model_is_not_held_so_far_that_it_misses_more_than_the_reference(requests: list[Utterance]) -> None:
    functionality = {requests[0].intent}
    own = [u for u in requests if u.intent in functionality]
    others = [u for u in requests if u.intent not in functionality]
    grown, reference = train_linear([*own, *others[:300]]), train_linear([*own[:10], *others[:300]])
    dev = [*own, *others[:300]]  # where neither has false alarms
    texts = [u.text for u in own]
    held = hold_false_alarms(grown, functionality, dev, like=reference)
    assert n_alarms(held, functionality, dev) == n_alarms(reference, functionality, dev) == 0
    assert (leads(held, functionality, texts) > 0).sum() >= (leads(reference, functionality, texts) > 0).sum() > 0


@given(grown=LEADS, reference=LEADS)
def test_zero_is_moved_between_the_leads_where_it_lay_in_the_reference(
    grown: np.ndarray, reference: np.ndarray
) -> None:
    reference = np.resize(reference, len(grown))
    n_passing = int((reference > 0).sum())
    if n_passing == len(reference):
        return
    held = np.sort(grown - matching_offset(grown, reference))[::-1]
    assert held[n_passing] <= 1e-9
    assert n_passing == 0 or held[n_passing - 1] >= -1e-9


@given(reference=LEADS, scale=st.floats(0.1, 10), shift=st.floats(0, 20))
def test_the_offset_is_where_zero_went(reference: np.ndarray, scale: float, shift: float) -> None:
    """The same leads on another scale, and moved."""
    if (reference > 0).all() or len(np.unique(reference)) < len(reference):
        return
    assert matching_offset(reference * scale + shift, reference) == pytest.approx(shift, abs=1e-4)


@pytest.mark.parametrize("n", [500, 6000])
def test_the_budget_is_met_on_average_and_with_less_noise_than_by_the_largest_leads(n: int) -> None:
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


@given(leads_of_others=LEADS, shift=st.floats(-5, 5))
def test_a_threshold_moves_with_the_leads_and_falls_with_the_budget(leads_of_others: np.ndarray, shift: float) -> None:
    strict, lax = (threshold_at_budget(leads_of_others, budget=b) for b in (0.001, 0.05))
    moved = threshold_at_budget(leads_of_others + shift, budget=0.001)
    assert strict.value >= lax.value
    assert moved.value == pytest.approx(strict.value + shift, abs=1e-6)


@pytest.mark.parametrize(("n", "budget"), [(1, 0.1), (20, 0.0), (20, 1.0)])
def test_too_few_leads_and_impossible_budgets_are_refused(n: int, budget: float) -> None:
    with pytest.raises(DataError, match="wanted at least two leads"):
        threshold_at_budget(np.zeros(n), budget=budget)
