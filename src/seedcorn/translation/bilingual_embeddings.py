"""Where a translator from scratch starts: subwords of both languages that occur in the same pairs lie near each other.

Cross-language latent semantic indexing (Dumais, Letsche, Littman, Landauer 1997): a pair is one document of the
subwords of both sides, and a singular value decomposition places what is used alike alike. With embeddings shared by
encoder, decoder and output, copying what attention finds is then nearly translating it, and attention is learnt
several times sooner than from random embeddings.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from seedcorn.relevance.embedding import right_singular_vectors
from seedcorn.translation.batching import TokenisedPairs

_RARE = 5.0  # occurrences that a subword is given on top, so that the rarest do not weigh most
_NOISE = 0.3  # share of the random start that stays, to tell subwords apart that occur in the same pairs only


def bilingual_embeddings(
    pairs: TokenisedPairs, random_start: NDArray[np.float32], *, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return embeddings of all subwords for a start from ``pairs``, in the shape of ``random_start`` (subwords, width).

    Rows have a length near one, in directions turned at random, so that no dimension is special. Subwords that are in
    no pair keep their random start.
    """
    n_subwords, width = random_start.shape
    documents = _documents(pairs, n_subwords)
    # The first direction, which all pairs share, says how frequent a subword is.
    placed = right_singular_vectors(documents, width + 1, rng)[:, 1:]
    lengths = np.linalg.norm(placed, axis=1, keepdims=True)
    found = lengths > 1e-8
    directions = np.divide(placed, lengths, out=np.zeros_like(placed), where=found)
    turn = np.linalg.qr(rng.standard_normal((width, width)))[0][: placed.shape[1]]
    start = directions @ turn + _NOISE * random_start
    return np.where(found, start, random_start).astype(np.float32)


def _documents(pairs: TokenisedPairs, n_subwords: int) -> sparse.csr_array:
    """Return which subwords each pair has, (pairs, subwords), both rows and frequent columns weighed down."""
    sides = (pairs.source, pairs.target)
    rows = np.concatenate([np.repeat(np.arange(len(pairs)), side.lengths) for side in sides])
    columns = np.concatenate([side.tokens for side in sides])
    shape = (len(pairs), n_subwords)
    found = sparse.csr_array((np.ones(len(rows), np.float32), (rows, columns)), shape=shape)
    found.sum_duplicates()
    found.data[:] = 1.0
    by_pair = 1 / np.sqrt(np.maximum(found.sum(axis=1), 1.0))
    by_subword = 1 / np.sqrt(found.sum(axis=0) + _RARE)
    return (sparse.diags_array(by_pair.astype(np.float32)) @ found @ sparse.diags_array(by_subword)).tocsr()
