"""One system of a growth study, taken through the rounds, and what is measured after each."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import numpy as np

from seedcorn.corpus.utterances import Utterance
from seedcorn.deployment.proposals import propose
from seedcorn.diversity.annotate import AnnotationSettings
from seedcorn.diversity.methods import Strategy
from seedcorn.evaluation.nlu import Outcomes, f1, outcomes
from seedcorn.files import read_json, write_json
from seedcorn.growth.rounds import grow, in_scope_first
from seedcorn.nlu.linear import LinearNlu
from seedcorn.nlu.out_of_scope import OUT_OF_SCOPE
from seedcorn.progress import say
from seedcorn.studies.growth_data import GrowthData
from seedcorn.studies.growth_settings import GrowthStudyConfig, GrowthSystem


@dataclass(frozen=True, kw_only=True)
class RoundMeasure:
    """One system after one round, on the test utterances of all intents so far; rates are fractions.

    ``errors`` are the semantic errors of these utterances, ``intent_f1`` the F1 of each intent.
    """

    random_seed: int
    round: int
    system: str
    n_labels: int
    semantic_error: float
    slot_f1: float
    false_alarm_rate: float
    intent_f1: Mapping[str, float]
    errors: Sequence[float]


@dataclass(frozen=True, kw_only=True)
class SystemMeasures:
    """The measures of one system, a round each, in order."""

    rounds: Sequence[RoundMeasure]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many rounds were measured."""
        return {"n_rounds": len(self.rounds)}

    def save(self, folder: Path) -> None:
        """Write all measures as JSON."""
        write_json([asdict(m) for m in self.rounds], folder / "measures.json")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote."""
        return cls(rounds=read_json(folder / "measures.json", list[RoundMeasure]))


def run_system(config: GrowthStudyConfig, name: str, data: GrowthData, *, random_seed: int) -> list[RoundMeasure]:
    """Return the measures of one system after each round of ``measured_rounds`` (all when empty), and the last."""
    system, labels, measured = config.systems[name], list[Utterance](), list[RoundMeasure]()
    n_rounds = len(config.intents)
    wanted = {*(config.measured_rounds or range(1, n_rounds + 1)), n_rounds}
    for round_ in range(1, n_rounds + 1):
        if round_ not in wanted and system.labels is None:
            continue
        intents = config.intents[:round_]
        labelled = [u for seed in data.seeds[:round_] for u in seed] + list(data.background)
        seen = [u for part in data.slices[:round_] for u in part]
        if system.labels is not None:
            new = data.slices[round_ - 1]
            labels += _annotated(config, [*labelled, *labels], new, intents, system.labels, random_seed)
        if system.oracle:
            labels = seen
        model = _trained(config, [*labelled, *labels], seen, intents, system, random_seed)
        measured.append(_measured(model, data.test, intents, name, round_, len(labels), random_seed))
        say(f"seed {random_seed}, round {round_}, {name}: semantic error {measured[-1].semantic_error:.3f}")
    return measured


def _annotated(
    config: GrowthStudyConfig,
    labelled: Sequence[Utterance],
    logs: Sequence[Utterance],
    intents: Sequence[str],
    strategy: Strategy,
    random_seed: int,
) -> list[Utterance]:
    """Return the labels that the annotator gives to the utterances chosen of this round's logs."""
    settings = AnnotationSettings(strategy=strategy, batch_size=config.n_labels)
    if strategy is Strategy.RANDOM:
        order = np.random.default_rng([random_seed, len(intents)]).permutation(len(logs))
        return [logs[i] for i in order[: config.n_labels].tolist()]
    model = grow(labelled, [], intents=intents, settings=config.model, random_seed=random_seed).model
    batch = propose([u.text for u in logs], model=model, labelled=labelled, settings=settings, random_seed=random_seed)
    return [logs[p.position] for p in batch.proposals]


def _trained(
    config: GrowthStudyConfig,
    labelled: Sequence[Utterance],
    seen: Sequence[Utterance],
    intents: Sequence[str],
    system: GrowthSystem,
    random_seed: int,
) -> LinearNlu:
    if not system.self_training:
        return grow(labelled, [], intents=intents, settings=config.model, random_seed=random_seed).model
    first = grow(labelled, [], intents=intents, settings=config.model, random_seed=random_seed).model
    known = {u.text for u in labelled}
    pool = in_scope_first([u for u in seen if u.text not in known], first, intents)
    return grow(labelled, pool, intents=intents, settings=config.model, random_seed=random_seed).model


def _measured(
    model: LinearNlu,
    test: Sequence[Utterance],
    intents: Sequence[str],
    system: str,
    round_: int,
    n_labels: int,
    random_seed: int,
) -> RoundMeasure:
    own = [u for u in test if u.intent in intents]
    others = [u for u in test if u.intent == OUT_OF_SCOPE]
    found = outcomes([*own, *others], model.predict([u.text for u in (*own, *others)]))
    own_found = found.rows(np.arange(len(own)))
    alarms = np.isin(found.found_intents[len(own) :], intents)
    return RoundMeasure(
        random_seed=random_seed,
        round=round_,
        system=system,
        n_labels=n_labels,
        semantic_error=own_found.semantic_error_rate,
        slot_f1=own_found.slot_f1,
        false_alarm_rate=float(alarms.mean()) if len(others) else 0.0,
        intent_f1={intent: _intent_f1(found, intent) for intent in intents},
        errors=own_found.semantic_errors.astype(np.float64).tolist(),
    )


def _intent_f1(found: Outcomes, intent: str) -> float:
    wanted, taken = found.wanted_intents == intent, found.found_intents == intent
    return f1(int((wanted & taken).sum()), n_found=int(taken.sum()), n_wanted=int(wanted.sum()))
