"""The distance of texts to the centroid of in-domain text (Wang, Finch, Utiyama, Sumita 2017)."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seedcorn.corpus.normalising import Texts
from seedcorn.corpus.parallel import Mapper, map_in_order
from seedcorn.errors import DataError
from seedcorn.relevance.embedding import fit_encoder
from seedcorn.relevance.scorer import FittedMethod, ScorerOptions, ScorerTexts
from seedcorn.relevance.sentence_vectors import Embeddings, SentenceEncoder
from seedcorn.selection import Direction, Scores

TEXTS_PER_BATCH = 8_192
_UNIT = 2.0**30  # vectors of length one, in whole numbers of which billions add up exactly


def centroid_scorer(texts: ScorerTexts, options: ScorerOptions) -> FittedMethod:
    """Return the scorer by the seed's centroid minus that of the pool's sample, with an encoder fitted to both."""
    encoder = fit_encoder([*texts.seed, *texts.pool_sample.to_pylist()], random_seed=options.random_seed)
    in_domain, general = centroid([pa.array(texts.seed)], encoder), centroid([texts.pool_sample], encoder)

    def score(batch: pa.StringArray) -> Scores:
        return centroid_scores([batch], encoder, in_domain=in_domain, general=general)

    return FittedMethod(score=score)


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
