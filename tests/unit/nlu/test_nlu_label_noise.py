from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from seedcorn.corpus.builtin import builtin_requests
from seedcorn.corpus.utterances import Slot, Utterance
from seedcorn.errors import DataError
from seedcorn.nlu.label_noise import About, Suspicion, audit_labels, in_words
from seedcorn.nlu.linear import LinearSettings, train_linear
from seedcorn.nlu.slot_noise import span_doubt


@pytest.fixture(scope="module")
def spoilt() -> tuple[list[Utterance], set[int], set[int], list[Suspicion]]:
    rows = builtin_requests(1500, lang="en", random_seed=1).utterances()
    names = sorted({u.domain: u.intent for u in rows}.values())[:6]  # one a domain: not easily confused
    rows = [u for u in rows if u.intent in names][:240]
    rng = np.random.default_rng(0)
    wrong_intents = set(rng.choice(len(rows), 10, replace=False).tolist())
    with_slots = [i for i, u in enumerate(rows) if u.slots and i not in wrong_intents]
    wrong_slots = set(rng.choice(with_slots, 10, replace=False).tolist())
    types = sorted({s.type for u in rows for s in u.slots})
    for i in wrong_intents:
        rows[i] = replace(rows[i], intent=names[(names.index(rows[i].intent) + 1) % len(names)])
    for i in wrong_slots:
        first = rows[i].slots[0]
        other = types[(types.index(first.type) + 1) % len(types)]
        rows[i] = replace(rows[i], slots=(Slot(first.start, first.end, other), *rows[i].slots[1:]))
    suspicions = audit_labels(partial(train_linear, settings=LinearSettings(n_crf_iterations=40)), rows, n_folds=3)
    return rows, wrong_intents, wrong_slots, suspicions


def test_most_of_the_most_suspicious_labels_are_those_that_were_swapped(
    spoilt: tuple[list[Utterance], set[int], set[int], list[Suspicion]],
) -> None:
    _, wrong_intents, wrong_slots, suspicions = spoilt
    for about, wrong in ((About.INTENT, wrong_intents), (About.SLOTS, wrong_slots)):
        first = [s.position for s in suspicions if s.about is about][: len(wrong)]
        assert len(wrong & set(first)) / len(wrong) >= 0.6


def test_every_suspicion_says_what_was_given_what_was_found_and_why(
    spoilt: tuple[list[Utterance], set[int], set[int], list[Suspicion]],
) -> None:
    rows, _, _, suspicions = spoilt
    for s in suspicions:
        assert s.given != s.found
        assert 0 <= s.probability <= 1
        assert s.why.startswith("trained without it")
        if s.about is About.INTENT:
            assert s.given == rows[s.position].intent


def test_suspicions_come_most_suspicious_first(
    spoilt: tuple[list[Utterance], set[int], set[int], list[Suspicion]],
) -> None:
    for about in About:
        scores = [s.score for s in spoilt[3] if s.about is about]
        assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize(
    ("slots", "column", "wanted"),
    [
        ((Slot(3, 7, "x"),), 3, ("x: five", "y: five")),  # another type
        ((Slot(3, 7, "x"),), 0, ("x: five", "none")),  # no slot at all
        ((), 3, ("none", "y: five")),  # a slot where none is annotated
    ],
)
def test_a_doubtful_span_is_named_as_it_is_and_as_it_should_be(
    slots: tuple[Slot, ...], column: int, wanted: tuple[str, str]
) -> None:
    text, labels = "at five", ("O", "B-x", "I-x", "B-y", "I-y")
    posteriors = np.full((2, 5), 0.001)
    posteriors[0, 0] = posteriors[1, column] = 0.996
    doubt = span_doubt(text, slots, labels, posteriors)
    assert doubt.score > 1
    shown = tuple(in_words(text, [slot]) if slot else "none" for slot in (doubt.given, doubt.found))
    assert shown == wanted


def test_another_type_is_more_suspicious_than_a_value_that_was_never_seen() -> None:
    labels, slots = ("O", "B-x", "B-y"), (Slot(3, 7, "x"),)
    unseen = np.array([[1.0, 0, 0], [0.9, 0.05, 0.05]])
    other = np.array([[1.0, 0, 0], [0.1, 0.05, 0.85]])
    assert span_doubt("at five", slots, labels, other).score > span_doubt("at five", slots, labels, unseen).score


def test_one_utterance_cannot_be_audited() -> None:
    with pytest.raises(DataError, match="two utterances"):
        audit_labels(train_linear, [Utterance(text="hello", intent="greet")])
