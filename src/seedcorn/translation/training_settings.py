"""How a translator is trained: budget, rates, what keeps it from learning by heart, when it stops."""

from dataclasses import dataclass, field
from enum import StrEnum

from seedcorn.translation.network import NetworkShape


class Schedule(StrEnum):
    """How the learning rate falls after warming up: to zero at the end of the budget, or by 1 / sqrt(step).

    The second has no end: a training with a larger budget goes on just as if the budget had been larger from the start.
    """

    LINEAR = "linear"
    INVERSE_SQRT = "inverse_sqrt"


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """How a translator is trained. ``n_target_tokens`` is the budget: all target tokens seen, repeats counted.

    With ``checkpoint`` the training starts from that pretrained translator and its subwords, else from scratch with
    ``shape`` and ``n_subwords``. ``word_dropout`` is how likely a subword is read as unknown (see regularisation).
    Training stops early when ``patience`` evaluations on dev in a row bring no better chrF; the best one is kept, or
    the mean of the last ``n_averaged`` checkpoints where that is better on dev.
    """

    n_target_tokens: int = 20_000_000
    tokens_per_batch: int = 3_000
    learning_rate: float = 1.5e-3
    schedule: Schedule = Schedule.LINEAR
    n_warmup_steps: int = 400
    word_dropout: float = 0.0
    n_averaged: int = 1
    n_subwords: int = 4_000
    max_length: int = 64
    shape: NetworkShape = field(default_factory=NetworkShape)
    checkpoint: str = ""
    source_lang: str = ""
    target_lang: str = ""
    n_evaluations: int = 10
    patience: int = 4
    n_dev_pairs: int = 400
