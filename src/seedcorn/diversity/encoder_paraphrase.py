"""Any sentence encoder as a paraphrase model: its cosines, turned into probabilities by a fitted head."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from seedcorn.corpus.normalising import Texts
from seedcorn.diversity.nearest import Vectors
from seedcorn.diversity.paraphrase_pairs import ParaphrasePair
from seedcorn.errors import DataError
from seedcorn.selection import FloatArray


class Encoder(Protocol):
    """Anything that turns sentences into vectors, such as relevance.embedding.named_encoder."""

    def encode(self, texts: Texts) -> Vectors:
        """Return float32 rows of length one, shape (n, d)."""


@dataclass(frozen=True)
class EncoderParaphrases:
    """A sentence encoder and its head: the log odds of a paraphrase are scale * cosine + bias."""

    encoder: Encoder
    scale: float
    bias: float

    def encode(self, texts: Texts) -> Vectors:
        """Return the embeddings of ``texts``, float32 of length one, shape (n, d)."""
        return self.encoder.encode(texts)

    def probabilities(self, products: NDArray[np.floating]) -> FloatArray:
        """Return the probability that two utterances are paraphrases, for the cosines of their embeddings."""
        odds: FloatArray = self.scale * products.astype(np.float64) + self.bias
        return 1 / (1 + np.exp(-odds))


def fit_encoder_paraphrases(encoder: Encoder, pairs: Sequence[ParaphrasePair]) -> EncoderParaphrases:
    """Return ``encoder`` with a head fitted on ``pairs`` by logistic regression.

    Raises DataError unless there are both paraphrases and others.
    """
    from sklearn.linear_model import LogisticRegression

    are_paraphrases = np.array([pair.kind.is_paraphrase for pair in pairs])
    if not 0 < are_paraphrases.sum() < len(pairs):
        raise DataError(
            wanted="pairs that are paraphrases and pairs that are not", found=f"{are_paraphrases.sum()} of {len(pairs)}"
        )
    firsts, seconds = encoder.encode([p.first for p in pairs]), encoder.encode([p.second for p in pairs])
    cosines = np.einsum("nd,nd->n", firsts, seconds)
    head = LogisticRegression(C=1e4).fit(cosines[:, None], are_paraphrases)
    return EncoderParaphrases(encoder, float(head.coef_[0, 0]), float(head.intercept_[0]))
