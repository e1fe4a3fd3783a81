"""Studies of the intent pipeline: systems x functionalities x seed sizes x random seeds.

A cell is one functionality with one seed size and one random seed. It is one stage of a run, so that a study goes on
where it stopped, and cells can be made by several processes with the same result. In a cell all systems share seed,
background, pool and relevance scores; they differ in which unlabelled utterances are used, and how many.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, Self

import numpy as np
import pyarrow as pa
from pydantic import Field, model_validator

from seedcorn.config import Settings
from seedcorn.corpus.contamination import screen_pool
from seedcorn.corpus.text import fold
from seedcorn.corpus.utterances import Utterance
from seedcorn.evaluation.nlu import FunctionalityOutcomes, outcomes, outcomes_of_functionality
from seedcorn.files import digest_of_file
from seedcorn.nlu.model import NluModel
from seedcorn.nlu.self_training import TakenArray, Teacher, taken_for, train_teacher
from seedcorn.pipelines.diversity_stage import (
    DiversityChoice,
    DiversityMethod,
    choose_diverse,
    paraphrase_network,
)
from seedcorn.pipelines.intent_data import IntentData, IntentDataSettings, data_files, load_intent_data
from seedcorn.pipelines.intent_measures import bootstrap_statistics, rates
from seedcorn.pipelines.intent_stages import ContaminationSettings
from seedcorn.pipelines.relevance_stage import RelevanceSettings, find_relevant
from seedcorn.pipelines.stage_files import Done, read_json, write_json
from seedcorn.pipelines.teaching import (
    NO_KNOWLEDGE,
    Knowledge,
    TeachingSettings,
    at_operating_point,
    gates_of,
    knowledge_of,
    teach,
    train,
    trainer,
)
from seedcorn.runs import Json, Run, StageFolder, digest_of_json
from seedcorn.selection import FloatArray, PositionArray, Scores

if TYPE_CHECKING:
    from seedcorn.diversity.paraphrase import ParaphraseModel


class Source(StrEnum):
    """Which utterances a system adds to the seed and the background."""

    NONE = "none"  # seed only
    POOL = "pool"  # drawn at random from the whole pool, as many as are relevant
    RELEVANT = "relevant"  # the relevant part of the pool, or what ``diversity`` chooses of it
    TRUE_LABELS = "true_labels"  # everything hidden in the pool, with its true labels: the ceiling


class System(Settings):
    """One system of a study: where its added utterances come from, and how they are thinned out.

    ``words``: whether its models know which words the pool uses alike; ``encoder``: whether they have the sentence
    encoder that ``teaching`` names, if any; ``hold_false_alarms``: whether they are held to the false alarms that the
    plain seed-only model has on dev.
    """

    source: Source
    words: bool = True
    encoder: bool = True
    hold_false_alarms: bool = True
    diversity: DiversityChoice = DiversityChoice(method=DiversityMethod.ALL)


class IntentStudyConfig(Settings):
    """The configuration file of an intent study; configs/study-intent-massive.yaml explains every setting."""

    study: Literal["intent"]
    name: str = Field(min_length=1)
    random_seeds: tuple[int, ...] = Field((1, 2, 3, 4, 5), min_length=1)
    seed_sizes: tuple[int, ...] = Field((50,), min_length=1)
    functionalities: Mapping[str, tuple[str, ...]] = Field(min_length=1)
    data: IntentDataSettings
    contamination: ContaminationSettings = ContaminationSettings()
    relevance: RelevanceSettings = RelevanceSettings()
    teaching: TeachingSettings = TeachingSettings()
    systems: Mapping[str, System] = Field(min_length=2)
    baseline: str
    reported: str
    ceiling: str | None = None

    @model_validator(mode="after")
    def _named_systems_exist(self) -> Self:
        for role in (self.baseline, self.reported, self.ceiling):
            if role is not None and role not in self.systems:
                raise ValueError(f"'{role}' is not one of the systems {', '.join(self.systems)}")
        return self


class Cell(NamedTuple):
    """One functionality with one seed size and one random seed."""

    functionality: str
    n_seed: int
    random_seed: int

    @property
    def name(self) -> str:
        """The name of the cell's stage."""
        return f"{self.functionality}-{self.n_seed}-{self.random_seed}"


@dataclass(frozen=True, kw_only=True)
class CellData:
    """What all systems of a cell share: the data without contamination, and the relevant part of the pool."""

    data: IntentData
    pool: Sequence[str]
    relevant: PositionArray
    scores: Scores
    knowledge: Knowledge


