"""The model without pool at a false-alarm budget: where self-training begins, and what it has to beat."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from seedcorn.config import Settings
from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import ConfigError, DataError
from seedcorn.nlu.cross_fitting import CrossFitted, Labelled, cross_fit_each
from seedcorn.nlu.cross_validation import folds_alike
from seedcorn.nlu.linear import LinearNlu
from seedcorn.nlu.model import NluModel, NluTrainer
from seedcorn.nlu.operating_point import FALSE_ALARM_BUDGET
from seedcorn.nlu.teacher import functionality_of


class BudgetSettings(Settings):
    """The operating point, and how it is estimated.

    ``false_alarm_budget`` is the share of other utterances that may be taken for the functionality; ``n_folds`` those
    of the cross-validation; ``seed_weight`` how much a seed utterance counts beside one of the many others.
    """

    false_alarm_budget: float = Field(FALSE_ALARM_BUDGET, gt=0, lt=1)
    n_folds: int = Field(3, ge=2)
    seed_weight: float = Field(10.0, gt=0)


def labelled_of(seed: Sequence[Utterance], background: Sequence[Utterance], dev: Sequence[Utterance]) -> Labelled:
    """Return the utterances at hand, seed first.

    Raises DataError without seed or background, or when an intent of the seed also labels background utterances.
    """
    if len(seed) < 2 or len(background) < 2:
        raise DataError(
            wanted="at least two utterances of the functionality and two others",
            found=f"{len(seed)} and {len(background)}",
            fix="Annotate more: what is held out of so few says nothing.",
        )
    return Labelled(rows=[*seed, *background], dev=dev, functionality=functionality_of(seed, background))


def train_without_pool(
    seed: Sequence[Utterance],
    background: Sequence[Utterance],
    dev: Sequence[Utterance],
    *,
    train: NluTrainer,
    settings: BudgetSettings = BudgetSettings(),
    random_seed: int = 0,
    n_processes: int = 1,
) -> CrossFitted:
    """Return the teacher of ``self_train_at_budget``: the same model without pool. Raises as ``labelled_of`` does."""
    (fitted,) = train_each_without_pool(
        labelled_of(seed, background, dev),
        [train],
        settings=settings,
        random_seed=random_seed,
        n_processes=n_processes,
    )
    return fitted


def train_each_without_pool(
    labelled: Labelled,
    trains: Sequence[NluTrainer],
    *,
    settings: BudgetSettings = BudgetSettings(),
    random_seed: int = 0,
    n_processes: int = 1,
) -> list[CrossFitted]:
    """Return what each of ``trains`` makes of the same folds, ``n_processes`` at a time, the longest given last."""
    folds = folds_alike([u.intent for u in labelled.rows], settings.n_folds, random_seed)
    trains_on = [
        partial(_train_on, labelled=labelled, train=train, settings=settings, random_seed=random_seed)
        for train in trains
    ]
    return cross_fit_each(labelled, trains_on, folds=folds, n_processes=n_processes)


def _train_on(
    rows: NDArray[np.int64],
    before: LinearNlu | None,
    *,
    labelled: Labelled,
    train: NluTrainer,
    settings: BudgetSettings,
    random_seed: int,
) -> LinearNlu:
    """Return the model of some rows; there is none ``before``."""
    chosen = [labelled.rows[i] for i in rows]
    complete = len(rows) == len(labelled.rows)
    model = train(
        chosen,
        weights=weights_of(chosen, labelled, settings),
        slot_weights=[float(complete)] * len(chosen),  # folds are asked for intents alone
        excluded_intents=labelled.functionality,
        random_seed=random_seed,
    )
    return linear_of(model)


def weights_of(rows: Sequence[Utterance], labelled: Labelled, settings: BudgetSettings) -> list[float]:
    """Return how much each of ``rows`` counts."""
    return [settings.seed_weight if u.intent in labelled.functionality else 1.0 for u in rows]


def linear_of(model: NluModel) -> LinearNlu:
    """Return ``model``, which has to be a linear one; raises ConfigError for any other."""
    if not isinstance(model, LinearNlu):
        raise ConfigError(wanted="the model 'linear', for self-training at a budget", found=type(model).__name__)
    return model
