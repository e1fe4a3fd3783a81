"""A pretrained sentence encoder beside the n-grams: fifty utterances cannot say what else means the same, it can."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from seedcorn.relevance.embedding import SentenceEncoder, named_encoder

MOST_REMEMBERED = 100_000
N_DIRECTIONS = 64  # as good as all of a few hundred, and several times faster to train with


@dataclass(frozen=True, eq=False)
class RememberingEncoder:
    """The encoder called ``name``, which encodes a text once however many models are trained on it."""

    name: str
    encoder: SentenceEncoder
    remembered: dict[str, NDArray[np.float32]] = field(default_factory=dict, repr=False)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return rows of length one, (n, d)."""
        unknown = sorted({text for text in texts if text not in self.remembered})
        if len(self.remembered) + len(unknown) > MOST_REMEMBERED:
            self.remembered.clear()
            unknown = sorted(set(texts))
        if unknown:
            self.remembered.update(zip(unknown, self.encoder.encode(unknown), strict=True))
        return np.stack([self.remembered[text] for text in texts])


@dataclass(frozen=True, eq=False)
class SentenceView:
    """Sentences as an intent model sees them: an encoder's vectors along the directions in which they differ most.

    ``mean`` (d,) and ``directions`` (d, k) are those of the labelled text.
    """

    encoder: RememberingEncoder
    mean: NDArray[np.float32]
    directions: NDArray[np.float32]

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row a text, (n, k)."""
        return np.asarray((self.encoder.encode(texts) - self.mean) @ self.directions, dtype=np.float32)


def fit_view(encoder: RememberingEncoder, texts: Sequence[str], *, n_directions: int = N_DIRECTIONS) -> SentenceView:
    """Return the view along the first principal directions of ``texts``, all of them when they are fewer."""
    vectors = encoder.encode(texts).astype(np.float64)
    centred = vectors - vectors.mean(axis=0)
    _, directions = np.linalg.eigh(centred.T @ centred)  # the strongest last
    kept = directions[:, ::-1][:, :n_directions]
    return SentenceView(encoder, vectors.mean(axis=0).astype(np.float32), kept.astype(np.float32))


@functools.lru_cache(maxsize=1)  # whoever asks again in this process profits from what was encoded
def load_sentence_encoder(name: str) -> RememberingEncoder:
    """Return the sentence encoder called ``name``, of transformers or saved in that folder.

    It encodes texts one by one: in a batch the last digits of a vector would depend on the other texts. Raises
    MissingExtraError without transformers, DataError when there is no such encoder.
    """
    return RememberingEncoder(name, named_encoder(name, batch_size=1))
