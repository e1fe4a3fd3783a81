"""The batches of fine-tuning and its learning rate: every row as often as its weight says, padded little."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from seedcorn.nlu.fine_tuning import (
    FineTuningSettings,
    batches_by_length,
    batches_of,
    batches_of_epoch,
    rate_at,
    times_of_own,
)

TEXTS = st.lists(st.text("ab ", max_size=12), max_size=150)


@given(TEXTS, st.data(), st.integers(1, 40))
def test_each_row_is_seen_as_often_as_its_weight_says(texts: list[str], data: st.DataObject, size: int) -> None:
    weights = np.array(data.draw(st.lists(st.floats(0, 3), min_size=len(texts), max_size=len(texts))))
    batches = list(batches_of_epoch(texts, weights, size, np.random.default_rng(0)))
    assert all(1 <= len(batch) <= size for batch in batches)
    times = np.bincount(np.concatenate([*batches, np.zeros(0, np.int64)]).astype(np.int64), minlength=len(texts))
    assert (times >= np.floor(weights)).all()
    assert (times <= np.ceil(weights)).all()


@given(st.integers(1, 90), st.integers(0, 60))
def test_few_rows_are_seen_in_more_epochs(n_rows: int, least_steps: int) -> None:
    settings = FineTuningSettings(n_epochs=2, least_steps=least_steps, batch_size=8)
    batches = batches_of(["a"] * n_rows, np.ones(n_rows), settings, np.random.default_rng(0))
    (times,) = set(np.bincount(np.concatenate(batches)).tolist())
    assert times >= 2
    assert len(batches) >= least_steps
    assert times == 2 or (times - 1) * n_rows < least_steps * 8


def test_the_rest_of_a_weight_is_a_chance() -> None:
    rng = np.random.default_rng(0)
    n_seen = [len(batch) for _ in range(400) for batch in batches_of_epoch(["a"], np.array([0.25]), 4, rng)]
    assert 60 < sum(n_seen) < 140


@given(TEXTS)
def test_texts_of_like_length_are_batched_together_each_once(texts: list[str]) -> None:
    batches = list(batches_by_length(texts))
    order = [int(i) for batch in batches for i in batch]
    assert order == sorted(range(len(texts)), key=lambda i: len(texts[i]))
    assert all(len(batch) == 64 for batch in batches[:-1])


@given(st.integers(1, 500))
def test_the_rate_rises_for_a_tenth_of_the_steps_then_falls_to_zero(n_steps: int) -> None:
    rates = [rate_at(step, n_steps) for step in range(n_steps + 1)]
    top = int(np.argmax(rates))
    assert all(0 <= rate <= 1 + 1 / max(1, 0.9 * n_steps - 1) for rate in rates)  # a step above the full rate at most
    assert top <= max(1, n_steps / 10)
    assert np.all(np.diff(rates[: top + 1]) > 0)
    assert np.all(np.diff(rates[top:]) <= 0)
    assert rates[-1] == 0


@given(st.integers(0, 2_000))
def test_few_utterances_are_seen_more_often_but_never_less_than_once(n_own: int) -> None:
    times = times_of_own(n_own)
    assert 1 <= times <= 10
    assert times_of_own(n_own + 1) <= times
    assert times * n_own <= max(500, n_own) + 1e-9
