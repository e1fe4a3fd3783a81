"""Which annotated utterances look wrong: what a model trained without them says of their labels.

Every utterance is judged by a model of the other folds. An intent looks wrong by how much the model prefers another one
to it (the normalised margin of confident learning: Northcutt, Jiang, Chuang 2021); slots look wrong by their most
doubtful span (see ``slot_noise``).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedcorn.corpus.predictions import Prediction
from seedcorn.corpus.utterances import Slot, Utterance
from seedcorn.nlu.calibration import fit_calibrator
from seedcorn.nlu.cross_validation import cross_validated
from seedcorn.nlu.linear import LinearNlu
from seedcorn.nlu.model import NluModel, NluTrainer
from seedcorn.nlu.slot_noise import NO_DOUBT, SpanDoubt, span_doubt
from seedcorn.nlu.tokens import OUTSIDE
from seedcorn.selection import FloatArray


class About(StrEnum):
    """Which label of an utterance looks wrong."""

    INTENT = "intent"
    SLOTS = "slots"


@dataclass(frozen=True, kw_only=True)
class Suspicion:
    """A label of the utterance at ``position`` that looks wrong, what a model would have said instead, and why.

    ``score`` ranks suspicions about the same kind of label; ``probability`` is the calibrated one that the model's
    answer agrees with a label where it is as sure as here.
    """

    position: int
    about: About
    score: float
    probability: float
    given: str
    found: str
    why: str


@dataclass(frozen=True, kw_only=True)
class HeldOutAnswer:
    """What a model says of an utterance that it was not trained on.

    ``given_probability`` is that of the annotated intent, ``best_other`` that of the best other one; ``doubt`` is about
    the most doubtful span.
    """

    prediction: Prediction
    given_probability: float
    best_other: float
    other_intent: str
    doubt: SpanDoubt


def audit_labels(
    train: NluTrainer, utterances: Sequence[Utterance], *, n_folds: int = 5, random_seed: int = 0
) -> list[Suspicion]:
    """Return what looks wrong, intents first, then slots, each most suspicious first, ties by position.

    Cost: ``n_folds`` trainings. Raises DataError for fewer than two utterances.
    """
    answers = cross_validated(train, utterances, held_out_answers, n_folds=n_folds, random_seed=random_seed)
    return [*_of_intents(utterances, answers), *_of_slots(utterances, answers)]


def held_out_answers(model: NluModel, utterances: Sequence[Utterance]) -> list[HeldOutAnswer]:
    """Return what ``model`` says of ``utterances`` and of their labels, in order."""
    texts = [u.text for u in utterances]
    probabilities, predictions = model.intent_probabilities(texts), model.predict(texts)
    doubts = span_doubts(model, utterances, predictions)
    column_of = {intent: i for i, intent in enumerate(model.intents)}
    answers = []
    for utterance, row, prediction, doubt in zip(utterances, probabilities, predictions, doubts, strict=True):
        given = column_of.get(utterance.intent)
        others = row.copy()
        if given is not None:
            others[given] = -1.0
        best = int(others.argmax())
        answers.append(
            HeldOutAnswer(
                prediction=prediction,
                given_probability=0.0 if given is None else float(row[given]),
                best_other=max(float(others[best]), 0.0),
                other_intent=model.intents[best],
                doubt=doubt,
            )
        )
    return answers


def span_doubts(model: NluModel, utterances: Sequence[Utterance], predictions: Sequence[Prediction]) -> list[SpanDoubt]:
    """Return the most doubtful span of each utterance.

    Of a model that does not say how probable each label is, it is the surest slot that was found and not annotated.
    """
    if isinstance(model, LinearNlu):
        labels = (OUTSIDE, *(label for label in model.crf.labels if label != OUTSIDE))
        posteriors = model.slot_views.posteriors([u.text for u in utterances], labels)
        rows = zip(utterances, posteriors, strict=True)
        return [span_doubt(u.text, u.slots, labels, its) if model.crf.labels else NO_DOUBT for u, its in rows]
    return [_by_prediction(u, p) for u, p in zip(utterances, predictions, strict=True)]


def _by_prediction(utterance: Utterance, prediction: Prediction) -> SpanDoubt:
    """Return the surest slot of ``prediction`` that is not annotated, and the annotated one in its place."""
    sure = zip(prediction.slot_probabilities, prediction.slots, strict=True)
    new = [(probability, slot) for probability, slot in sure if slot not in utterance.slots]
    if not new:
        return NO_DOUBT
    probability, found = max(new)
    given = next((s for s in utterance.slots if s.start < found.end and s.end > found.start), None)
    return SpanDoubt(probability, given, found)


def _of_intents(utterances: Sequence[Utterance], answers: Sequence[HeldOutAnswer]) -> list[Suspicion]:
    def said(i: int) -> _Said:
        given, other = utterances[i].intent, answers[i].other_intent
        probabilities = f"{other} {answers[i].best_other:.2f} and {given} {answers[i].given_probability:.2f}"
        return _Said(given, other, f"trained without it, a model gives {probabilities}")

    return _ranked(
        About.INTENT,
        scores=np.array([a.best_other - a.given_probability for a in answers]),
        sure=np.array([a.prediction.intent_probability for a in answers]),
        agree=np.array([a.prediction.intent == u.intent for u, a in zip(utterances, answers, strict=True)]),
        said=said,
    )


def _of_slots(utterances: Sequence[Utterance], answers: Sequence[HeldOutAnswer]) -> list[Suspicion]:
    def said(i: int) -> _Said:
        text, slots, doubt = utterances[i].text, utterances[i].slots, answers[i].doubt
        return _Said(in_words(text, slots), in_words(text, _mended(slots, doubt)), _why_slots(text, doubt))

    return _ranked(
        About.SLOTS,
        scores=np.array([a.doubt.score for a in answers]),
        sure=np.array([a.prediction.all_slots_probability for a in answers]),
        agree=np.array([a.prediction.slots == u.slots for u, a in zip(utterances, answers, strict=True)]),
        said=said,
    )


class _Said(NamedTuple):
    given: str
    found: str
    why: str


def _ranked(
    about: About, *, scores: FloatArray, sure: FloatArray, agree: NDArray[np.bool_], said: Callable[[int], _Said]
) -> list[Suspicion]:
    """Return the utterances whose score is above 0, highest first; ``said`` tells of one by its position."""
    probabilities = fit_calibrator(sure, agree)(sure)
    return [
        Suspicion(
            position=i,
            about=about,
            score=float(scores[i]),
            probability=float(probabilities[i]),
            **said(i)._asdict(),
        )
        for i in np.argsort(-scores, kind="stable").tolist()
        if scores[i] > 0
    ]


def _mended(slots: Sequence[Slot], doubt: SpanDoubt) -> list[Slot]:
    """Return ``slots`` with the doubtful one as the model would have it."""
    rest = [slot for slot in slots if slot != doubt.given]
    return sorted(rest if doubt.found is None else [*rest, doubt.found])


def _why_slots(text: str, doubt: SpanDoubt) -> str:
    """Return which slot was expected in place of which."""
    given, found = (in_words(text, [slot]) if slot else "no slot" for slot in (doubt.given, doubt.found))
    return f"trained without it, a model expects {found} rather than {given}"


def in_words(text: str, slots: Sequence[Slot]) -> str:
    """Return slots as ``type: value`` separated by semicolons, or ``none``."""
    return "; ".join(f"{slot.type}: {text[slot.start : slot.end]}" for slot in slots) or "none"
