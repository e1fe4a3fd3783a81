"""What a growth study is about: seeds, slices of logs, background and test, cut by a random seed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from seedcorn.corpus.settings import open_corpus
from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import DataError
from seedcorn.nlu.out_of_scope import OUT_OF_SCOPE
from seedcorn.studies.growth_settings import GrowthStudyConfig


@dataclass(frozen=True, kw_only=True)
class GrowthData:
    """What a study is about: per round the seed of its intent and a slice of the pool, whose labels are hidden.

    Utterances of other intents than those of the study are labelled as out of scope.
    """

    seeds: Sequence[Sequence[Utterance]]
    slices: Sequence[Sequence[Utterance]]
    background: Sequence[Utterance]
    test: Sequence[Utterance]
    certificate: Sequence[Utterance]


def load_growth_data(config: GrowthStudyConfig, *, random_seed: int) -> GrowthData:
    """Return the data cut by ``random_seed``. Raises DataError where an intent has too few utterances."""
    rng = np.random.default_rng(random_seed)
    train = open_corpus(config.train).utterances()
    train = [train[i] for i in rng.permutation(len(train)).tolist()]
    of_intent = {intent: [u for u in train if u.intent == intent] for intent in config.intents}
    for intent, rows in of_intent.items():
        if len(rows) < config.n_seed:
            raise DataError(wanted=f"{config.n_seed} utterances of {intent}", found=str(len(rows)))
    outside = [_outside(u) for u in train if u.intent not in of_intent]
    general = open_corpus(config.pool).utterances()
    general = [_outside(general[i]) for i in rng.permutation(len(general))[: config.n_general].tolist()]
    n_rounds = len(config.intents)
    slices: list[list[Utterance]] = [[] for _ in range(n_rounds)]
    for first, rows in enumerate(of_intent.values()):
        hidden = rows[config.n_seed :]
        for i, utterance in enumerate(hidden):
            slices[first + i * (n_rounds - first) // len(hidden)].append(utterance)
    logged = outside[config.n_background : config.n_background + config.n_other]
    for i, utterance in enumerate([*logged, *general]):
        slices[i % n_rounds].append(utterance)
    test, certificate = (
        [] if file is None else [u if u.intent in of_intent else _outside(u) for u in open_corpus(file).utterances()]
        for file in (config.test, config.certificate_on)
    )
    return GrowthData(
        seeds=[rows[: config.n_seed] for rows in of_intent.values()],
        slices=slices,
        background=outside[: config.n_background],
        test=test,
        certificate=certificate,
    )


def _outside(utterance: Utterance) -> Utterance:
    return replace(utterance, intent=OUT_OF_SCOPE, slots=())
