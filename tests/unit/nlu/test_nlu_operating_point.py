import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from seedcorn.corpus.builtin import builtin_requests
from seedcorn.corpus.utterances import Utterance
from seedcorn.nlu.linear import LinearNlu, train_linear
from seedcorn.nlu.operating_point import hold_false_alarms, leads, offset_for

LEADS = arrays(np.float64, st.integers(2, 60), elements=st.floats(-20, 20, width=32))


@pytest.fixture(scope="module")
def requests() -> list[Utterance]:
    return builtin_requests(600, lang="en", random_seed=1).utterances()


def n_alarms(model: LinearNlu, functionality: set[str], dev: list[Utterance]) -> int:
    others = [u.text for u in dev if u.intent not in functionality]
    return sum(p.intent in functionality for p in model.predict(others))


def test_a_held_model_alarms_less_often_than_the_reference(requests: list[Utterance]) -> None:
    functionality = {requests[0].intent}
    own = [u for u in requests if u.intent in functionality]
    others = [u for u in requests if u.intent not in functionality]
    eager, careful = train_linear([*own, *others[:20]]), train_linear([*own, *others[:60]])
    dev = others[60:]
    allowed = n_alarms(careful, functionality, dev)
    assert n_alarms(eager, functionality, dev) > allowed > 0
    held = hold_false_alarms(eager, functionality, dev, like=careful)
    assert n_alarms(held, functionality, dev) == allowed - 1
    assert hold_false_alarms(careful, functionality, dev, like=eager) is careful
    assert hold_false_alarms(eager, functionality, own, like=careful) is eager  # nothing to alarm at
    assert (
        leads(held, functionality, [u.text for u in own]) < leads(eager, functionality, [u.text for u in own])
    ).all()


@given(grown=LEADS, reference=LEADS)
def test_held_leads_pass_zero_less_often_than_those_of_the_reference(grown: np.ndarray, reference: np.ndarray) -> None:
    reference = np.resize(reference, len(grown))
    n_passing = int((reference > 0).sum())
    held = grown - offset_for(grown, reference)
    assert (held > 0).sum() <= max(n_passing - 1, 0)


@given(reference=LEADS, scale=st.floats(0.1, 10), shift=st.floats(0, 20))
def test_where_nothing_alarms_zero_is_as_far_beyond_the_tail_as_in_the_reference(
    reference: np.ndarray, scale: float, shift: float
) -> None:
    quiet = np.unique(reference) - reference.max() - 1.0
    if len(quiet) < 2:
        return
    # Leads on another scale, moved: the offset is where zero went.
    assert offset_for(quiet * scale + shift, quiet) == pytest.approx(shift, abs=1e-6)
