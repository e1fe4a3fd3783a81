"""How good an NLU model is: intent accuracy and F1, slot F1, semantic error rate, false alarms on other intents.

Everything is counted an utterance, so that outcomes can be resampled by the paired bootstrap and compared pairwise.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedcorn.corpus.predictions import Prediction
from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import DataError
from seedcorn.selection import FloatArray

BoolArray = NDArray[np.bool_]
CountArray = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """What was wanted and what was found for n utterances; all arrays have shape (n,), rates are fractions.

    ``slots_right`` counts the slots found with the right start, end and type.
    """

    wanted_intents: NDArray[np.str_]
    found_intents: NDArray[np.str_]
    slots_wanted: CountArray
    slots_found: CountArray
    slots_right: CountArray

    def __len__(self) -> int:
        return len(self.wanted_intents)

    @property
    def intent_correct(self) -> BoolArray:
        """Whether the intent is right."""
        return np.asarray(self.wanted_intents == self.found_intents, dtype=np.bool_)

    @property
    def semantic_errors(self) -> BoolArray:
        """Whether the intent or any slot is wrong, missing or too much."""
        slots_correct = (self.slots_right == self.slots_wanted) & (self.slots_right == self.slots_found)
        return np.asarray(~(self.intent_correct & slots_correct), dtype=np.bool_)

    @property
    def intent_accuracy(self) -> float:
        """Fraction of utterances with the right intent."""
        return _mean(self.intent_correct)

    @property
    def semantic_error_rate(self) -> float:
        """Fraction of utterances with a semantic error."""
        return _mean(self.semantic_errors)

    @property
    def slot_f1(self) -> float:
        """Span F1 over all slots (micro); 1 when there is none to find and none is found."""
        return f1(
            int(self.slots_right.sum()), n_found=int(self.slots_found.sum()), n_wanted=int(self.slots_wanted.sum())
        )

    def rows(self, rows: BoolArray | CountArray) -> "Outcomes":
        """Return the outcomes of some utterances, by mask or positions."""
        return Outcomes(
            wanted_intents=self.wanted_intents[rows],
            found_intents=self.found_intents[rows],
            slots_wanted=self.slots_wanted[rows],
            slots_found=self.slots_found[rows],
            slots_right=self.slots_right[rows],
        )


@dataclass(frozen=True, kw_only=True)
class FunctionalityOutcomes:
    """The outcomes on the utterances of a functionality (``own``) and on all others."""

    intents: frozenset[str]
    own: Outcomes
    others: Outcomes

    @property
    def intent_f1(self) -> float:
        """F1 of the functionality's intents (micro) over all utterances."""
        n_right = int(self.own.intent_correct.sum())
        found_in_own = int(_is_any(self.own.found_intents, self.intents).sum())
        return f1(n_right, n_found=found_in_own + int(self.false_alarms.sum()), n_wanted=len(self.own))

    @property
    def intent_error(self) -> float:
        """1 - intent F1."""
        return 1.0 - self.intent_f1

    @property
    def slot_f1(self) -> float:
        """Span F1 (micro) over the functionality's utterances."""
        return self.own.slot_f1

    @property
    def semantic_error_rate(self) -> float:
        """Fraction of the functionality's utterances whose intent or any slot is wrong."""
        return self.own.semantic_error_rate

    @property
    def false_alarms(self) -> BoolArray:
        """For every utterance of another intent, in order, whether it is taken for the functionality."""
        return _is_any(self.others.found_intents, self.intents)

    @property
    def false_alarm_rate(self) -> float:
        """Fraction of the utterances of other intents that are taken for the functionality."""
        return _mean(self.false_alarms)


def outcomes(references: Sequence[Utterance], predictions: Sequence[Prediction]) -> Outcomes:
    """Return what was wanted and found, in order; raises DataError when the two differ in length."""
    if len(references) != len(predictions):
        raise DataError(
            wanted="one prediction an utterance", found=f"{len(predictions)} for {len(references)} utterances"
        )
    pairs = list(zip(references, predictions, strict=True))
    return Outcomes(
        wanted_intents=np.array([r.intent for r, _ in pairs], dtype=np.str_),
        found_intents=np.array([p.intent for _, p in pairs], dtype=np.str_),
        slots_wanted=np.array([len(r.slots) for r, _ in pairs], dtype=np.int64),
        slots_found=np.array([len(p.slots) for _, p in pairs], dtype=np.int64),
        slots_right=np.array([len(set(r.slots) & set(p.slots)) for r, p in pairs], dtype=np.int64),
    )


def outcomes_of_functionality(all_outcomes: Outcomes, intents: Collection[str]) -> FunctionalityOutcomes:
    """Return the outcomes divided into those of the functionality made of ``intents`` and of everything else."""
    own = _is_any(all_outcomes.wanted_intents, intents)
    return FunctionalityOutcomes(intents=frozenset(intents), own=all_outcomes.rows(own), others=all_outcomes.rows(~own))


def f1(n_right: int, *, n_found: int, n_wanted: int) -> float:
    """Return the harmonic mean of precision and recall; 1 when nothing was wanted and nothing found."""
    total = n_found + n_wanted
    return 2.0 * n_right / total if total else 1.0


def relative_reduction(before: float, after: float) -> float:
    """Return by which fraction of itself ``before`` shrinks to ``after``; 0 when there was nothing to reduce."""
    return (before - after) / before if before else 0.0


def _is_any(intents: NDArray[np.str_], wanted: Collection[str]) -> BoolArray:
    return np.isin(intents, sorted(wanted))


def _mean(values: BoolArray | FloatArray) -> float:
    return float(values.mean()) if values.size else 0.0
