"""What every NLU model answers: one Prediction an utterance, and the probabilities of all intents."""

from collections.abc import Collection, Sequence
from typing import Protocol

from seedcorn.corpus.predictions import Prediction
from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import DataError
from seedcorn.selection import FloatArray


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
    """Trains a model; how much each utterance counts may differ between intents and slots.

    An utterance without intent is known to have none of ``excluded_intents``: it teaches that and nothing else. What a
    ``teacher`` knows of all other intents may be taken over from it, and with ``slots_of_teacher`` all it knows of
    slots; one that cannot be is not looked at.
    """

    def __call__(
        self,
        utterances: Sequence[Utterance],
        *,
        weights: Sequence[float] | None = None,
        slot_weights: Sequence[float] | None = None,
        excluded_intents: Collection[str] = (),
        teacher: "NluModel | None" = None,
        slots_of_teacher: bool = False,
        random_seed: int = 0,
    ) -> NluModel:
        """Return the model; ``weights`` are 1 when None, ``slot_weights`` are ``weights`` when None."""
        ...


def check_trainable(utterances: Sequence[Utterance], excluded_intents: Collection[str]) -> None:
    """Raise DataError when no utterance has an intent, or one has none and no ``excluded_intents`` are given."""
    unlabelled = next((u for u in utterances if not u.intent), None)
    if not any(u.intent for u in utterances):
        raise DataError(wanted="utterances with intents to train on", found="none")
    if unlabelled is not None and not excluded_intents:
        raise DataError(wanted="an intent for every training utterance", found=f"none for '{unlabelled.text}'")
