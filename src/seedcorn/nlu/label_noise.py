"""Which annotated utterances look wrong: what a model trained without them says of their labels.

Every utterance is judged by a model of the other folds. An intent looks wrong by how much the model prefers another one
to it (the normalised margin of confident learning: Northcutt, Jiang, Chuang 2021); slots look wrong by how much more
probable the model holds its own labelling of the whole utterance than the given one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from seedcorn.corpus.predictions import Prediction
from seedcorn.corpus.utterances import Slot, Utterance
from seedcorn.nlu.calibration import cross_validated, fit_calibrator
from seedcorn.nlu.linear import LinearNlu
from seedcorn.nlu.model import NluModel, NluTrainer
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

    ``given_probability`` is that of the annotated intent, ``best_other`` that of the best other one; ``slots_odds`` the
    log of how much more probable the slots found are than those annotated (0 where they are the same).
    """

    prediction: Prediction
    given_probability: float
    best_other: float
    other_intent: str
    slots_odds: float


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
    odds = slots_odds(model, utterances, predictions)
    column_of = {intent: i for i, intent in enumerate(model.intents)}
    answers = []
    for utterance, row, prediction, its_odds in zip(utterances, probabilities, predictions, odds, strict=True):
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
                slots_odds=float(its_odds),
            )
        )
    return answers


def slots_odds(model: NluModel, utterances: Sequence[Utterance], predictions: Sequence[Prediction]) -> FloatArray:
    """Return the log of how much more probable the slots found are than those annotated, (n,), at least 0.

    A model that cannot say how probable given slots are counts all that was not found as improbable as it can be.
    """
    found = [np.log(max(p.all_slots_probability, 1e-300)) for p in predictions]
    if isinstance(model, LinearNlu):
        given = model.crf.log_probabilities([u.text for u in utterances], [u.slots for u in utterances])
        return np.maximum(np.asarray(found) - given, 0.0)
    differ = np.array([u.slots != p.slots for u, p in zip(utterances, predictions, strict=True)])
    return np.where(differ, np.exp(found), 0.0)


def _of_intents(utterances: Sequence[Utterance], answers: Sequence[HeldOutAnswer]) -> list[Suspicion]:
    margins = np.array([a.best_other - a.given_probability for a in answers])
    sure = np.array([a.prediction.intent_probability for a in answers])
    agree = np.array([a.prediction.intent == u.intent for u, a in zip(utterances, answers, strict=True)])
    probabilities = fit_calibrator(sure, agree)(sure)
    return [
        Suspicion(
            position=i,
            about=About.INTENT,
            score=float(margins[i]),
            probability=float(probabilities[i]),
            given=utterances[i].intent,
            found=answers[i].other_intent,
            why=f"trained without it, a model gives {answers[i].other_intent} {answers[i].best_other:.2f} and "
            f"{utterances[i].intent} {answers[i].given_probability:.2f}",
        )
        for i in np.argsort(-margins, kind="stable").tolist()
        if margins[i] > 0
    ]


def _of_slots(utterances: Sequence[Utterance], answers: Sequence[HeldOutAnswer]) -> list[Suspicion]:
    odds = np.array([a.slots_odds for a in answers])
    sure = np.array([a.prediction.all_slots_probability for a in answers])
    agree = np.array([a.prediction.slots == u.slots for u, a in zip(utterances, answers, strict=True)])
    probabilities = fit_calibrator(sure, agree)(sure)
    suspicions = []
    for i in np.argsort(-odds, kind="stable").tolist():
        if agree[i] or odds[i] <= 0:
            continue
        text, found = utterances[i].text, answers[i].prediction.slots
        suspicions.append(
            Suspicion(
                position=i,
                about=About.SLOTS,
                score=float(odds[i]),
                probability=float(probabilities[i]),
                given=in_words(text, utterances[i].slots),
                found=in_words(text, found),
                why=_why_slots(text, utterances[i].slots, found),
            )
        )
    return suspicions


def _why_slots(text: str, given: Sequence[Slot], found: Sequence[Slot]) -> str:
    """Return which slots were not found and which were found instead."""
    missing, new = (sorted(set(a) - set(b)) for a, b in ((given, found), (found, given)))
    parts = [f"expected {in_words(text, new)}"] if new else []
    if missing:
        parts.append(f"did not expect {in_words(text, missing)}")
    return "trained without it, a model " + " and ".join(parts)


def in_words(text: str, slots: Sequence[Slot]) -> str:
    """Return slots as ``type: value`` separated by semicolons, or ``none``."""
    return "; ".join(f"{slot.type}: {text[slot.start : slot.end]}" for slot in slots) or "none"
