"""What was found in one text: an intent and slots, each with its probability."""

from dataclasses import dataclass

from seedcorn.corpus.utterances import Slot


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """The intent and the slots found in one text, each with its probability; slots are sorted and do not overlap.

    ``all_slots_probability`` is that of the slots being just these: none wrong and none missing.
    """

    intent: str
    intent_probability: float
    slots: tuple[Slot, ...] = ()
    slot_probabilities: tuple[float, ...] = ()
    all_slots_probability: float = 1.0
