"""Contamination is exact: the same as comparing every pool row with every evaluation text."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.corpus.contamination import exact_duplicates, near_duplicates, screen_pool
from seedcorn.corpus.text import normalise

# Few words, so that texts are often equal or nearly equal.
texts = st.lists(st.sampled_from(["wake", "me", "up", "at", "seven", "मुझे", "東", "!", "Up,"]), max_size=7).map(" ".join)


def grams(text: str) -> set[str]:
    normalised = normalise(text)
    return {normalised[i : i + 5] for i in range(max(len(normalised) - 5, 0) + 1)} if normalised else set()


def brute_force(text: str, evaluation: list[str], threshold: float) -> tuple[int, float] | None:
    own = grams(text)
    similarities = [len(own & grams(e)) / len(own | grams(e)) if own else 0.0 for e in evaluation]
    if not similarities or max(similarities) < threshold:
        return None
    return int(np.argmax(similarities)), max(similarities)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(texts, max_size=12),
    st.lists(texts, max_size=8),
    st.sampled_from([0.3, 0.5, 0.8, 1.0]),
    st.integers(1, 5),
    st.integers(1, 2),
)
def test_near_duplicates_are_those_of_brute_force(
    pool: list[str], evaluation: list[str], threshold: float, batch_size: int, n_threads: int
) -> None:
    batches = [pa.array(pool[i : i + batch_size]) for i in range(0, len(pool), batch_size)]
    near = near_duplicates(batches, evaluation, threshold=threshold, n_threads=n_threads)
    expected = {i: found for i, text in enumerate(pool) if (found := brute_force(text, evaluation, threshold))}
    found = zip(near.positions, near.matches, near.similarities, strict=True)
    assert {int(p): (int(m), float(s)) for p, m, s in found} == expected
    assert near.n_rows == len(pool)
    for position, match, equal in zip(near.positions, near.matches, near.equal, strict=True):
        assert equal == (normalise(pool[position]) == normalise(evaluation[match]))


@settings(max_examples=200, deadline=None)
@given(st.lists(texts, max_size=12), st.lists(texts, max_size=4))
def test_screening_keeps_the_first_of_each_clean_text_and_counts_its_copies(
    pool: list[str], evaluation: list[str]
) -> None:
    normalised = [normalise(text) for text in pool]
    batches = [pa.array(pool, type=pa.string())]
    assert exact_duplicates(batches).tolist() == [normalised.index(text) for text in normalised]
    screening = screen_pool(batches, evaluation, threshold=0.8)
    clean = [
        i
        for i, text in enumerate(pool)
        if not brute_force(text, evaluation, 0.8) and normalised.index(normalise(text)) == i
    ]
    assert screening.selection.positions.tolist() == clean
    assert screening.n_copies[clean].tolist() == [normalised.count(normalised[i]) for i in clean]
    assert screening.n_copies.sum() == sum(normalised.count(normalised[i]) for i in clean)
