"""The growth study: intents brought up one after another while logs come in, with hidden labels as the annotator.

After each round every system is measured on all intents so far. Users ask for what the agent offers: the hidden
utterances of an intent are spread over the slices of the pool from its own round on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from seedcorn.config import Settings
from seedcorn.corpus.settings import CorpusFile, open_corpus
from seedcorn.corpus.utterances import Utterance
from seedcorn.diversity.annotate import AnnotationSettings
from seedcorn.diversity.methods import Strategy
from seedcorn.errors import DataError
from seedcorn.evaluation.nlu import Outcomes, f1, outcomes
from seedcorn.files import read_json, write_json
from seedcorn.growth.annotation import propose
from seedcorn.growth.rounds import RoundSettings, grow, in_scope_first
from seedcorn.nlu.linear import LinearNlu
from seedcorn.nlu.out_of_scope import OUT_OF_SCOPE
from seedcorn.progress import say
from seedcorn.runs import Context, Run, Stage
from seedcorn.selection import FloatArray


class GrowthSystem(Settings):
    """One system: how its labels of a round are chosen (none without ``labels``), and whether it trains itself.

    ``oracle`` is trained on everything in the pool so far with its true labels.
    """

    labels: Strategy | None = None
    self_training: bool = False
    oracle: bool = False


class GrowthStudyConfig(Settings):
    """The configuration file of a growth study; configs/study-growth-massive.yaml explains every setting."""

    study: Literal["growth"]
    name: str = Field(min_length=1)
    random_seeds: tuple[int, ...] = Field((1,), min_length=1)
    intents: tuple[str, ...] = Field(min_length=2)
    train: CorpusFile
    test: CorpusFile
    pool: CorpusFile
    n_seed: int = Field(50, ge=1)
    n_background: int = Field(400, ge=1)
    n_other: int = Field(2000, ge=0)
    n_general: int = Field(1000, ge=0)
    n_labels: int = Field(25, ge=1)
    measured_rounds: tuple[int, ...] = ()
    model: RoundSettings = RoundSettings()
    systems: Mapping[str, GrowthSystem] = Field(min_length=2)
    baseline: str = "seed_only"
    reported: str = "grown"
    chosen: str = "chosen"
    random: str = "random"
    oracle: str = "oracle"

    @model_validator(mode="after")
    def _named_systems_exist(self) -> Self:
        for role in (self.baseline, self.reported, self.chosen, self.random, self.oracle):
            if role not in self.systems:
                raise ValueError(f"'{role}' is not one of the systems {', '.join(self.systems)}")
        return self


@dataclass(frozen=True, kw_only=True)
class GrowthData:
    """What a study is about: per round the seed of its intent and a slice of the pool, whose labels are hidden.

    Utterances of other intents than those of the study are labelled as out of scope.
    """

    seeds: Sequence[Sequence[Utterance]]
    slices: Sequence[Sequence[Utterance]]
    background: Sequence[Utterance]
    test: Sequence[Utterance]


@dataclass(frozen=True, kw_only=True)
class RoundMeasure:
    """One system after one round, on the test utterances of all intents so far; rates are fractions.

    ``errors`` (n,) are the semantic errors of these utterances, ``intent_f1`` the F1 of each intent.
    """

    random_seed: int
    round: int
    system: str
    n_labels: int
    semantic_error: float
    slot_f1: float
    false_alarm_rate: float
    intent_f1: Mapping[str, float]
    errors: FloatArray


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
    test = open_corpus(config.test).utterances()
    return GrowthData(
        seeds=[rows[: config.n_seed] for rows in of_intent.values()],
        slices=slices,
        background=outside[: config.n_background],
        test=[u if u.intent in of_intent else _outside(u) for u in test],
    )


def _outside(utterance: Utterance) -> Utterance:
    return replace(utterance, intent=OUT_OF_SCOPE, slots=())


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
        write_json([{**m.__dict__, "errors": m.errors.tolist()} for m in self.rounds], folder / "measures.json")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote."""
        saved = read_json(folder / "measures.json", list[_SavedMeasure])
        return cls(rounds=[RoundMeasure(**{**m.__dict__, "errors": np.array(m.errors)}) for m in saved])


@dataclass(frozen=True, kw_only=True)
class _SavedMeasure:
    random_seed: int
    round: int
    system: str
    n_labels: int
    semantic_error: float
    slot_f1: float
    false_alarm_rate: float
    intent_f1: dict[str, float]
    errors: list[float]


class MeasureSystem(Stage[SystemMeasures]):
    """Take one system of a study through all rounds."""

    stage_name: ClassVar[str] = "system"

    config: GrowthStudyConfig
    system: str

    def __call__(self, *, context: Context) -> SystemMeasures:
        """Return its measures."""
        data = load_growth_data(self.config, random_seed=context.random_seed)
        return SystemMeasures(rounds=run_system(self.config, self.system, data, random_seed=context.random_seed))


def measure_all(config: GrowthStudyConfig, *, folder: Path) -> list[RoundMeasure]:
    """Return the measures of every system and random seed; those of ``folder`` that are done are not made again."""
    runs = [Run(folder=folder / f"random-seed-{seed}", random_seed=seed) for seed in config.random_seeds]
    return [
        measure
        for run in runs
        for system in config.systems
        for measure in run.do(MeasureSystem(config=_of_one(config, system), system=system), name=system).value.rounds
    ]


def _of_one(config: GrowthStudyConfig, system: str) -> GrowthStudyConfig:
    """Return what decides about the measures of ``system``: not the other systems, nor their roles."""
    roles = dict.fromkeys(("baseline", "reported", "chosen", "random", "oracle"), system)
    return config.model_copy(
        update={"name": system, "random_seeds": (0,), "systems": {system: config.systems[system]}, **roles}
    )


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
            labels += _annotated(
                config, [*labelled, *labels], data.slices[round_ - 1], intents, system.labels, random_seed
            )
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
        errors=own_found.semantic_errors.astype(np.float64),
    )


def _intent_f1(found: Outcomes, intent: str) -> float:
    wanted, taken = found.wanted_intents == intent, found.found_intents == intent
    return f1(int((wanted & taken).sum()), n_found=int(taken.sum()), n_wanted=int(wanted.sum()))
