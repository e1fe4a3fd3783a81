"""Training and self-training as settings: which NLU model, how many rounds, which gates."""

from collections.abc import Sequence
from enum import StrEnum
from functools import partial

from pydantic import Field

from seedcorn.config import Settings
from seedcorn.corpus.utterances import Utterance
from seedcorn.nlu.model import NluModel, NluTrainer
from seedcorn.nlu.self_training import Gates, SelfTraining, self_train

_DEFAULT_GATES = Gates()


class NluKind(StrEnum):
    """Which NLU model is trained."""

    LINEAR = "linear"  # maximum entropy and a conditional random field
    NEURAL = "neural"  # a joint transformer encoder; needs the extra `neural`


class GateSettings(Settings):
    """What a pseudo-label must pass; see nlu.self_training.Gates."""

    least_intent_probability: float = Field(_DEFAULT_GATES.least_intent_probability, ge=0, le=1)
    least_slot_probability: float = Field(_DEFAULT_GATES.least_slot_probability, ge=0, le=1)
    least_negative_probability: float = Field(_DEFAULT_GATES.least_negative_probability, ge=0, le=1)
    most_functionality_probability: float = Field(_DEFAULT_GATES.most_functionality_probability, ge=0, le=1)
    most_per_intent: int = Field(_DEFAULT_GATES.most_per_intent, ge=1)
    most_negatives_per_intent: int = Field(_DEFAULT_GATES.most_negatives_per_intent, ge=0)


class TeachingSettings(Settings):
    """How the NLU model is trained on the labelled data and on what self-training accepts.

    ``slots_of_functionality_only`` trains the slot model for the functionality's slot types alone, which is much
    faster; the model then finds no slots in utterances of other intents. ``checkpoint`` names a pretrained encoder for
    the model ``neural``.
    """

    model: NluKind = NluKind.LINEAR
    checkpoint: str | None = None
    slots_of_functionality_only: bool = True
    n_rounds: int = Field(3, ge=0)
    pseudo_weight: float = Field(1.0, gt=0)
    gates: GateSettings = GateSettings()


def trainer(settings: TeachingSettings, *, intents: Sequence[str]) -> NluTrainer:
    """Return the function that trains the model that ``settings`` name."""
    slot_intents = tuple(intents) if settings.slots_of_functionality_only else None
    if settings.model is NluKind.LINEAR:
        from seedcorn.nlu.linear import train_linear

        return partial(train_linear, slot_intents=slot_intents)
    from seedcorn.nlu.neural import train_neural

    return partial(train_neural, checkpoint=settings.checkpoint)


def train(
    labelled: Sequence[Utterance], *, intents: Sequence[str], settings: TeachingSettings, random_seed: int
) -> NluModel:
    """Return the model trained on labelled utterances alone."""
    return trainer(settings, intents=intents)(labelled, weights=None, random_seed=random_seed)


def teach(
    *,
    seed: Sequence[Utterance],
    background: Sequence[Utterance],
    texts: Sequence[str],
    dev: Sequence[Utterance],
    intents: Sequence[str],
    settings: TeachingSettings,
    random_seed: int,
) -> SelfTraining:
    """Return the outcome of self-training on ``texts``; its decisions count positions in ``texts``."""
    return self_train(
        seed,
        background,
        [Utterance(text=text) for text in texts],
        dev,
        train=trainer(settings, intents=intents),
        gates=Gates(**settings.gates.model_dump()),
        pseudo_weight=settings.pseudo_weight,
        n_rounds=settings.n_rounds,
        random_seed=random_seed,
    )
