"""What every NLU model answers: one Prediction an utterance, and the probabilities of all intents."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from seedcorn.corpus.utterances import Slot, Utterance
from seedcorn.selection import FloatArray


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """The intent and the slots found in one text, each with its probability; slots are sorted and do not overlap."""

    intent: str
    intent_probability: float
    slots: tuple[Slot, ...] = ()
    slot_probabilities: tuple[float, ...] = ()


class NluModel(Protocol):
    """A trained model of intent and slots."""

    @property
    def intents(self) -> tuple[str, ...]:
        """The intents it can answer, in the order of the columns of ``intent_probabilities``."""
        ...

    def intent_probabilities(self, texts: Sequence[str]) -> FloatArray:
        """Return the probability of every intent for every text, shape (texts, intents); rows sum to one."""
        ...

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Return one Prediction a text, in order."""
        ...


class NluTrainer(Protocol):
    """Trains a model on utterances that count ``weights`` each (all 1 when None)."""

    def __call__(
        self, utterances: Sequence[Utterance], *, weights: Sequence[float] | None, random_seed: int
    ) -> NluModel:
        """Return the trained model."""
        ...
