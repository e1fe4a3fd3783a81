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
    """Trains a model; how much each utterance counts may differ between intents and slots."""

    def __call__(
        self,
        utterances: Sequence[Utterance],
        *,
        weights: Sequence[float] | None = None,
        slot_weights: Sequence[float] | None = None,
        random_seed: int = 0,
    ) -> NluModel:
        """Return the model; ``weights`` are 1 when None, ``slot_weights`` are ``weights`` when None."""
        ...