def cells_of(config: IntentStudyConfig) -> list[Cell]:
    """Return all cells in the order in which they are made: every functionality once before the next random seed."""
    return [
        Cell(functionality, n_seed, random_seed)
        for n_seed in config.seed_sizes
        for random_seed in config.random_seeds
        for functionality in config.functionalities
    ]


def run_cell(config: IntentStudyConfig, cell: Cell, *, folder: Path, relative_to: Path) -> Done:
    """Run all systems of ``cell`` unless that is done, and return its stage: rows.json and outcomes.npz."""
    run = Run(folder=folder, random_seed=cell.random_seed)
    inputs = {name: digest_of_file(path) for name, path in data_files(config.data, relative_to=relative_to).items()}
    settings: dict[str, Json] = {
        "cell": list(cell),
        **config.model_dump(mode="json", exclude={"name", "random_seeds", "seed_sizes"}),
        "functionalities": list(config.functionalities[cell.functionality]),
    }

    def work(folders: StageFolder) -> dict[str, int]:
        shared = cell_data(config, cell, relative_to=relative_to)
        made = _Cell(shared=shared, settings=config.teaching, random_seed=cell.random_seed)
        rows: list[dict[str, Json]] = []
        arrays: dict[str, FloatArray] = {}
        for name, system in config.systems.items():
            model, n_added = made.model(system)
            tested = tested_outcomes(model, shared.data.test, shared.data.intents)
            rows.append({**cell._asdict(), "system": name, "n_added": n_added, **rates(tested)})
            arrays |= {f"{name}/{key}": values for key, values in bootstrap_statistics(tested).items()}
        write_json(rows, folders.output / "rows.json")
        np.savez_compressed(folders.output / "outcomes.npz", **arrays)  # type: ignore[arg-type]  # allow_pickle is no array
        return {"n_systems": len(rows), "n_pool": len(shared.pool), "n_relevant": len(shared.relevant)}

    return Done(record=run.stage(cell.name, work, settings=settings, inputs=inputs), folder=folder / cell.name)


def cell_data(config: IntentStudyConfig, cell: Cell, *, relative_to: Path) -> CellData:
    """Return the data of a cell: pool without contamination, scored, with its relevant part."""
    annotated = config.data.annotated
    settings = config.data
    if annotated is not None:
        sized = annotated.model_copy(update={"n_seed": cell.n_seed})
        settings = settings.model_copy(update={"annotated": sized})
    intents = config.functionalities[cell.functionality]
    data = load_intent_data(settings, intents=intents, relative_to=relative_to, random_seed=cell.random_seed)
    texts = pa.concat_arrays(list(data.pool.texts()))
    evaluation = [u.text for u in (*data.dev, *data.test)]
    screened = screen_pool([texts], evaluation, threshold=config.contamination.similarity)
    pool = texts.take(pa.array(screened.selection.positions))
    found = find_relevant(
        lambda: iter([pool]),
        seed=data.seed,
        background=data.background,
        settings=config.relevance,
        random_seed=cell.random_seed,
    )
    knowledge = knowledge_of(
        iter([pool]), [*data.seed, *data.background], settings=config.teaching, random_seed=cell.random_seed
    )
    return CellData(data=data, pool=pool, relevant=found.selection.positions, scores=found.scores, knowledge=knowledge)


