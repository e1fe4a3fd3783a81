from functools import partial

import numpy as np
import pytest

from seedcorn.corpus.builtin import builtin_requests
from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import DataError
from seedcorn.nlu.learning_curve import dealt, learning_curve_points
from seedcorn.nlu.linear import LinearSettings, train_linear


def test_errors_fall_with_the_number_of_labels() -> None:
    rows = builtin_requests(900, lang="en", random_seed=1).utterances()
    names = sorted({u.domain: u.intent for u in rows}.values())[:4]
    rows = [u for u in rows if u.intent in names]
    points = learning_curve_points(
        partial(train_linear, settings=LinearSettings(n_crf_iterations=20)),
        rows[:60],
        rows[60:],
        fractions=(0.2, 1.0),
        n_subsets=2,
    )
    assert [n for n, _ in points] == [12, 12, 60]
    assert points[2][1] < points[0][1]


def test_every_beginning_of_an_order_has_the_intents_in_about_their_shares() -> None:
    rows = [Utterance(text=str(i), intent="a" if i < 80 else "b") for i in range(100)]
    order = dealt(rows, np.random.default_rng(0))
    assert sorted(order) == list(range(100))
    assert 8 <= sum(rows[i].intent == "b" for i in order[:50]) <= 12


def test_too_few_labels_are_refused() -> None:
    with pytest.raises(DataError, match="at least 8"):
        learning_curve_points(train_linear, [], [Utterance(text="a", intent="b")])
