"""The compiled normalisation and n-grams say exactly what corpus.text says, on any text."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.corpus.normalising import buffers_of, normalise_all
from seedcorn.corpus.text import normalise, words
from seedcorn.relevance.ngrams import NgramFeatures, ngram_matrix, ngram_rows, ngram_spans, ngram_sums
from seedcorn.relevance.packed_weights import packed

# Characters of every class, so that rules meet each other far more often than in random Unicode.
TRICKY = (
    "aZ9 '-\u2019.,+#ß\u0301\u093c\u200b\u200d東ひカー・กเาแ\u0e48ក\u17d2ខာမ\u1039ກໂहि्नड़\u1112\u1161\U0001f600\tİ\ufeff"
)
texts = st.one_of(st.text(max_size=40), st.text(alphabet=TRICKY, max_size=30))


@settings(max_examples=400, deadline=None)
@given(st.lists(texts, max_size=8))
def test_compiled_folding_equals_fold(rows: list[str]) -> None:
    assert normalise_all(rows) == [normalise(row) for row in rows]


@settings(max_examples=100, deadline=None)
@given(st.lists(texts, max_size=6), st.integers(1, 4))
def test_a_row_has_one_bucket_for_each_ngram_and_equal_ngrams_share_it(rows: list[str], order: int) -> None:
    features = NgramFeatures(order=order, n_bits=24)
    indptr, buckets = ngram_rows(rows, features=features)
    bucket_of: dict[str, int] = {}
    for i, row in enumerate(rows):
        split = words(row)
        ngrams = [" ".join(split[first:end]) for first, end in ngram_spans(len(split), order=order)]
        own = buckets[indptr[i] : indptr[i + 1]]
        assert len(ngrams) == len(own)
        for ngram, bucket in zip(ngrams, own, strict=True):
            assert bucket_of.setdefault(ngram, int(bucket)) == bucket


@settings(max_examples=100, deadline=None)
@given(st.lists(texts, min_size=1, max_size=6), st.integers(0, 3), st.sampled_from([4, 5, 10]), st.floats(0, 1))
def test_sums_equal_the_matrix_product_and_slices_change_nothing(
    rows: list[str], skipped: int, n_bits: int, share_of_zeros: float
) -> None:
    features, rng = NgramFeatures(n_bits=n_bits), np.random.default_rng(1)
    weights = rng.normal(size=features.n_buckets).astype(np.float32)
    weights[rng.random(features.n_buckets) < share_of_zeros] = 0
    array = pa.array(rows, type=pa.string())[skipped:]
    sums = ngram_sums(array, packed(weights), features=features)
    matrix = ngram_matrix(array, features=features)
    np.testing.assert_allclose(sums.sums, matrix @ weights.astype(np.float64), atol=1e-4)
    np.testing.assert_array_equal(sums.n_words, [len(words(row)) for row in rows[skipped:]])
    np.testing.assert_array_equal(sums.n_ngrams, np.asarray(matrix.sum(axis=1)).ravel())


def test_an_offset_buffer_may_have_any_bytes_behind_what_it_needs() -> None:
    texts = pa.array(["wake me", "up"])
    _, offsets, utf8 = texts.buffers()
    longer = pa.py_buffer(offsets.to_pybytes()[: 3 * 4] + b"x")
    same = pa.Array.from_buffers(pa.string(), 2, [None, longer, utf8])
    assert buffers_of(same).offsets.tolist() == [0, 7, 9]
