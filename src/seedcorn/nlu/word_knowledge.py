"""What unlabelled text tells of words, as features for the NLU models: sentence vectors and word clusters.

A seed of fifty utterances has few of the words that users will say. Words that stand in the same surroundings in the
pool have similar vectors and share clusters, so that what is learnt of one holds for the others (Miller, Guinness,
Zamanian 2004; Turian, Ratinov, Bengio 2010). A sentence is the weighted sum of its word vectors, common words counting
less (Arora, Liang, Ma 2017).
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedcorn.corpus.normalising import Texts, normalise_all
from seedcorn.corpus.word_vectors import WordVectors, fit_word_vectors, word_hash

SIF_A = 1e-3
CLUSTER_SIZES = (64, 512)
_TEXTS_AT_ONCE = 8_192


@dataclass(frozen=True, kw_only=True, eq=False)
class WordKnowledge:
    """Word vectors, and the clusters of each word at several sizes.

    ``clusters`` (n + 1, sizes) are cluster numbers in the order of the vectors, the last row -1 for unknown words;
    ``mean`` (d,) is the mean sentence vector, which is taken off every sentence.
    """

    vectors: WordVectors
    clusters: NDArray[np.int32]
    mean: NDArray[np.float32]


def learn_words(
    texts: Texts,
    *,
    n_dimensions: int = 100,
    cluster_sizes: Sequence[int] = CLUSTER_SIZES,
    random_seed: int = 0,
) -> WordKnowledge:
    """Return what ``texts`` tell of their words; some twenty seconds for 200,000 utterances.

    Raises DataError when hardly any word occurs often enough to have a vector.
    """
    vectors = fit_word_vectors(texts, n_dimensions=n_dimensions, random_seed=random_seed)
    clusters = [_clusters(vectors.vectors[:-1], size, random_seed) for size in cluster_sizes]
    knowledge = WordKnowledge(
        vectors=vectors,
        clusters=np.vstack([np.stack(clusters, axis=1), np.full((1, len(clusters)), -1)]).astype(np.int32),
        mean=np.zeros(vectors.vectors.shape[1], np.float32),
    )
    sample = [str(text) for text in texts[:20_000]]
    mean = sentence_vectors(sample, knowledge).mean(axis=0)
    return WordKnowledge(vectors=vectors, clusters=knowledge.clusters, mean=mean)


def _clusters(vectors: NDArray[np.float32], n_clusters: int, random_seed: int) -> NDArray[np.int32]:
    from sklearn.cluster import MiniBatchKMeans

    means = MiniBatchKMeans(min(n_clusters, len(vectors)), random_state=random_seed, n_init=1, batch_size=2048)
    labels: NDArray[np.int32] = means.fit_predict(vectors)
    return labels


def sentence_vectors(texts: Sequence[str], knowledge: WordKnowledge) -> NDArray[np.float32]:
    """Return one vector of length one a text, (n, d); zeros for a text without known words."""
    vectors = knowledge.vectors
    weights = SIF_A / (SIF_A + np.exp(vectors.log_frequencies))
    weighted = vectors.vectors * weights[:, np.newaxis].astype(np.float32)
    result = np.zeros((len(texts), vectors.vectors.shape[1]), np.float32)
    split = [normalised.split() for normalised in normalise_all(texts)]
    filled = [row for row, words in enumerate(split) if words]
    for start in range(0, len(filled), _TEXTS_AT_ONCE):
        rows = filled[start : start + _TEXTS_AT_ONCE]
        hashes = np.array([word_hash(word) for row in rows for word in split[row]], np.uint64)
        first_words = np.cumsum([0, *(len(split[row]) for row in rows[:-1])])
        result[rows] = np.add.reduceat(weighted[vectors.rows(hashes)], first_words, axis=0)
    return _unit(np.where(result.any(axis=1, keepdims=True), _unit(result) - knowledge.mean, 0.0))


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1.0), dtype=np.float32)


@functools.lru_cache(maxsize=1 << 16)
def cluster_names(word: str, knowledge: WordKnowledge) -> tuple[str, ...]:
    """Return the clusters of ``word`` as feature names, one a cluster size; none for an unknown word."""
    row = knowledge.clusters[knowledge.vectors.rows(np.array([word_hash(word)], np.uint64))[0]]
    return tuple(f"c{size}={cluster}" for size, cluster in enumerate(row) if cluster >= 0)


def knowledge_arrays(knowledge: WordKnowledge) -> dict[str, NDArray[np.generic]]:
    """Return ``knowledge`` as named arrays to be saved with a model; they hold hashes, no words."""
    return {
        "words/hashes": knowledge.vectors.hashes,
        "words/vectors": knowledge.vectors.vectors,
        "words/log_frequencies": knowledge.vectors.log_frequencies,
        "words/clusters": knowledge.clusters,
        "words/mean": knowledge.mean,
    }


def knowledge_of(arrays: Mapping[str, NDArray[np.generic]]) -> WordKnowledge | None:
    """Return what ``knowledge_arrays`` put among ``arrays``, or None when there is none."""
    if "words/hashes" not in arrays:
        return None
    vectors = WordVectors(
        arrays["words/hashes"].astype(np.uint64),
        arrays["words/vectors"].astype(np.float32),
        arrays["words/log_frequencies"].astype(np.float32),
    )
    return WordKnowledge(
        vectors=vectors,
        clusters=arrays["words/clusters"].astype(np.int32),
        mean=arrays["words/mean"].astype(np.float32),
    )
