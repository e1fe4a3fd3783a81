import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from seedcorn.corpus.builtin import builtin_requests
from seedcorn.corpus.utterances import Utterance
from seedcorn.nlu.linear import LinearNlu, train_linear
from seedcorn.nlu.operating_point import hold_false_alarms, leads, matching_offset

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
