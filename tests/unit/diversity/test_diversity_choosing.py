"""Diversity as a setting: what is chosen from, and in which shares."""

import numpy as np
import pytest

from seedcorn.corpus.utterances import Utterance
from seedcorn.diversity.choosing import DiversityChoice, choose_diverse
from seedcorn.errors import DataError
from seedcorn.selection import Scores

RELEVANT = [f"play {n} now" for n in ("jazz", "rock", "blues", "adele", "a song", "my list")] + [
    f"what is {n}" for n in ("jazz", "rock", "love")
]
SEED = [Utterance(text="play some music", intent="music")]
SURE, OTHER, UNSURE = 1, 0, -1
TAKEN = np.array([SURE, SURE, UNSURE, SURE, SURE, UNSURE, OTHER, UNSURE, OTHER], dtype=np.int8)


def chosen(taken=TAKEN, **choice: object):
    return choose_diverse(
        RELEVANT,
        Scores(values=-np.arange(len(RELEVANT), dtype=np.float64), name="relevance rank"),
        seed=SEED,
        background=[Utterance(text="what is the time", intent="time")],
        choice=DiversityChoice.model_validate(choice),
        random_seed=1,
        groups=None if taken is None else [np.flatnonzero(taken == kind) for kind in (SURE, OTHER)],
    )


@pytest.mark.parametrize("method", ["feature", "facility", "kcentre", "random", "relevance"])
def test_what_the_teacher_is_unsure_of_is_left_out_and_both_kinds_keep_their_share(method: str) -> None:
    selection = chosen(method=method, fraction=1 / 3)
    kinds = TAKEN[selection.positions]
    assert kinds.tolist() == [SURE, SURE, OTHER]
    assert selection.reason(2) == "the teacher is unsure of it"
    left_out = (set(np.flatnonzero(TAKEN >= 0)) - set(selection.positions.tolist())).pop()
    assert selection.reason(int(left_out)) == "adds less than what was chosen"


def test_all_that_is_usable_is_kept_when_there_is_less_than_the_fraction() -> None:
    assert sorted(chosen(method="feature", fraction=0.9).positions.tolist()) == np.flatnonzero(TAKEN >= 0).tolist()
    assert len(chosen(method="all").positions) == 6


def test_a_kind_whose_share_is_less_than_one_row_keeps_none() -> None:
    selection = chosen(method="feature", fraction=0.05)
    assert TAKEN[selection.positions].tolist() == [SURE]
    assert selection.reason(6) == "adds less than what was chosen"


def test_one_kind_alone_is_enough_and_none_is_refused() -> None:
    only = np.where(TAKEN == SURE, SURE, UNSURE).astype(np.int8)
    assert set(chosen(only, method="relevance", fraction=0.2).positions.tolist()) == {0, 1}
    with pytest.raises(DataError, match="teacher is sure"):
        chosen(np.full(9, UNSURE, np.int8), method="feature")


def test_without_a_teacher_every_row_may_be_chosen() -> None:
    assert len(chosen(None, method="relevance", fraction=1.0).positions) == len(RELEVANT)
