"""Which slot of an utterance looks wrong: each span judged for itself by the token probabilities of a held-out model.

The score is the log odds of the best other type against the annotated one over the tokens of the span: confident
learning's comparison of the given label with a more probable one (Northcutt, Jiang, Chuang 2021), span by span. Whole
label sequences do not tell a wrong type from values that the model has never seen: those it takes for outside any slot,
which therefore counts little against an annotated type.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from seedcorn.corpus.utterances import Slot
from seedcorn.nlu.tokens import OUTSIDE, Token, labels_of, slot_at, spans_of, tokens_of
from seedcorn.selection import FloatArray

_LEAST = 1e-3  # probabilities below are all alike
_OUTSIDE_COUNTS = float(np.exp(-4.0))  # an unseen value is taken for outside; chosen on development intents


class SpanDoubt(NamedTuple):
    """The most doubtful span of an utterance: its score, as it is annotated and as the model would (None: no slot)."""

    score: float
    given: Slot | None = None
    found: Slot | None = None


NO_DOUBT = SpanDoubt(0.0)


def span_doubt(text: str, slots: Sequence[Slot], labels: Sequence[str], posteriors: FloatArray) -> SpanDoubt:
    """Return the span of most doubt, the first of equals; ``posteriors`` are P(label | text), (tokens, labels).

    Looked at are the annotated spans, and those that the model finds where nothing is annotated.
    """
    tokens = tokens_of(text)
    if not tokens or not len(labels):
        return NO_DOUBT
    types = [OUTSIDE, *sorted({slot.type for slot in slots} | {label[2:] for label in labels} - {""})]
    probabilities = np.zeros((len(tokens), len(types)))
    for column, label in enumerate(labels):
        probabilities[:, types.index(label[2:] or OUTSIDE)] += posteriors[:, column]
    annotated = labels_of(tokens, slots)
    spans = [*spans_of(annotated), *_found_outside(annotated, probabilities, types)]
    doubts = [_doubt(tokens, span, probabilities, types, is_given=annotated[span[0]] != OUTSIDE) for span in spans]
    return max(doubts, key=lambda doubt: doubt.score, default=NO_DOUBT)


def _found_outside(
    annotated: Sequence[str], probabilities: FloatArray, types: Sequence[str]
) -> list[tuple[int, int, str]]:
    """Return the runs of tokens without annotation whose most probable type is one and the same."""
    best = [types[k] for k in probabilities.argmax(axis=1)]
    free = [t if a == OUTSIDE else OUTSIDE for t, a in zip(best, annotated, strict=True)]
    return spans_of([OUTSIDE if t == OUTSIDE else f"I-{t}" for t in free])


def _doubt(
    tokens: Sequence[Token],
    span: tuple[int, int, str],
    probabilities: FloatArray,
    types: Sequence[str],
    *,
    is_given: bool,
) -> SpanDoubt:
    first, end, type_ = span
    mean = probabilities[first:end].mean(axis=0)
    given = types.index(type_) if is_given else 0
    others = mean.copy()
    others[0] *= _OUTSIDE_COUNTS
    others[given] = 0.0
    best = int(others.argmax())
    score = float(np.log(others[best] + _LEAST) - np.log(mean[given] + _LEAST))
    return SpanDoubt(
        score=score,
        given=slot_at(tokens, span) if is_given else None,
        found=slot_at(tokens, (first, end, types[best])) if best else None,
    )