@dataclass(frozen=True, kw_only=True)
class _Cell:
    """What the systems of a cell have in common: data, settings, and the teachers by what they know."""

    shared: CellData
    settings: TeachingSettings
    random_seed: int

    def knowledge(self, system: System) -> Knowledge:
        known = self.shared.knowledge
        return Knowledge(known.words if system.words else None, known.encoder if system.encoder else None)

    @cached_property
    def seed_only(self) -> NluModel:
        data = self.shared.data
        labelled = [*data.seed, *data.background]
        return train(labelled, intents=data.intents, settings=self.settings, random_seed=self.random_seed)

    @cached_property
    def grown_before(self) -> dict[System, tuple[NluModel, int]]:
        return {}

    @cached_property
    def teachers(self) -> dict[tuple[bool, bool], Teacher]:
        return {}

    def teacher(self, system: System) -> Teacher:
        known = (system.words, system.encoder)
        if known not in self.teachers:
            data = self.shared.data
            learn = trainer(self.settings, intents=data.intents, knowledge=self.knowledge(system))
            self.teachers[known] = train_teacher(data.seed, data.background, train=learn, random_seed=self.random_seed)
        return self.teachers[known]

    def grown(self, system: System) -> tuple[NluModel, int]:
        """Return the model of ``system``, and how many utterances it was offered beyond seed and background."""
        data, knowledge = self.shared.data, self.knowledge(system)
        if system.source is Source.NONE:
            return self.teacher(system).model, 0
        if system.source is Source.TRUE_LABELS:
            evaluation = {fold(u.text) for u in (*data.dev, *data.test)}
            hidden = [u for u in data.hidden if fold(u.text) not in evaluation]
            model = train(
                [*data.seed, *data.background, *hidden],
                intents=data.intents,
                settings=self.settings,
                random_seed=self.random_seed,
                knowledge=knowledge,
                few=False,
            )
            return model, len(hidden)
        texts = self.added_texts(system)
        taught = teach(
            seed=data.seed,
            background=data.background,
            texts=texts,
            dev=data.dev,
            intents=data.intents,
            settings=self.settings,
            random_seed=self.random_seed,
            knowledge=knowledge,
            teacher=self.teacher(system),
        )
        return taught.model, len(texts)

    def model(self, system: System) -> tuple[NluModel, int]:
        """Return what ``grown`` does, held to the false alarms of the seed-only model where the system wants that."""
        if system.source is Source.NONE and self.knowledge(system) == NO_KNOWLEDGE:
            return self.seed_only, 0
        free = system.model_copy(update={"hold_false_alarms": False})
        if free not in self.grown_before:
            self.grown_before[free] = self.grown(free)
        model, n_added = self.grown_before[free]
        if not system.hold_false_alarms:
            return model, n_added
        data, settings = self.shared.data, self.settings.model_copy(update={"hold_false_alarms": True})
        held = at_operating_point(
            model, seed_only=self.seed_only, intents=data.intents, dev=data.dev, settings=settings
        )
        return held, n_added

    def added_texts(self, system: System) -> list[str]:
        """Return the texts that ``system`` is offered, in pool order."""
        shared = self.shared
        if system.source is Source.POOL:
            rng = np.random.default_rng(self.random_seed)
            rows = np.sort(rng.choice(len(shared.pool), min(len(shared.relevant), len(shared.pool)), replace=False))
            return [str(shared.pool[int(i)]) for i in rows]
        relevant = [str(shared.pool[int(i)]) for i in shared.relevant]
        is_paraphrase = system.diversity.method is DiversityMethod.PARAPHRASE
        chosen = choose_diverse(
            relevant,
            Scores(values=-np.arange(len(relevant), dtype=np.float64), name="relevance rank"),
            seed=shared.data.seed,
            background=shared.data.background,
            choice=system.diversity,
            random_seed=self.random_seed,
            network=self.network(system.diversity, relevant) if is_paraphrase else None,
            taken=self.taken(system, relevant) if system.diversity.cleaned else None,
        )
        return [str(shared.pool[int(i)]) for i in shared.relevant[np.sort(chosen.positions)]]

    def taken(self, system: System, relevant: Sequence[str]) -> TakenArray:
        """Return what the teacher of ``system`` takes the relevant texts for, the same for all fractions."""
        known = (system.words, system.encoder)
        if known not in self.taken_before:
            self.taken_before[known] = taken_for(
                relevant, self.shared.data.intents, teacher=self.teacher(system), gates=gates_of(self.settings)
            )
        return self.taken_before[known]

    @cached_property
    def taken_before(self) -> dict[tuple[bool, bool], TakenArray]:
        return {}

    def network(self, choice: DiversityChoice, relevant: Sequence[str]) -> "ParaphraseModel":
        """Return the paraphrase network of the cell, the same for all fractions."""
        if not self.networks:
            data = self.shared.data
            made = paraphrase_network(data.seed, data.background, relevant, choice=choice, random_seed=self.random_seed)
            self.networks.append(made)
        return self.networks[0]

    @cached_property
    def networks(self) -> list["ParaphraseModel"]:
        return []


def tested_outcomes(model: NluModel, test: Sequence[Utterance], intents: Sequence[str]) -> FunctionalityOutcomes:
    """Return what the model gets right of the official test."""
    predictions = model.predict([u.text for u in test])
    return outcomes_of_functionality(outcomes(test, predictions), intents)


def read_rows(cells: Sequence[Done]) -> list[Mapping[str, Json]]:
    """Return the rows of all cells, in order."""
    rows: list[Mapping[str, Json]] = []
    for cell in cells:
        found = read_json(cell.folder / "rows.json")
        if isinstance(found, list):
            rows.extend(found)
    return rows


def digest_of_config(config: IntentStudyConfig) -> str:
    """Return the digest that the signature of the study's results shows."""
    return digest_of_json(config.model_dump(mode="json"))
