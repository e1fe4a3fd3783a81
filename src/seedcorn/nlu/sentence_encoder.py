"""A pretrained encoder beside the n-grams: fifty utterances cannot say what else means the same, it can.

The intent model sees sentences as it does (``SentenceView``), the slot model tokens in their sentence (``TokenView``).
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from seedcorn.nlu.tokens import tokens_of
from seedcorn.relevance.embedding import Embeddings, SentenceEncoder, named_encoder
from seedcorn.selection import FloatArray

MOST_REMEMBERED = 100_000
MOST_REMEMBERED_IN_TOKENS = 20_000
N_DIRECTIONS = 64  # as good as all of a few hundred, and several times faster to train with
TOKEN_SCALE = 4.0  # how long token vectors are beside features of 0 or 1, under the same L2 penalty


class SpanEncoder(SentenceEncoder, Protocol):
    """A sentence encoder that also turns spans of characters in a sentence into vectors."""

    def encode_spans(self, text: str, spans: Sequence[tuple[int, int]]) -> Embeddings:
        """Return float32 rows, one a span, shape (spans, d)."""


@dataclass(frozen=True, eq=False)
class RememberingEncoder:
    """The encoder called ``name``, which encodes a text once however many models are trained on it."""

    name: str
    encoder: SpanEncoder
    remembered: dict[str, NDArray[np.float32]] = field(default_factory=dict, repr=False)
    remembered_in_tokens: dict[str, NDArray[np.float32]] = field(default_factory=dict, repr=False)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return rows of length one, (n, d)."""
        unknown = sorted({text for text in texts if text not in self.remembered})
        if len(self.remembered) + len(unknown) > MOST_REMEMBERED:
            self.remembered.clear()
            unknown = sorted(set(texts))
        if unknown:
            self.remembered.update(zip(unknown, self.encoder.encode(unknown), strict=True))
        return np.stack([self.remembered[text] for text in texts])

    def encode_tokens(self, text: str) -> NDArray[np.float32]:
        """Return one row a token of ``nlu.tokens``, (tokens, d)."""
        if text not in self.remembered_in_tokens:
            if len(self.remembered_in_tokens) >= MOST_REMEMBERED_IN_TOKENS:
                self.remembered_in_tokens.clear()
            spans = [(token.start, token.end) for token in tokens_of(text)]
            self.remembered_in_tokens[text] = self.encoder.encode_spans(text, spans)
        return self.remembered_in_tokens[text]


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
    mean, directions, _ = _principal(encoder.encode(texts), n_directions)
    return SentenceView(encoder, mean, directions)


def _principal(
    rows: NDArray[np.float32], n_directions: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], FloatArray]:
    """Return the mean (d,) of ``rows`` (n, d), the directions (d, k) of most variance, and the variances (k,)."""
    vectors = rows.astype(np.float64)
    mean = vectors.mean(axis=0)
    centred = vectors - mean
    variances, directions = np.linalg.eigh(centred.T @ centred)  # the strongest last
    kept = directions[:, ::-1][:, :n_directions].astype(np.float32)
    return mean.astype(np.float32), kept, variances[::-1][:n_directions] / len(vectors)


@dataclass(frozen=True, eq=False)
class TokenView:
    """Tokens in their sentences as a slot model sees them; ``mean`` (d,) and ``directions`` (d, k) as in SentenceView.

    The directions are scaled so that the squared lengths of the labelled text's tokens have the mean TOKEN_SCALE ** 2.
    """

    encoder: RememberingEncoder
    mean: NDArray[np.float32]
    directions: NDArray[np.float32]

    def vectors(self, text: str) -> NDArray[np.float32]:
        """Return one row a token, (tokens, k)."""
        return np.asarray((self.encoder.encode_tokens(text) - self.mean) @ self.directions, dtype=np.float32)


def fit_token_view(encoder: RememberingEncoder, texts: Sequence[str], *, n_directions: int = N_DIRECTIONS) -> TokenView:
    """Return the view along the first principal directions of the tokens of ``texts``, all of them when fewer."""
    mean, directions, variances = _principal(
        np.concatenate([encoder.encode_tokens(text) for text in texts]), n_directions
    )
    spread = np.sqrt(variances.sum())
    scale = TOKEN_SCALE / spread if spread > 0 else 1.0
    return TokenView(encoder, mean, (scale * directions).astype(np.float32))


@functools.lru_cache(maxsize=1)  # whoever asks again in this process profits from what was encoded
def load_sentence_encoder(name: str) -> RememberingEncoder:
    """Return the encoder called ``name``, of transformers or saved in that folder.

    It encodes texts one by one: in a batch the last digits of a vector would depend on the other texts. Raises
    MissingExtraError without transformers, DataError when there is no such encoder.
    """
    return RememberingEncoder(name, named_encoder(name, batch_size=1))
