import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedcorn.corpus.predictions import Prediction
from seedcorn.corpus.utterances import Slot, Utterance
from seedcorn.errors import DataError
from seedcorn.evaluation.certificate import (
    Kind,
    Verdict,
    compare_models,
    holm,
    mcnemar_exact,
    paired_difference_interval,
)


def wanted(intent: str, *slots: Slot) -> Utterance:
    return Utterance(text="wake me at five", intent=intent, slots=slots)


def found(intent: str, *slots: Slot) -> Prediction:
    return Prediction(intent=intent, intent_probability=0.9, slots=slots)


def verdicts(n: int, n_broken: int, n_mended: int = 0, *, margin: float = 0.05) -> Verdict:
    references = [wanted("alarm")] * n
    before = [found("music")] * n_mended + [found("alarm")] * (n - n_mended)
    after = [found("alarm")] * (n - n_broken) + [found("music")] * n_broken
    (row,) = compare_models(references, before, after, intents=["alarm"], margin=margin)
    return row.verdict


def test_no_change_in_many_utterances_is_not_worse_and_in_few_undecided() -> None:
    assert verdicts(100, 0) is Verdict.NOT_WORSE
    assert verdicts(5, 0) is Verdict.UNDECIDED


def test_a_loss_is_worse_and_a_gain_better() -> None:
    assert verdicts(100, 20) is Verdict.WORSE
    assert verdicts(100, 0, 20) is Verdict.BETTER


def test_a_loss_that_is_not_significant_is_still_not_shown_to_be_within_the_margin() -> None:
    assert verdicts(50, 4) is Verdict.UNDECIDED


def test_utterances_that_are_taken_from_elsewhere_count_against_the_intent() -> None:
    references = [wanted("alarm")] * 40 + [wanted("music")] * 40
    before = [found(u.intent) for u in references]
    after = [found("alarm")] * 60 + [found("music")] * 20
    alarm, music = compare_models(references, before, after, intents=["alarm", "music"])
    assert (alarm.n_broken, music.n_broken) == (20, 20)
    assert alarm.f1_after == pytest.approx(80 / 100)


def test_slot_types_are_judged_by_their_spans() -> None:
    time, other = Slot(11, 15, "time"), Slot(8, 15, "time")
    rows = compare_models(
        [wanted("alarm", time)] * 30, [found("alarm", time)] * 30, [found("alarm", other)] * 30, intents=["alarm"]
    )
    assert [(r.kind, r.verdict) for r in rows] == [
        (Kind.INTENT, Verdict.UNDECIDED),
        (Kind.SLOT_TYPE, Verdict.WORSE),
    ]
    assert rows[1].f1_before == 1.0
    assert rows[1].f1_after == 0.0


def test_models_are_compared_on_the_same_utterances() -> None:
    with pytest.raises(DataError, match="one prediction of each model"):
        compare_models([wanted("alarm")], [], [], intents=["alarm"])
    with pytest.raises(DataError, match="annotated utterances"):
        compare_models([], [], [], intents=["alarm"])


def test_holm_is_as_published() -> None:
    # Holm 1979: the smallest of four times 4, the next times 3 and so on, never falling.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_corrected_p_values_are_never_smaller_and_keep_their_order(p_values: list[float]) -> None:
    corrected = np.array(holm(p_values))
    assert (corrected >= np.array(p_values) - 1e-12).all()
    assert (np.diff(corrected[np.argsort(p_values, kind="stable")]) >= -1e-12).all()


def test_mcnemar_is_the_sign_test_of_what_changed() -> None:
    assert mcnemar_exact(0, 0) == 1.0
    assert mcnemar_exact(0, 10) == pytest.approx(2 / 2**10)


@given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 200))
def test_intervals_hold_zero_exactly_when_as_many_are_mended_as_broken(mended: int, broken: int, rest: int) -> None:
    low, high = paired_difference_interval(mended, broken, mended + broken + rest)
    turned = paired_difference_interval(broken, mended, mended + broken + rest)
    assert -1 <= low <= high <= 1
    assert (low, high) == pytest.approx((-turned[1], -turned[0]))
