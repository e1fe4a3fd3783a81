"""Studies of the intent pipeline: corpora x functionalities x random seeds, each cell run by the pipeline itself.

The systems of a cell are the pipeline with other settings. All runs share one store of finished results, so that what
two of them have in common is made once, and a study goes on where it stopped.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple, Self

from pydantic import Field, model_validator

from seedcorn.config import Settings, fields_of
from seedcorn.files import Json
from seedcorn.intent.data import ReadIntentData
from seedcorn.intent.diversity import SelectDiverse
from seedcorn.intent.measures import SEED_ONLY, TRUE_LABELS, WITH_POOL, WITHOUT_POOL, Evaluated
from seedcorn.intent.oracle import MeasuredSystem, TrainOracle
from seedcorn.intent.pipeline import IntentConfig, IntentRunSettings, run_intent
from seedcorn.intent.relevance import SelectRelevant
from seedcorn.intent.self_training import SelfTrain
from seedcorn.nlu.training import SelfTrainingSettings
from seedcorn.progress import ProgressMode, showing_progress
from seedcorn.runs import Run
from seedcorn.studies.grid import make_cells


class System(Settings):
    """The pipeline with other settings: each section that is given replaces that of the study."""

    relevance: SelectRelevant | None = None
    diversity: SelectDiverse | None = None
    self_training: SelfTrain | None = None


class StudyData(ReadIntentData):
    """As the data of a run; the intents are those of the cell's functionality."""

    intents: tuple[str, ...] = ()


class StudyCorpus(Settings):
    """One corpus of a study, and what a run on it has other settings of."""

    data: StudyData
    self_training: SelfTrain | None = None
    functionalities: Mapping[str, tuple[str, ...]] | None = None


class IntentStudyConfig(Settings):
    """The configuration file of an intent study; configs/study-intent-massive.yaml explains every setting.

    ``functionalities`` are brought up one by one; those named in ``reported`` are for the summary alone, every choice
    is made on the others. ``systems`` differ from ``run``; the first is the one that the summary reports.
    """

    study: Literal["intent"]
    name: str = Field(min_length=1)
    random_seeds: tuple[int, ...] = Field((1, 2, 3), min_length=1)
    seed_sizes: tuple[int, ...] = Field((50,), min_length=1)
    functionalities: Mapping[str, tuple[str, ...]] = Field(min_length=1)
    reported: tuple[str, ...] = ()
    corpora: Mapping[str, StudyCorpus] = Field(min_length=1)
    run: IntentRunSettings = IntentRunSettings()
    systems: Mapping[str, System] = {WITH_POOL: System()}
    true_labels: bool = True

    @model_validator(mode="after")
    def _reported_functionalities_exist(self) -> Self:
        known = {name for corpus in self.corpora.values() for name in self.of_corpus(corpus)}
        for name in self.reported:
            if name not in known:
                raise ValueError(f"'{name}' is not one of the functionalities {', '.join(sorted(known))}")
        return self

    def of_corpus(self, corpus: StudyCorpus) -> Mapping[str, tuple[str, ...]]:
        """Return the functionalities that are brought up on ``corpus``."""
        return self.functionalities if corpus.functionalities is None else corpus.functionalities


class Cell(NamedTuple):
    """One functionality of one corpus with one seed size and one random seed."""

    corpus: str
    functionality: str
    n_seed: int
    random_seed: int

    @property
    def name(self) -> str:
        """The name of the cell's folder."""
        return "-".join(map(str, self))


@dataclass(frozen=True, kw_only=True)
class MeasuredCell:
    """What every system of a cell measured, by its name; the first two are without the pool."""

    cell: Cell
    systems: Mapping[str, MeasuredSystem]

    def rows(self) -> Iterator[dict[str, Json]]:
        """Yield one row a system."""
        for name, system in self.systems.items():
            yield {**self.cell._asdict(), "system": name, "n_added": system.n_added, **system.rates}


def cells_of(config: IntentStudyConfig) -> list[Cell]:
    """Return all cells in the order in which they are made: every functionality once before the next random seed."""
    return [
        Cell(corpus, functionality, n_seed, random_seed)
        for n_seed in config.seed_sizes
        for random_seed in config.random_seeds
        for corpus, settings in config.corpora.items()
        for functionality in config.of_corpus(settings)
    ]


def run_cells(config: IntentStudyConfig, *, folder: Path, n_workers: int) -> list[MeasuredCell]:
    """Make all cells, ``n_workers`` at a time, each in one process and one thread, and return them in order.

    What a cell says does not depend on the number of workers.
    """
    make = partial(_silently_run_cell, config=config, folder=folder)
    return make_cells(make, cells_of(config), what="cells", n_workers=n_workers)


def _silently_run_cell(cell: Cell, *, config: IntentStudyConfig, folder: Path) -> MeasuredCell:
    with showing_progress(ProgressMode.SILENT):
        return run_cell(cell, config, folder=folder)


def run_cell(cell: Cell, config: IntentStudyConfig, *, folder: Path) -> MeasuredCell:
    """Run the pipeline for every system of ``cell``, and the oracle; what is done is found in the study's store."""
    run = Run(folder=folder / "cells" / cell.name, random_seed=cell.random_seed, store=folder / "store")
    run.folder.mkdir(parents=True, exist_ok=True)
    systems: dict[str, MeasuredSystem] = {}
    for name, system in config.systems.items():
        settings = settings_of(cell, config, system)
        made = run_intent(settings, run=run)
        evaluated, n_added = made.evaluated.value, made.trained.record.counts["n_kept"]
        for baseline in (SEED_ONLY, WITHOUT_POOL):
            if baseline not in systems:
                systems[baseline] = _measured(evaluated, baseline, n_added=0)
        systems[name] = _measured(evaluated, WITH_POOL, n_added=n_added)
        if config.true_labels and TRUE_LABELS not in systems:
            oracle = TrainOracle(**fields_of(settings.self_training, SelfTrainingSettings))
            systems[TRUE_LABELS] = run.do(oracle, made.data, made.teacher).value
    return MeasuredCell(cell=cell, systems=systems)


def _measured(evaluated: Evaluated, name: str, *, n_added: int) -> MeasuredSystem:
    rates, statistics = evaluated.system(name)
    return MeasuredSystem(rates=rates, statistics=statistics, n_added=n_added)


def settings_of(cell: Cell, config: IntentStudyConfig, system: System) -> IntentConfig:
    """Return the settings of the pipeline for one system of a cell."""
    corpus = config.corpora[cell.corpus]
    given = {name: getattr(system, name) for name in System.model_fields}
    sections = {name: section for name, section in given.items() if section is not None}
    if corpus.self_training is not None:
        sections.setdefault("self_training", corpus.self_training)
    intents = config.of_corpus(corpus)[cell.functionality]
    data = fields_of(corpus.data, ReadIntentData) | {"intents": intents}
    if corpus.data.annotated is not None:
        data["annotated"] = corpus.data.annotated.model_copy(update={"n_seed": cell.n_seed})
    return IntentConfig(
        name=cell.name,
        random_seed=cell.random_seed,
        data=ReadIntentData.model_validate(data),
        annotation=None,
        certificate=None,
        **{**fields_of(config.run, IntentRunSettings), **sections},
    )


def systems_of(cells: Sequence[MeasuredCell]) -> list[str]:
    """Return the names of all systems, in the order in which they are made."""
    return list(dict.fromkeys(name for cell in cells for name in cell.systems))
