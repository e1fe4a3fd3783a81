"""Intents by maximum entropy: multinomial logistic regression on hashed word 1-3-grams and character n-grams."""

import functools
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from seedcorn.corpus.text import words
from seedcorn.selection import FloatArray

N_HASHED_FEATURES = 1 << 18
LONGEST_WORD_NGRAM = 3
CHARACTER_NGRAM_LENGTHS = (3, 4, 5)


@dataclass(frozen=True, kw_only=True)
class MaxEnt:
    """A linear classifier: ``coefficients`` (intents, columns) over the hashed features ``columns``."""

    intents: tuple[str, ...]
    columns: NDArray[np.int64]
    coefficients: NDArray[np.float32]
    intercepts: FloatArray

    def probabilities(self, texts: Sequence[str]) -> FloatArray:
        """Return P(intent | text), shape (texts, intents)."""
        features = intent_features(texts)[:, self.columns]
        logits = np.asarray(features @ self.coefficients.T, dtype=np.float64) + self.intercepts
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True), dtype=np.float64)


def train_maxent(
    texts: Sequence[str],
    intents: Sequence[str],
    *,
    weights: Sequence[float] | None = None,
    inverse_regularisation: float = 20.0,
    max_iterations: int = 60,
) -> MaxEnt:
    """Return the classifier of maximum weighted likelihood with an L2 penalty (sklearn's C) on its coefficients.

    Only the features seen in ``texts`` get a coefficient. One intent alone gives a classifier that always answers it.
    """
    from sklearn.linear_model import LogisticRegression

    known = tuple(sorted(set(intents)))
    features = intent_features(texts)
    columns = np.unique(features.indices).astype(np.int64)
    if len(known) == 1:
        return MaxEnt(
            intents=known,
            columns=columns[:0],
            coefficients=np.zeros((1, 0), dtype=np.float32),
            intercepts=np.zeros(1),
        )
    model = LogisticRegression(C=inverse_regularisation, max_iter=max_iterations, tol=1e-3)
    with _quiet_about_iterations():
        model.fit(features[:, columns], np.asarray(intents), sample_weight=weights)
    coefficients, intercepts = model.coef_, model.intercept_
    if len(known) == 2:  # sklearn keeps the second class only
        coefficients, intercepts = np.vstack([0 * coefficients, coefficients]), np.append(0.0, intercepts)
    return MaxEnt(
        intents=known,
        columns=columns,
        coefficients=coefficients.astype(np.float32),
        intercepts=intercepts.astype(np.float64),
    )


@contextmanager
def _quiet_about_iterations() -> Iterator[None]:
    """Silence the warning that the optimiser stopped at ``max_iterations``: stopping early is wanted here."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def intent_features(texts: Sequence[str]) -> csr_matrix:
    """Return the hashed features of ``texts``, shape (texts, N_HASHED_FEATURES), binary, rows L2-normalised."""
    from sklearn.feature_extraction import FeatureHasher
    from sklearn.preprocessing import normalize

    hasher = FeatureHasher(N_HASHED_FEATURES, input_type="string", alternate_sign=False, dtype=np.float32)
    hashed = hasher.transform(_feature_names(text) for text in texts).tocsr()
    hashed.data[:] = 1.0
    return normalize(hashed, copy=False)


@functools.lru_cache(maxsize=1 << 16)
def _feature_names(text: str) -> tuple[str, ...]:
    tokens = words(text)
    # A text without words still has one feature, so that its row is not empty.
    return (f"n:{len(tokens) > 4}", *_word_ngrams(["<", *tokens, ">"]), *_character_ngrams(" ".join(tokens)))


def _word_ngrams(tokens: Sequence[str]) -> Iterator[str]:
    for n in range(1, LONGEST_WORD_NGRAM + 1):
        for i in range(len(tokens) - n + 1):
            yield "w:" + " ".join(tokens[i : i + n])


def _character_ngrams(text: str) -> Iterator[str]:
    padded = f" {text} "
    for n in CHARACTER_NGRAM_LENGTHS:
        for i in range(len(padded) - n + 1):
            yield "c:" + padded[i : i + n]
