import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedcorn.corpus.builtin import builtin_general, builtin_requests
from seedcorn.errors import DataError
from seedcorn.nlu.linear import train_linear
from seedcorn.nlu.out_of_scope import auroc, fit_scope_gate, held_out_scope_scores, scope_scores


def test_tells_requests_from_other_sentences() -> None:
    rows = builtin_requests(2000, lang="en", random_seed=1).utterances()
    names = sorted({u.intent for u in rows})[:8]
    rows = [u for u in rows if u.intent in names][:240]
    other = builtin_general(200, lang="en", random_seed=1).utterances()
    own = held_out_scope_scores(train_linear, rows, n_folds=2)
    outside = scope_scores(train_linear(rows), [u.text for u in other])
    gate = fit_scope_gate(own, outside, most_false_alarms=0.1)
    assert gate.auroc > 0.8
    assert gate.passes(outside).mean() <= 0.1
    assert gate.recall == pytest.approx(gate.passes(own).mean())
    assert gate.probability(own).mean() > gate.probability(outside).mean() + 0.3


def test_auroc_counts_ties_half() -> None:
    assert auroc(np.array([2.0, 3.0]), np.array([1.0])) == 1.0
    assert auroc(np.array([1.0]), np.array([1.0])) == 0.5


@given(
    st.lists(st.floats(-5, 5), min_size=1, max_size=30),
    st.lists(st.floats(-5, 5), min_size=19, max_size=60),
    st.sampled_from([0.05, 0.1, 0.3]),
)
def test_no_more_text_passes_than_is_allowed(own: list[float], outside: list[float], rate: float) -> None:
    gate = fit_scope_gate(np.array(own), np.array(outside), most_false_alarms=rate)
    assert (int(gate.passes(np.array(outside)).sum()) + 1) / (len(outside) + 1) <= rate + 1e-9
    assert gate.false_alarm_rate <= rate + 1e-9


def test_too_little_text_to_hold_the_rate_is_refused_with_the_number_needed() -> None:
    with pytest.raises(DataError, match="99 of text out of scope"):
        fit_scope_gate(np.ones(5), np.zeros(50), most_false_alarms=0.01)
