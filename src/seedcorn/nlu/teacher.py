"""The teacher of self-training: the model of what is labelled, and the calibration of its confidences."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import DataError
from seedcorn.nlu.calibration import NluCalibration, calibrate
from seedcorn.nlu.model import NluModel, NluTrainer


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """The model trained on the labelled data, and the calibration of its confidences."""

    model: NluModel
    calibration: NluCalibration


def train_teacher(
    seed: Sequence[Utterance],
    background: Sequence[Utterance],
    *,
    train: NluTrainer,
    n_calibration_folds: int = 3,
    random_seed: int = 0,
) -> Teacher:
    """Return the teacher of ``self_train``; cost: ``n_calibration_folds`` + 1 trainings. Raises DataError as there."""
    functionality = functionality_of(seed, background)
    labelled = [*seed, *background]
    train = partial(train, excluded_intents=functionality)
    return Teacher(
        model=train(labelled, random_seed=random_seed),
        calibration=calibrate(train, labelled, n_folds=n_calibration_folds, random_seed=random_seed),
    )


def functionality_of(seed: Sequence[Utterance], background: Sequence[Utterance]) -> frozenset[str]:
    """Return the intents of ``seed``. Raises DataError when it is empty or they label background utterances too."""
    if not seed:
        raise DataError(wanted="seed utterances", found="none", fix="Annotate some utterances of the functionality.")
    functionality = frozenset(u.intent for u in seed)
    both = sorted(functionality & {u.intent for u in background})
    if both:
        raise DataError(wanted="a background without the intents of the seed", found=", ".join(both))
    return functionality
