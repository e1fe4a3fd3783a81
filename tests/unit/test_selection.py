import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedcorn.errors import DataError
from seedcorn.selection import Direction, Scores, Selection, keep


def test_best_first_breaks_ties_by_position_in_both_directions() -> None:
    values = np.array([1.0, 3.0, 3.0, 2.0])
    assert Scores(values=values, name="s").best_first().tolist() == [1, 2, 3, 0]
    lower = Scores(values=values, name="s", direction=Direction.LOWER_IS_BETTER)
    assert lower.best_first().tolist() == [0, 3, 1, 2]


@given(st.lists(st.sampled_from([-np.inf, -1.0, 0.0, 2.0, np.inf]), max_size=9), st.data())
def test_the_best_alone_are_the_first_of_all(values: list[float], data: st.DataObject) -> None:
    missing = np.array(data.draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values))), np.bool_)
    direction, n_best = data.draw(st.sampled_from(Direction)), data.draw(st.integers(0, 10))
    scores = Scores(values=np.where(missing, 0.0, values), name="s", missing=missing, direction=direction)
    assert scores.best_first(n_best).tolist() == scores.best_first().tolist()[:n_best]


def test_rows_without_score_are_never_ranked() -> None:
    scores = Scores(values=np.zeros(3), name="s", missing=np.array([False, True, False]))
    assert scores.best_first().tolist() == [0, 2]


def test_nan_is_refused_with_its_row() -> None:
    with pytest.raises(DataError, match="NaN in row 1"):
        Scores(values=np.array([0.0, np.nan]), name="s")


def test_every_row_is_kept_or_has_a_reason() -> None:
    selection = keep(np.array([2, 0]), np.array([0.9, 0.5]), n_rows=4, reason="too low", candidates=np.array([0, 1, 2]))
    assert [selection.reason(i) for i in range(4)] == [None, "too low", None, "not a candidate"]
    shorter = selection.first(1, reason="budget")
    assert shorter.positions.tolist() == [2]
    assert shorter.reason(0) == "budget"


def test_a_repeated_or_outside_position_is_refused() -> None:
    codes = np.array([-1, 0], dtype=np.int16)
    for positions in ([0, 0], [5]):
        with pytest.raises(DataError):
            Selection(
                positions=np.array(positions), gains=np.zeros(len(positions)), reject_codes=codes, reject_reasons=("x",)
            )
