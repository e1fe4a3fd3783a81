import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedcorn.errors import DataError
from seedcorn.evaluation.forecast import fit_power_law, fit_saturating_law, forecast

SIZES = [10, 15, 20, 30, 40]


def noisy_points(rng: np.random.Generator, noise: float) -> list[tuple[int, float]]:
    return [(n, 1.5 * n**-0.5 + 0.05 + rng.normal(0, noise)) for n in SIZES for _ in range(3)]


def test_an_exact_power_law_is_found_again() -> None:
    n = np.array(SIZES, dtype=np.float64)
    curve = fit_power_law(n, 1.5 * n**-0.5 + 0.05)
    assert float(curve(160)) == pytest.approx(1.5 * 160**-0.5 + 0.05, abs=0.004)


def test_an_exact_saturating_law_is_found_again() -> None:
    n = np.array(SIZES, dtype=np.float64)
    curve = fit_saturating_law(n, 1 - np.exp(-6 * n**-0.7))
    assert (curve.scale, curve.exponent) == pytest.approx((6.0, 0.7))


@pytest.mark.parametrize("fit", [fit_power_law, fit_saturating_law])
@given(st.lists(st.floats(0, 1), min_size=5, max_size=5))
def test_curves_never_rise_and_never_fall_below_zero(fit, errors: list[float]) -> None:
    curve = fit(np.array(SIZES, dtype=np.float64), np.array(errors))
    ahead = curve(np.array([40.0, 80.0, 400.0]))
    assert (np.diff(ahead) <= 1e-12).all()
    assert ahead.min() >= 0


def test_the_interval_covers_the_next_training_as_often_as_it_says_and_is_not_wide() -> None:
    rng = np.random.default_rng(0)
    covered, widths = [], []
    for _ in range(24):
        (ahead,) = forecast(noisy_points(rng, 0.02), rng=rng, more_labels=[40]).forecasts
        truth = 1.5 * 80**-0.5 + 0.05 + rng.normal(0, 0.02)
        covered.append(ahead.low <= truth <= ahead.high)
        widths.append(ahead.high - ahead.low)
    assert np.mean(covered) >= 0.75
    assert np.mean(widths) < 8 * 0.02  # of one training alone, 80 % are within 2.6 times its spread


def test_says_when_to_stop() -> None:
    flat = [(n, 0.2) for n in SIZES]
    steep = [(n, 4.0 / n) for n in SIZES]
    rng = np.random.default_rng(0)
    assert forecast(flat, rng=rng).stop_after == 0
    assert (forecast(steep, rng=rng).stop_after or 0) > 25


def test_a_single_size_tells_no_curve() -> None:
    with pytest.raises(DataError, match="two or more"):
        forecast([(10, 0.5), (10, 0.4)], rng=np.random.default_rng(0))
