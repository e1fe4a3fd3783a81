"""Intents by maximum entropy: logistic regression, an intent against the rest, on hashed word and character n-grams.

Beside the n-grams may stand sentence vectors: of words learnt from the pool, or of a pretrained encoder.
"""

import functools
import warnings
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack

from seedcorn.corpus.text import words
from seedcorn.nlu.sentence_encoder import CachedEncoder, SentenceView, fit_view
from seedcorn.nlu.word_knowledge import WordKnowledge, sentence_vectors
from seedcorn.progress import track
from seedcorn.selection import FloatArray

N_HASHED_FEATURES = 1 << 18
LONGEST_WORD_NGRAM = 3
CHARACTER_NGRAM_LENGTHS = (3, 4, 5)
Classifier: TypeAlias = tuple[FloatArray, float]  # coefficients (columns,) and intercept
_INVERSE_REGULARISATION = 20.0  # sklearn's C
_TOLERANCE = 0.1  # tighter ones double the time for the same accuracy


@dataclass(frozen=True, kw_only=True)
class MaxEnt:
    """One linear model an intent: ``coefficients`` (intents, columns) over the hashed features ``columns``.

    With word ``knowledge`` or a sentence ``view``, the coefficients of the sentence vector follow those of the columns.
    """

    intents: tuple[str, ...]
    columns: NDArray[np.int64]
    coefficients: NDArray[np.float32]
    intercepts: FloatArray
    knowledge: WordKnowledge | None = None
    view: SentenceView | None = None

    def margins(self, texts: Sequence[str]) -> FloatArray:
        """Return the log odds of every intent against all others, shape (texts, intents)."""
        if not texts:
            return np.zeros((0, len(self.intents)))
        features = _with_sentence_vectors(
            intent_features(texts)[:, self.columns], texts, knowledge=self.knowledge, view=self.view
        )
        return np.asarray(features @ self.coefficients.T, dtype=np.float64) + self.intercepts

    def probabilities(self, texts: Sequence[str]) -> FloatArray:
        """Return P(intent | text), shape (texts, intents): each model's own probability over the sum of all."""
        return probabilities_of(self.margins(texts))


def probabilities_of(margins: FloatArray) -> FloatArray:
    """Return P(intent | text) of ``margins``, both (texts, intents)."""
    alone = 0.5 * (1.0 + np.tanh(0.5 * margins))  # the logistic function, without overflow
    return np.asarray(alone / alone.sum(axis=1, keepdims=True), dtype=np.float64)


def train_maxent(
    texts: Sequence[str],
    intents: Sequence[str],
    *,
    weights: Sequence[float] | None = None,
    excluded_intents: Collection[str] = (),
    knowledge: WordKnowledge | None = None,
    encoder: CachedEncoder | None = None,
    teacher: MaxEnt | None = None,
    random_seed: int = 0,
) -> MaxEnt:
    """Return one classifier an intent against all others, each of maximum weighted likelihood with an L2 penalty.

    A text whose intent is empty is known to have none of ``excluded_intents``: it counts against these and says nothing
    of the others. Only the features seen in ``texts`` get a coefficient, and the sentence vectors of the ``encoder``,
    or without one of ``knowledge``. One intent alone gives a model that always answers it. The dual solver takes
    examples in an order drawn from ``random_seed``.

    With a ``teacher`` only the classifiers of ``excluded_intents``, and of intents that it does not know, are trained;
    the others are taken over from it, which is many times faster and keeps what it guessed out of them.
    """
    known = tuple(sorted(set(intents) - {""}))
    features = intent_features(texts)
    columns = np.unique(features.indices).astype(np.int64)
    if len(known) == 1:
        return MaxEnt(
            intents=known,
            columns=columns[:0],
            coefficients=np.zeros((1, 0), dtype=np.float32),
            intercepts=np.zeros(1),
        )
    counts = np.ones(len(texts)) if weights is None else np.asarray(weights, dtype=np.float64)
    view = None
    if encoder is not None:
        view = teacher.view if teacher is not None and teacher.view is not None else fit_view(encoder, texts)
    rows = _with_sentence_vectors(features[:, columns], texts, knowledge=knowledge, view=view)
    everything = _Rows(rows, np.asarray(intents), counts)
    labelled = everything.labelled()

    def fit(intent: str) -> Classifier:
        if teacher is not None and intent in teacher.intents and intent not in excluded_intents:
            return _taken_over(teacher, intent, columns)
        trained_on = everything if intent in excluded_intents else labelled
        return _one_against_rest(trained_on, intent, random_seed)

    fitted = [fit(intent) for intent in track(known, "training intents")]
    return MaxEnt(
        intents=known,
        columns=columns,
        coefficients=np.stack([coefficients for coefficients, _ in fitted]).astype(np.float32),
        intercepts=np.array([intercept for _, intercept in fitted], dtype=np.float64),
        knowledge=knowledge,
        view=view,
    )


def _taken_over(teacher: MaxEnt, intent: str, columns: NDArray[np.int64]) -> Classifier:
    """Return the teacher's classifier of ``intent`` over ``columns``, which are all of the teacher's and new ones."""
    row, n_known = teacher.intents.index(intent), len(teacher.columns)
    coefficients = np.zeros(len(columns) + teacher.coefficients.shape[1] - n_known)
    coefficients[np.searchsorted(columns, teacher.columns)] = teacher.coefficients[row, :n_known]
    coefficients[len(columns) :] = teacher.coefficients[row, n_known:]
    return coefficients, float(teacher.intercepts[row])


def _with_sentence_vectors(
    features: csr_matrix, texts: Sequence[str], *, knowledge: WordKnowledge | None, view: SentenceView | None
) -> csr_matrix:
    if view is not None:
        return hstack([features, csr_matrix(view.vectors(texts))], format="csr")
    if knowledge is not None:
        return hstack([features, csr_matrix(sentence_vectors(texts, knowledge))], format="csr")
    return features


class _Rows(NamedTuple):
    """Training examples: features (rows, columns), the intent of each or "", and how much it counts."""

    features: csr_matrix
    intents: NDArray[np.str_]
    weights: FloatArray

    def labelled(self) -> "_Rows":
        has_intent = self.intents != ""
        return self if has_intent.all() else _Rows(*(part[has_intent] for part in self))


def _one_against_rest(rows: _Rows, intent: str, random_seed: int) -> Classifier:
    """Return coefficients (columns,) and intercept of the model of one intent."""
    from sklearn.linear_model import LogisticRegression

    regression = LogisticRegression(
        C=_INVERSE_REGULARISATION, solver="liblinear", dual=True, tol=_TOLERANCE, random_state=random_seed
    )
    with _quiet_about_iterations():
        regression.fit(rows.features, rows.intents == intent, sample_weight=rows.weights)
    return regression.coef_[0], float(regression.intercept_[0])


@contextmanager
def _quiet_about_iterations() -> Iterator[None]:
    """Silence the warning that the optimiser reached its last iteration: the result is good enough then."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def intent_features(texts: Sequence[str]) -> csr_matrix:
    """Return the hashed features of ``texts``, shape (texts, N_HASHED_FEATURES), binary, rows L2-normalised."""
    from sklearn.feature_extraction import FeatureHasher
    from sklearn.preprocessing import normalize

    if not texts:
        return csr_matrix((0, N_HASHED_FEATURES), dtype=np.float32)
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
