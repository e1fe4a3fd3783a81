"""Sentence embeddings and the distance to the centroid of in-domain text (Wang, Finch, Utiyama, Sumita 2017).

The built-in encoder needs no download: a sentence is the weighted sum of its words, pairs of neighbouring words and
character n-grams (hashed into buckets), reduced by a randomised SVD (Halko, Martinsson, Tropp 2011) that is fitted on
the text at hand. Weights are those of SIF (Arora, Liang, Ma 2017), a / (a + p(feature)), and the first singular
direction, which all sentences share, is left out as there. The reduction is linear, so that after fitting an encoder is
one table of bucket vectors: encoding adds rows of it.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse

from seedcorn.corpus.normalising import Texts, character_tables, text_buffers
from seedcorn.corpus.parallel import Mapper, map_in_order
from seedcorn.errors import DataError, require
from seedcorn.relevance.sentence_features import count_features, sum_features
from seedcorn.relevance.sentence_vectors import Embeddings, SentenceEncoder
from seedcorn.selection import Direction, Scores

if TYPE_CHECKING:
    from seedcorn.relevance.named_encoder import TransformerEncoder


SIF_A = 1e-3
N_BUCKETS = 1 << 17
N_FITTED_TEXTS = 40_000
TEXTS_PER_BATCH = 8_192
_UNIT = 2.0**30  # vectors of length one, in whole numbers of which billions add up exactly
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


def encode_batches(batches: Iterable[Texts], encoder: SentenceEncoder) -> Iterator[Embeddings]:
    """Yield the embeddings of ``batches`` in pieces of at most TEXTS_PER_BATCH rows: flat memory, order kept."""
    for batch in batches:
        for start in range(0, len(batch), TEXTS_PER_BATCH):
            yield encoder.encode(batch[start : start + TEXTS_PER_BATCH])


def centroid(batches: Iterable[Texts], encoder: SentenceEncoder, *, mapper: Mapper = map_in_order) -> Embeddings:
    """Return the mean embedding of all texts that have one, shape (d,); the same however they are batched.

    One pass, which ``mapper`` carries out. Raises DataError when none has an embedding.
    """
    total, n_encoded = np.zeros(1, np.int64), 0
    for part in mapper(partial(_summed, encoder=encoder), batches):
        if part.n_encoded:  # an empty batch has no dimensions
            total, n_encoded = total + part.total, n_encoded + part.n_encoded
    if n_encoded == 0:
        raise DataError(wanted="in-domain text to take the centroid of", found="none with a known word")
    return (total / (_UNIT * n_encoded)).astype(np.float32)


class _Sum(NamedTuple):
    total: NDArray[np.int64]
    n_encoded: int


def _summed(texts: Texts, *, encoder: SentenceEncoder) -> _Sum:
    """Return the sum of the embeddings in units of 2^-30, exact whatever the order, and how many there are."""
    total, n_encoded = np.zeros(0, np.int64), 0
    for embeddings in encode_batches([texts], encoder):
        part = np.rint(embeddings.astype(np.float64) * _UNIT).astype(np.int64).sum(axis=0)
        total = part if not len(total) else total + part
        n_encoded += int(embeddings.any(axis=1).sum())
    return _Sum(total, n_encoded)


def centroid_scores(
    batches: Iterable[Texts],
    encoder: SentenceEncoder,
    *,
    in_domain: Embeddings,
    general: Embeddings | None = None,
    mapper: Mapper = map_in_order,
) -> Scores:
    """Return how far each text is from the ``in_domain`` centroid: its Euclidean distance, lower is better.

    With the centroid of ``general`` text also given: in-domain minus general distance. Texts without a known word are
    missing. One pass, which ``mapper`` carries out; memory flat in the number of texts but for the scores themselves.
    """
    measure = partial(_measured, encoder=encoder, in_domain=in_domain, general=general)
    parts = list(mapper(measure, batches))
    unscored = np.concatenate([np.zeros(0, np.bool_), *(part.unscored for part in parts)])
    values = np.concatenate([np.zeros(0), *(part.distances.astype(np.float64) for part in parts)])
    values[unscored] = 0.0
    return Scores(
        values=values,
        name="centroid distance" if general is None else "in-domain minus general centroid distance",
        direction=Direction.LOWER_IS_BETTER,
        unit="Euclidean distance of unit vectors",
        missing=unscored,
    )


class _Measured(NamedTuple):
    distances: NDArray[np.float32]
    unscored: NDArray[np.bool_]


def _measured(
    texts: Texts, *, encoder: SentenceEncoder, in_domain: Embeddings, general: Embeddings | None
) -> _Measured:
    distances, unscored = [np.zeros(0, np.float32)], [np.zeros(0, np.bool_)]
    for embeddings in encode_batches([texts], encoder):
        distance = _distances(embeddings, in_domain)
        distances.append(distance if general is None else distance - _distances(embeddings, general))
        unscored.append(np.linalg.norm(embeddings, axis=1) == 0)
    return _Measured(np.concatenate(distances), np.concatenate(unscored))


def _distances(embeddings: Embeddings, centre: Embeddings) -> NDArray[np.float32]:
    if embeddings.shape[1] != len(centre):
        raise DataError(wanted=f"a centroid of {embeddings.shape[1]} dimensions", found=f"one of {len(centre)}")
    return np.linalg.norm(embeddings - centre, axis=1).astype(np.float32)


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


def right_singular_vectors(matrix: sparse.csr_array, n_vectors: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the first right singular vectors as columns, strongest first (Halko et al. 2011, algorithm 4.4)."""
    used = np.unique(matrix.indices)  # little text uses few buckets, and the others have no part in any vector
    matrix, n_buckets = matrix[:, used], matrix.shape[1]
    n_rows, n_columns = matrix.shape
    width = min(n_vectors + _SVD_OVERSAMPLING, n_rows, n_columns)
    transposed = matrix.T.tocsr()
    basis = np.linalg.qr(matrix @ rng.standard_normal((n_columns, width), dtype=np.float32))[0]
    for _ in range(_SVD_POWER_ROUNDS):
        across = np.linalg.qr(transposed @ basis)[0]
        basis = np.linalg.qr(matrix @ across)[0]
    vectors, singular_values, _ = np.linalg.svd(transposed @ basis, full_matrices=False)
    real = singular_values > singular_values[0] * 1e-6
    kept = vectors[:, real][:, :n_vectors]
    of_buckets = np.zeros((n_buckets, kept.shape[1]), kept.dtype)
    of_buckets[used] = kept
    return of_buckets
