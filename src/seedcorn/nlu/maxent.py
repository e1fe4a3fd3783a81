"""Intents by maximum entropy: logistic regression, an intent against the rest, on hashed word and character n-grams.

Beside the n-grams may stand sentence vectors: of words learnt from the pool, or of a pretrained encoder.
"""

import functools
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack

from seedcorn.corpus.text import words
from seedcorn.nlu.dual_logistic import fit_logistic_models
from seedcorn.nlu.sentence_encoder import CachedEncoder, SentenceView, fit_view
from seedcorn.nlu.word_knowledge import WordKnowledge, sentence_vectors
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
    examples = _Examples(rows, np.asarray(intents), counts)
    taken = [i for i in known if teacher is not None and i in teacher.intents and i not in excluded_intents]
    fitted = _fit_each([i for i in known if i not in taken], examples, excluded_intents, random_seed)
    if teacher is not None:
        fitted |= {intent: _taken_over(teacher, intent, columns) for intent in taken}
    return MaxEnt(
        intents=known,
        columns=columns,
        coefficients=np.stack([fitted[intent][0] for intent in known]).astype(np.float32),
        intercepts=np.array([fitted[intent][1] for intent in known], dtype=np.float64),
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


class _Examples(NamedTuple):
    """Training examples: features (rows, columns), the intent of each or "", and how much it counts."""

    features: csr_matrix
    intents: NDArray[np.str_]
    weights: FloatArray


def _fit_each(
    intents: Sequence[str], examples: _Examples, excluded_intents: Collection[str], random_seed: int
) -> dict[str, Classifier]:
    """Return the classifier of each of ``intents``; of rows without intent only ``excluded_intents`` learn."""
    fitted: dict[str, Classifier] = {}
    has_intent = examples.intents != ""
    for are_excluded in (False, True):
        chosen = [intent for intent in intents if (intent in excluded_intents) == are_excluded]
        rows = np.flatnonzero(has_intent | are_excluded)
        found = fit_logistic_models(
            examples.features[rows],
            examples.intents[rows, np.newaxis] == np.array(chosen, dtype=np.str_),
            examples.weights[rows],
            inverse_regularisation=_INVERSE_REGULARISATION,
            tolerance=_TOLERANCE,
            random_seed=random_seed,
        )
        fitted |= dict(zip(chosen, zip(found.coefficients, found.intercepts.tolist(), strict=True), strict=True))
    return fitted


def intent_features(texts: Sequence[str]) -> csr_matrix:
    """Return the hashed features of ``texts``, shape (texts, N_HASHED_FEATURES), binary, rows L2-normalised."""
    rows = [_columns(text) for text in texts]
    sizes = np.array([len(row) for row in rows], np.int64)
    values = np.repeat((1.0 / np.sqrt(sizes)).astype(np.float32), sizes)
    columns = np.concatenate([np.zeros(0, np.int32), *rows])
    return csr_matrix((values, columns, np.cumsum([0, *sizes])), shape=(len(texts), N_HASHED_FEATURES))


@functools.lru_cache(maxsize=1 << 16)
def _columns(text: str) -> NDArray[np.int32]:
    """Return the columns of the features of ``text``, ascending, hashed as by sklearn's FeatureHasher."""
    from sklearn.utils import murmurhash3_32

    tokens = words(text)
    # A text without words still has one feature, so that its row is not empty.
    names = (f"n:{len(tokens) > 4}", *_word_ngrams(["<", *tokens, ">"]), *_character_ngrams(" ".join(tokens)))
    return np.array(sorted({abs(murmurhash3_32(name)) % N_HASHED_FEATURES for name in names}), np.int32)


def _word_ngrams(tokens: Sequence[str]) -> Iterator[str]:
    for n in range(1, LONGEST_WORD_NGRAM + 1):
        for i in range(len(tokens) - n + 1):
            yield "w:" + " ".join(tokens[i : i + n])


def _character_ngrams(text: str) -> Iterator[str]:
    padded = f" {text} "
    for n in CHARACTER_NGRAM_LENGTHS:
        for i in range(len(padded) - n + 1):
            yield "c:" + padded[i : i + n]
