"""The teacher of tests of self-training at a budget, trained once, and a pool."""

import pytest

from budget_training import NARRATION, SETTINGS, TRAIN
from seedcorn.corpus.builtin import builtin_requests
from seedcorn.corpus.utterances import Utterance
from seedcorn.nlu.cross_fitting import CrossFitted
from seedcorn.nlu.without_pool import train_without_pool


@pytest.fixture(scope="session")
def own_and_others() -> tuple[list[Utterance], list[Utterance]]:
    rows = builtin_requests(1200, lang="en", random_seed=1).utterances()
    return [u for u in rows if u.intent == "alarm_set"], [u for u in rows if u.intent != "alarm_set"]


@pytest.fixture(scope="session")
def teacher(own_and_others: tuple[list[Utterance], list[Utterance]]) -> CrossFitted:
    own, others = own_and_others
    dev = [*own[10:20], *others[200:300]]
    return train_without_pool(own[:10], others[:200], dev, train=TRAIN, settings=SETTINGS, random_seed=1)


@pytest.fixture(scope="session")
def pool(own_and_others: tuple[list[Utterance], list[Utterance]]) -> list[str]:
    own, others = own_and_others
    return [u.text for u in (*own[20:60], *others[300:400])] + NARRATION
