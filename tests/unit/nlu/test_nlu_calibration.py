from collections.abc import Sequence

import numpy as np
import pytest

from seedcorn.corpus.builtin import builtin_requests
from seedcorn.corpus.predictions import Prediction
from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import DataError
from seedcorn.evaluation.reliability import expected_calibration_error, reliability_table
from seedcorn.nlu.calibration import CalibrationMethod, NluCalibration, calibrate, fit_calibrator
from seedcorn.nlu.cross_validation import cross_validated_predictions
from seedcorn.nlu.linear import LinearNlu, train_linear


def overconfident(n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    confidences = rng.uniform(0, 1, n)
    return confidences, rng.uniform(0, 1, n) < confidences**3


@pytest.mark.parametrize("method", list(CalibrationMethod))
def test_calibration_lowers_the_calibration_error(method: CalibrationMethod) -> None:
    confidences, right = overconfident(4000)
    calibrator = fit_calibrator(confidences[:2000], right[:2000], method=method)
    before = expected_calibration_error(confidences[2000:], right[2000:])
    after = expected_calibration_error(calibrator(confidences[2000:]), right[2000:])
    assert before > 0.2
    assert after < 0.06


@pytest.mark.parametrize("method", list(CalibrationMethod))
@pytest.mark.parametrize("all_right", [True, False])
def test_all_right_or_all_wrong_still_gives_a_monotone_map(method: CalibrationMethod, all_right: bool) -> None:
    calibrator = fit_calibrator(np.linspace(0.1, 0.9, 9), np.full(9, all_right), method=method)
    probabilities = calibrator(np.linspace(0, 1, 50))
    assert (np.diff(probabilities) >= 0).all()
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    assert (probabilities.mean() > 0.5) == all_right


def test_nothing_to_fit_changes_nothing() -> None:
    calibrator = fit_calibrator(np.zeros(0), np.zeros(0, dtype=np.bool_))
    assert calibrator(np.array([0.3])).tolist() == [0.3]


def test_reliability_table_and_error_by_hand() -> None:
    confidences = np.array([0.05, 0.1, 0.95, 1.0])
    right = np.array([False, False, True, False])
    low, high = reliability_table(confidences, right)
    assert (low.low, low.high, low.n_predictions, low.right_fraction) == (0.0, 0.1, 2, 0.0)
    assert (high.n_predictions, high.right_fraction) == (2, 0.5)
    assert high.mean_confidence == pytest.approx(0.975)
    assert expected_calibration_error(confidences, right) == pytest.approx((2 * 0.075 + 2 * 0.475) / 4)


def test_every_utterance_is_predicted_by_a_model_that_has_not_seen_it() -> None:
    rows = builtin_requests(60, lang="en", random_seed=3).utterances()
    seen: list[set[str]] = []

    def train(
        utterances: Sequence[Utterance],
        *,
        weights: Sequence[float] | None = None,
        slot_weights: Sequence[float] | None = None,
        random_seed: int = 0,
    ) -> LinearNlu:
        seen.append({u.text for u in utterances})
        return train_linear(utterances, random_seed=random_seed)

    predictions = cross_validated_predictions(train, rows, n_folds=3)
    assert len(predictions) == len(rows)
    assert len(seen) == 3
    assert all(sum(u.text not in texts for texts in seen) == 1 for u in rows)


def test_calibrates_intents_and_slots_of_a_model() -> None:
    rows = builtin_requests(200, lang="en", random_seed=4).utterances()
    calibration = calibrate(train_linear, rows)
    prediction = train_linear(rows).predict([rows[0].text])[0]
    calibrated = calibration.calibrated(prediction)
    assert (calibrated.intent, calibrated.slots) == (prediction.intent, prediction.slots)
    assert calibrated.intent_probability > 0.8


def test_uncalibrated_is_the_identity() -> None:
    prediction = Prediction(intent="a", intent_probability=0.4)
    assert NluCalibration().calibrated(prediction) == prediction


def test_a_single_utterance_is_refused() -> None:
    with pytest.raises(DataError, match="at least two"):
        cross_validated_predictions(train_linear, [Utterance(text="play jazz", intent="music")])
