"""A streamed selection is the same as one over the whole pool in memory, whatever the batches and threads."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import seedcorn.relevance.streaming as streaming
from seedcorn.relevance import keeping
from seedcorn.relevance.ngrams import count_words
from seedcorn.relevance.streaming import Cut, keep_from_stream, sample_texts
from seedcorn.selection import Direction, Scores


def length_scores(texts: pa.StringArray, *, direction: Direction) -> Scores:
    """Score a text by its length (many ties); texts without words have no score."""
    missing = count_words(texts) == 0
    values = np.array([len(text) for text in texts.to_pylist()], np.float64)
    return Scores(values=np.where(missing, 0, values), name="length", direction=direction, missing=missing)


def words_parts(n: int) -> Cut:
    return lambda scores, texts: keeping.words_candidates(scores, count_words(texts), n_words_budget=2 * n)


CUTS: list[Callable[[int], Cut]] = [
    lambda n: lambda scores, texts: keeping.keep_best(scores, n_kept=n),
    lambda n: lambda scores, texts: keeping.keep_above(scores, threshold=n),
    lambda n: lambda scores, texts: keeping.keep_words(scores, count_words(texts), n_words_budget=2 * n),
    lambda n: (
        lambda scores, texts: keeping.keep_per_intent(
            scores, np.array([text[:1] for text in texts.to_pylist()], np.str_), quotas=n
        )
    ),
]
WORDS = 2
texts = st.lists(st.sampled_from(["a", "b", "a b", "bb", "c a d", "..", "b a a", "cc"]), min_size=1, max_size=30)


@settings(max_examples=400, deadline=None)
@given(
    texts,
    st.sampled_from(range(len(CUTS))),
    st.integers(0, 6),
    st.integers(1, 7),
    st.integers(1, 3),
    st.sampled_from(list(Direction)),
)
def test_streaming_equals_memory(
    pool: list[str],
    which: int,
    number: int,
    batch_size: int,
    n_threads: int,
    direction: Direction,
) -> None:
    cut, cut_parts = CUTS[which](number), words_parts(number) if which == WORDS else None
    score = partial(length_scores, direction=direction)
    table = pa.table({"text": pa.array(pool, pa.string()), "id": [str(i) for i in range(len(pool))]})
    scores = score(pa.array(pool))
    expected = cut(scores, pa.array(pool))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streaming, "_ROWS_BEFORE_COMPACTING", 3)
        kept = keep_from_stream(
            table.to_batches(max_chunksize=batch_size), score, cut, cut_parts=cut_parts, n_threads=n_threads
        )
    assert kept.positions.tolist() == expected.positions.tolist()
    assert kept.scores.values.tolist() == expected.gains.tolist()
    assert kept.rows.column("id").to_pylist() == [str(i) for i in expected.positions]
    assert kept.n_rows == len(pool)
    assert kept.n_unscored == int(scores.missing.sum() if scores.missing is not None else 0)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 40), st.integers(1, 7), st.integers(0, 20), st.integers(1, 50))
def test_a_sample_does_not_depend_on_the_batches(pool_size: int, batch_size: int, n_texts: int, n_rows: int) -> None:
    pool = pa.array([str(i) for i in range(pool_size)], pa.string())
    batches = [pool[i : i + batch_size] for i in range(0, pool_size, batch_size)]
    drawn, whole = (
        sample_texts(b, n_texts=n_texts, n_rows=n_rows, rng=np.random.default_rng(4)).to_pylist()
        for b in (batches, [pool])
    )
    assert drawn == whole
    assert len(set(drawn)) == min(n_texts, n_rows, pool_size)
    assert drawn == sorted(drawn, key=int)
    assert all(int(text) < n_rows for text in drawn)
