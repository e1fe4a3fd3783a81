"""Sentences as vectors, whatever encodes them."""

from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from seedcorn.corpus.normalising import Texts

Embeddings: TypeAlias = NDArray[np.float32]


class SentenceEncoder(Protocol):
    """Anything that turns sentences into vectors."""

    def encode(self, texts: Texts) -> Embeddings:
        """Return float32 rows of length one, shape (n, d); a text without any known feature is a row of zeros."""
