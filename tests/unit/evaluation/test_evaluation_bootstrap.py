import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from seedcorn.errors import DataError
from seedcorn.evaluation.bootstrap import mean_interval, one_minus_f1, paired_bootstrap


def test_the_interval_of_the_mean_is_students() -> None:
    values = [0.1, 0.2, 0.4, 0.3, 0.25]
    interval = mean_interval(values)
    low, high = stats.t.interval(0.95, 4, loc=np.mean(values), scale=stats.sem(values))
    assert (interval.low, interval.high) == pytest.approx((low, high))
    with pytest.raises(DataError):
        mean_interval([])


def test_a_clear_improvement_has_a_small_p_value_and_an_interval_clear_of_zero() -> None:
    rng = np.random.default_rng(0)
    baseline = (rng.random(500) < 0.4).astype(float)
    system = baseline * (rng.random(500) < 0.7)
    reduction = paired_bootstrap(baseline, system, rng=np.random.default_rng(1))
    assert reduction.relative == pytest.approx(1 - system.sum() / baseline.sum())
    assert 0 < reduction.low < reduction.relative < reduction.high
    assert reduction.p_value < 0.01


def test_equal_systems_do_not_differ() -> None:
    errors = np.array([1.0, 0.0, 1.0, 0.0] * 25)
    reduction = paired_bootstrap(errors, errors, rng=np.random.default_rng(1))
    assert (reduction.relative, reduction.low, reduction.high, reduction.p_value) == (0, 0, 0, 1)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=30))
def test_exchanging_the_systems_exchanges_the_sign(errors: list[tuple[int, int]]) -> None:
    a, b = np.array(errors, dtype=float).T
    forward = paired_bootstrap(a, b, rng=np.random.default_rng(0), n_resamples=50)
    backward = paired_bootstrap(b, a, rng=np.random.default_rng(0), n_resamples=50)
    assert np.sign(forward.relative) == -np.sign(backward.relative)


def test_f1_is_computed_from_summed_counts() -> None:
    assert one_minus_f1(np.array([[8.0, 2.0, 2.0], [0.0, 0.0, 0.0]])).tolist() == pytest.approx([0.2, 0.0])


def test_other_utterances_are_refused() -> None:
    with pytest.raises(DataError):
        paired_bootstrap(np.zeros(3), np.zeros(4), rng=np.random.default_rng(0))
