"""The request gate: labelled utterances against a random pool."""

import pytest

from seedcorn.corpus.builtin import builtin_requests
from seedcorn.errors import DataError
from seedcorn.relevance.requests import fit_request_gate

NARRATION = [
    f"{who} {did} {where} {when}"
    for who in ("the old man", "my sister", "a tall stranger", "the teacher")
    for did in ("walked slowly", "waited for us", "had been seen", "lost his way")
    for where in ("in the garden", "near the river", "at the station")
    for when in ("all morning", "last winter", "before the war")
]


def test_new_requests_pass_and_narration_does_not() -> None:
    requests = [u.text for u in builtin_requests(600, lang="en", random_seed=1).utterances()]
    gate = fit_request_gate(requests[:300], [*NARRATION[::2], *requests[300:320]], random_seed=1)
    assert gate.passes(requests[320:]).mean() > 0.9
    assert gate.passes(NARRATION[1::2]).mean() < 0.1


def test_the_gate_is_where_the_wanted_fraction_passes() -> None:
    requests = [u.text for u in builtin_requests(600, lang="en", random_seed=2).utterances()]
    strict, lax = (fit_request_gate(requests[:300], NARRATION, passing_fraction=f, random_seed=1) for f in (0.5, 0.99))
    assert strict.least_probability > lax.least_probability
    assert 0.3 < strict.passes(requests[300:]).mean() < 0.7


def test_too_little_text_is_refused() -> None:
    with pytest.raises(DataError, match="at least two labelled utterances and two pool texts"):
        fit_request_gate(["play jazz"], NARRATION)
