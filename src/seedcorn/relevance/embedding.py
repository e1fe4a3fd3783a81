"""Sentence embeddings.

The built-in encoder needs no download: a sentence is the weighted sum of its words, pairs of neighbouring words and
character n-grams (hashed into buckets), reduced by a randomised SVD (Halko, Martinsson, Tropp 2011) that is fitted on
the text at hand. Weights are those of SIF (Arora, Liang, Ma 2017), a / (a + p(feature)), and the first singular
direction, which all sentences share, is left out as there. The reduction is linear, so that after fitting an encoder is
one table of bucket vectors: encoding adds rows of it.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import linalg, sparse

from seedcorn.corpus.normalising import Texts, character_tables, text_buffers
from seedcorn.errors import DataError, require
from seedcorn.relevance.sentence_features import count_features, sum_features
from seedcorn.relevance.sentence_vectors import Embeddings

if TYPE_CHECKING:
    from seedcorn.relevance.named_encoder import TransformerEncoder


SIF_A = 1e-3
N_BUCKETS = 1 << 17
N_FITTED_TEXTS = 40_000
_SVD_OVERSAMPLING = 10
_SVD_POWER_ROUNDS = 2


@dataclass(frozen=True)
class HashedEncoder:
    """The built-in encoder: ``bucket_vectors`` (n_buckets, d) holds one weighted, reduced vector a feature bucket."""

    bucket_vectors: Embeddings

    def encode(self, texts: Texts) -> Embeddings:
        """Return float32 rows of length one, shape (n, d); a text without words is a row of zeros."""
        return sum_features(text_buffers(texts), character_tables(), self.bucket_vectors)


def fit_encoder(
    texts: Texts | Iterable[Texts],
    *,
    n_dimensions: int = 128,
    random_seed: int = 0,
    n_buckets: int = N_BUCKETS,
    n_fitted_texts: int = N_FITTED_TEXTS,
) -> HashedEncoder:
    """Return an encoder fitted on ``n_fitted_texts`` of ``texts``, drawn evenly at random.

    With fewer texts or features than ``n_dimensions`` the encoder has fewer dimensions. Costs one sparse SVD: some ten
    seconds at the defaults. Raises DataError when there is no word in ``texts``.
    """
    rng = np.random.default_rng(random_seed)
    joined = _joined(texts)
    drawn = _drawn(len(joined), n_fitted_texts, rng)
    return _fitted(joined if drawn is None else joined.take(pa.array(drawn)), n_dimensions, n_buckets, rng)


def fit_encoder_to_stream(
    open_texts: Callable[[], Iterator[pa.StringArray]],
    *,
    n_dimensions: int = 128,
    random_seed: int = 0,
    n_buckets: int = N_BUCKETS,
    n_fitted_texts: int = N_FITTED_TEXTS,
) -> HashedEncoder:
    """Return what ``fit_encoder`` does of all texts of ``open_texts``: two passes, memory of the sample."""
    rng = np.random.default_rng(random_seed)
    drawn = _drawn(sum(len(batch) for batch in open_texts()), n_fitted_texts, rng)
    sample, first = list[pa.StringArray](), 0
    for batch in open_texts():
        if drawn is not None:
            begin, end = np.searchsorted(drawn, [first, first + len(batch)])
            first += len(batch)
            batch = batch.take(pa.array(drawn[begin:end] - (first - len(batch))))
        sample.append(batch)
    return _fitted(pa.chunked_array(sample, pa.string()), n_dimensions, n_buckets, rng)


def _fitted(sample: pa.ChunkedArray, n_dimensions: int, n_buckets: int, rng: np.random.Generator) -> HashedEncoder:
    features = _feature_matrix(sample, n_buckets)
    if features.nnz == 0:
        raise DataError(wanted="text to fit the sentence encoder on", found="no word in it")
    weights = _sif_weights(features)
    directions = right_singular_vectors(features @ sparse.diags_array(weights), n_dimensions + 1, rng)
    # With a single direction there is nothing beside the one that all sentences share.
    own = directions[:, 1:] if directions.shape[1] > 1 else directions
    return HashedEncoder(np.ascontiguousarray(own * weights[:, None], dtype=np.float32))


def named_encoder(name: str, *, batch_size: int = 64, precision: str = "auto") -> "TransformerEncoder":
    """Return the sentence encoder called ``name`` or saved at that path, through transformers.

    Any encoder checkpoint will do, those of sentence-transformers included: the sentence is the mean of its token
    vectors. ``precision`` is an EncoderPrecision. Raises MissingExtraError without transformers, DataError when there
    is no such checkpoint.
    """
    require("transformers", extra="neural")
    require("ctranslate2", extra="neural")
    from seedcorn.relevance.hidden_states import EncoderPrecision
    from seedcorn.relevance.named_encoder import TransformerEncoder

    return TransformerEncoder.load(name, batch_size=batch_size, precision=EncoderPrecision(precision))


def _joined(texts: Texts | Iterable[Texts]) -> pa.ChunkedArray:
    if isinstance(texts, pa.Array | pa.ChunkedArray):
        return pa.chunked_array([texts]) if isinstance(texts, pa.Array) else texts
    items = list(texts)
    if not items or isinstance(items[0], str):
        return pa.chunked_array([pa.array(items, pa.string())])
    chunks = [item if isinstance(item, pa.Array | pa.ChunkedArray) else pa.array(item, pa.string()) for item in items]
    return pa.chunked_array([piece for c in chunks for piece in (c.chunks if isinstance(c, pa.ChunkedArray) else [c])])


def _drawn(n_texts: int, n_drawn: int, rng: np.random.Generator) -> NDArray[np.int64] | None:
    """Return which of ``n_texts`` are drawn, in order; None for all."""
    return None if n_texts <= n_drawn else np.sort(rng.choice(n_texts, n_drawn, replace=False))


def _feature_matrix(texts: pa.ChunkedArray, n_buckets: int) -> sparse.csr_array:
    """Return the counts of the features of ``texts`` as CSR float32 of shape (n, n_buckets)."""
    row_starts, buckets, counts = count_features(text_buffers(texts), character_tables(), n_buckets=n_buckets)
    matrix = sparse.csr_array((counts, buckets, row_starts), shape=(len(texts), n_buckets))
    matrix.sum_duplicates()
    return matrix


def _sif_weights(features: sparse.csr_array) -> NDArray[np.float32]:
    """Return a / (a + p) for every bucket, p being its share of all the features."""
    counts = np.asarray(features.sum(axis=0), dtype=np.float64)
    return (SIF_A / (SIF_A + counts / counts.sum())).astype(np.float32)


def _lower(columns: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the permuted L of LU: columns that span what ``columns`` do, far from parallel."""
    lower, _ = linalg.lu(columns, permute_l=True, overwrite_a=True, check_finite=False)
    return np.asarray(lower, dtype=np.float32)


def right_singular_vectors(matrix: sparse.csr_array, n_vectors: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the first right singular vectors as columns, strongest first (Halko et al. 2011, algorithm 4.4).

    Between the rounds L of LU spans the same as Q of QR, in a quarter of the operations (Li et al. 2017, section 4.3).
    """
    used = np.unique(matrix.indices)  # little text uses few buckets, and the others have no part in any vector
    matrix, n_buckets = matrix[:, used], matrix.shape[1]
    n_rows, n_columns = matrix.shape
    width = min(n_vectors + _SVD_OVERSAMPLING, n_rows, n_columns)
    transposed = matrix.T.tocsr()
    found = matrix @ rng.standard_normal((n_columns, width), dtype=np.float32)
    for _ in range(_SVD_POWER_ROUNDS):
        found = matrix @ _lower(transposed @ _lower(found))
    basis = np.linalg.qr(found)[0]
    vectors, singular_values, _ = np.linalg.svd(transposed @ basis, full_matrices=False)
    real = singular_values > singular_values[0] * 1e-6
    kept = vectors[:, real][:, :n_vectors]
    of_buckets = np.zeros((n_buckets, kept.shape[1]), kept.dtype)
    of_buckets[used] = kept
    return of_buckets
