"""A pretrained encoder beside the n-grams: fifty utterances cannot say what else means the same, it can.

The intent model sees sentences as it does (``SentenceView``), the slot model tokens in their sentence (``TokenView``).
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from seedcorn.nlu.tokens import tokens_of
from seedcorn.relevance.embedding import named_encoder
from seedcorn.relevance.sentence_vectors import Embeddings, SentenceEncoder
from seedcorn.relevance.vector_cache import VectorCache
from seedcorn.selection import FloatArray
from seedcorn.user_cache import cache_folder

MOST_CACHED = 100_000
MOST_CACHED_IN_TOKENS = 20_000
MOST_CACHED_AT_ONCE = 50_000  # a pass over a whole pool is not for the disk
N_DIRECTIONS = 384  # of sentences: at equal false alarms all find more than the first 64 (calendar: .54 -> .48 missed)
N_TOKEN_DIRECTIONS = 64  # as good as all of a few hundred, and several times faster to train with
TOKEN_SCALE = 4.0  # how long token vectors are beside features of 0 or 1, under the same L2 penalty


class SpanEncoder(SentenceEncoder, Protocol):
    """A sentence encoder that also turns spans of characters in sentences into vectors."""

    def encode_spans_of(self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]) -> list[Embeddings]:
        """Return float32 rows for every text, one a span, shape (spans, d)."""


@dataclass(frozen=True, eq=False)
class CachedEncoder:
    """The encoder called ``name``, which encodes a text once however many models are trained on it.

    With a cache it is once for all runs of a machine; ``caches`` are those of sentences and of tokens.
    """

    name: str
    encoder: SpanEncoder
    caches: tuple[VectorCache, VectorCache] | None = None
    cached: dict[str, NDArray[np.float32]] = field(default_factory=dict, repr=False)
    cached_in_tokens: dict[str, NDArray[np.float32]] = field(default_factory=dict, repr=False)

    def __reduce__(self) -> tuple[Callable[[str], "CachedEncoder"], tuple[str]]:
        """Send the name alone to another process: it loads the encoder itself, once."""
        return load_sentence_encoder, (self.name,)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return rows of length one, (n, d)."""
        self._fill(self.cached, texts, MOST_CACHED, 0)
        return np.stack([self.cached[text] for text in texts])

    def encode_tokens(self, text: str) -> NDArray[np.float32]:
        """Return one row a token of ``nlu.tokens``, (tokens, d)."""
        self.cache_tokens([text])
        return self.cached_in_tokens[text]

    def cache_tokens(self, texts: Sequence[str]) -> None:
        """Encode the tokens of all ``texts`` at once, several times faster than one after the other.

        They are cached until those of more than MOST_CACHED_IN_TOKENS texts are.
        """
        self._fill(self.cached_in_tokens, texts, MOST_CACHED_IN_TOKENS, 1)

    def _fill(self, cached: dict[str, NDArray[np.float32]], texts: Sequence[str], most: int, kind: int) -> None:
        unknown = sorted({text for text in texts if text not in cached})
        if not unknown:
            return
        if len(cached) + len(unknown) > most:
            cached.clear()
            unknown = sorted(set(texts))
        cache = self.caches[kind] if self.caches and len(unknown) <= MOST_CACHED_AT_ONCE else None
        found = cache.find(unknown) if cache else {}
        new = [text for text in unknown if text not in found]
        computed = dict(zip(new, self._tokens_of(new) if kind else self.encoder.encode(new), strict=True))
        if cache and new:
            cache.keep(computed)
        cached.update(computed)
        cached.update(found if kind else {text: rows[0] for text, rows in found.items()})

    def _tokens_of(self, texts: Sequence[str]) -> list[Embeddings]:
        return self.encoder.encode_spans_of(texts, [[(t.start, t.end) for t in tokens_of(text)] for text in texts])


@dataclass(frozen=True, eq=False)
class SentenceView:
    """Sentences as an intent model sees them: an encoder's vectors along the directions in which they differ most.

    ``mean`` (d,) and ``directions`` (d, k) are those of the labelled text.
    """

    encoder: CachedEncoder
    mean: NDArray[np.float32]
    directions: NDArray[np.float32]

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one row a text, (n, k)."""
        return np.asarray((self.encoder.encode(texts) - self.mean) @ self.directions, dtype=np.float32)


def fit_view(encoder: CachedEncoder, texts: Sequence[str], *, n_directions: int = N_DIRECTIONS) -> SentenceView:
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

    encoder: CachedEncoder
    mean: NDArray[np.float32]
    directions: NDArray[np.float32]

    def vectors(self, text: str) -> NDArray[np.float32]:
        """Return one row a token, (tokens, k)."""
        return np.asarray((self.encoder.encode_tokens(text) - self.mean) @ self.directions, dtype=np.float32)


def fit_token_view(
    encoder: CachedEncoder, texts: Sequence[str], *, n_directions: int = N_TOKEN_DIRECTIONS
) -> TokenView:
    """Return the view along the first principal directions of the tokens of ``texts``, all of them when fewer."""
    encoder.cache_tokens(texts)
    mean, directions, variances = _principal(
        np.concatenate([encoder.encode_tokens(text) for text in texts]), n_directions
    )
    spread = np.sqrt(variances.sum())
    scale = TOKEN_SCALE / spread if spread > 0 else 1.0
    return TokenView(encoder, mean, (scale * directions).astype(np.float32))


@functools.lru_cache(maxsize=1)  # whoever asks again in this process profits from what was encoded
def load_sentence_encoder(name: str, precision: str = "auto") -> CachedEncoder:
    """Return the encoder called ``name``, of transformers or saved in that folder, and what is cached of it.

    ``precision`` is a relevance.hidden_states.EncoderPrecision. Raises MissingExtraError without transformers,
    DataError when there is no such encoder.
    """
    encoder = named_encoder(name, precision=precision)
    folder = cache_folder()
    if folder is None:
        return CachedEncoder(name, encoder)
    path, n_dimensions = folder / "vectors" / f"{encoder.digest[:32]}.sqlite", encoder.n_dimensions
    caches = VectorCache(path, "sentence", n_dimensions), VectorCache(path, "tokens", n_dimensions)
    return CachedEncoder(name, encoder, caches)
