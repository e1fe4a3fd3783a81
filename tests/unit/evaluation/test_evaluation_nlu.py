import numpy as np
import pytest

from seedcorn.corpus.predictions import Prediction
from seedcorn.corpus.utterances import Slot, Utterance
from seedcorn.errors import DataError
from seedcorn.evaluation.nlu import outcomes, outcomes_of_functionality, relative_reduction

TIME = Slot(0, 3, "time")
PLACE = Slot(4, 7, "place")

REFERENCES = [
    Utterance(text="six now", intent="alarm", slots=(TIME,)),
    Utterance(text="six now", intent="alarm", slots=(TIME, PLACE)),
    Utterance(text="six now", intent="alarm"),
    Utterance(text="six now", intent="music"),
    Utterance(text="six now", intent="music"),
]
PREDICTIONS = [
    Prediction(intent="alarm", intent_probability=0.9, slots=(TIME,), slot_probabilities=(0.9,)),
    Prediction(intent="alarm", intent_probability=0.9, slots=(TIME,), slot_probabilities=(0.9,)),
    Prediction(intent="music", intent_probability=0.9),
    Prediction(intent="alarm", intent_probability=0.9),
    Prediction(intent="music", intent_probability=0.9, slots=(PLACE,), slot_probabilities=(0.9,)),
]


def test_overall_measures() -> None:
    result = outcomes(REFERENCES, PREDICTIONS)
    assert result.intent_accuracy == pytest.approx(3 / 5)
    assert result.semantic_errors.tolist() == [False, True, True, True, True]
    assert result.semantic_error_rate == pytest.approx(4 / 5)
    assert result.slot_f1 == pytest.approx(2 * 2 / (3 + 3))


def test_measures_of_a_functionality() -> None:
    alarm = outcomes_of_functionality(outcomes(REFERENCES, PREDICTIONS), ["alarm"])
    assert alarm.intent_f1 == pytest.approx(2 * 2 / (3 + 3))
    assert alarm.intent_error == pytest.approx(1 - alarm.intent_f1)
    assert alarm.semantic_error_rate == pytest.approx(2 / 3)
    assert alarm.slot_f1 == pytest.approx(2 * 2 / (2 + 3))
    assert alarm.false_alarms.tolist() == [True, False]
    assert alarm.false_alarm_rate == pytest.approx(1 / 2)


def test_confusion_within_a_functionality_is_an_error_but_no_false_alarm() -> None:
    both = outcomes_of_functionality(outcomes(REFERENCES, PREDICTIONS), ["alarm", "music"])
    assert both.intent_f1 == pytest.approx(3 / 5)
    assert both.false_alarms.size == 0
    assert both.false_alarm_rate == 0.0


def test_a_slot_of_the_right_span_and_wrong_type_is_wrong() -> None:
    prediction = Prediction(intent="alarm", intent_probability=1.0, slots=(Slot(0, 3, "date"),))
    result = outcomes(REFERENCES[:1], [prediction])
    assert result.slot_f1 == 0.0
    assert result.semantic_errors.tolist() == [True]


def test_outcomes_of_nothing() -> None:
    result = outcomes([], [])
    assert (result.intent_accuracy, result.slot_f1, len(result)) == (0.0, 1.0, 0)


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(DataError, match="one prediction an utterance"):
        outcomes(REFERENCES, PREDICTIONS[:-1])


def test_rows_are_taken_by_mask() -> None:
    mask = np.array([True, False, False, False, True])
    assert outcomes(REFERENCES, PREDICTIONS).rows(mask).wanted_intents.tolist() == ["alarm", "music"]


def test_relative_reduction() -> None:
    assert relative_reduction(0.4, 0.3) == pytest.approx(0.25)
    assert relative_reduction(0.0, 0.3) == 0.0
