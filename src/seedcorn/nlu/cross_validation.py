"""Every utterance judged by a model that was trained without it."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from seedcorn.corpus.predictions import Prediction
from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import DataError
from seedcorn.nlu.model import NluModel, NluTrainer
from seedcorn.progress import track

Answer = TypeVar("Answer")


def cross_validated_predictions(
    train: NluTrainer, utterances: Sequence[Utterance], *, n_folds: int = 3, random_seed: int = 0
) -> list[Prediction]:
    """Return for every utterance the prediction of a model trained on the other folds; folds are alike in intents.

    Raises DataError when there are fewer than two utterances.
    """
    return cross_validated(
        train,
        utterances,
        lambda model, held_out: model.predict([u.text for u in held_out]),
        n_folds=n_folds,
        random_seed=random_seed,
    )


def cross_validated(
    train: NluTrainer,
    utterances: Sequence[Utterance],
    answer: Callable[[NluModel, Sequence[Utterance]], Sequence[Answer]],
    *,
    n_folds: int = 3,
    random_seed: int = 0,
) -> list[Answer]:
    """Return ``answer`` of every utterance by a model trained on the other folds; folds are alike in intents.

    Raises DataError when there are fewer than two utterances.
    """
    if len(utterances) < 2:
        raise DataError(wanted="at least two utterances to cross-validate on", found=str(len(utterances)))
    folds = folds_alike([u.intent for u in utterances], min(n_folds, len(utterances)), random_seed)
    answers: dict[int, Answer] = {}
    for fold in track(range(folds.max() + 1), "cross-validation folds"):
        held_out = np.flatnonzero(folds == fold).tolist()
        others = [u for u, its_fold in zip(utterances, folds, strict=True) if its_fold != fold]
        model = train(others, random_seed=random_seed)
        answers.update(zip(held_out, answer(model, [utterances[i] for i in held_out]), strict=True))
    return [answers[i] for i in range(len(utterances))]


def folds_alike(intents: Sequence[str], n_folds: int, random_seed: int) -> NDArray[np.int64]:
    """Return the fold of every utterance: shuffled, sorted by intent, dealt out in turn."""
    shuffled = np.random.default_rng(random_seed).permutation(len(intents))
    by_intent = shuffled[np.argsort(np.array(intents)[shuffled], kind="stable")]
    folds = np.empty(len(intents), dtype=np.int64)
    folds[by_intent] = np.arange(len(intents)) % n_folds
    return folds
