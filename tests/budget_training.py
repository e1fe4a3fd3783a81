"""The trainer, settings and texts of tests of self-training at a budget."""

from functools import partial

from seedcorn.nlu.linear import LinearSettings, train_linear
from seedcorn.nlu.pool_training import PoolTrainingSettings

NARRATION = [
    f"the {who} {did} {when}" for who in ("man", "woman") for did in ("slept", "left") for when in ("", "early")
]
TRAIN = partial(train_linear, settings=LinearSettings(slot_intents=("alarm_set",), n_crf_iterations=20))
SETTINGS = PoolTrainingSettings(false_alarm_budget=0.02, n_folds=2, n_rounds=2, least_probability=0.4)
