"""The growth study: intents brought up one after another while logs come in, with hidden labels as the annotator.

After each round every system is measured on all intents so far. Users ask for what the agent offers: the hidden
utterances of an intent are spread over the slices of the pool from its own round on.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar, NamedTuple

from seedcorn.runs import Context, Run, Stage
from seedcorn.studies.grid import make_cells
from seedcorn.studies.growth_data import load_growth_data
from seedcorn.studies.growth_label_measures import LabelMeasures, MeasureLabels
from seedcorn.studies.growth_rounds import RoundMeasure, SystemMeasures, run_system
from seedcorn.studies.growth_settings import GrowthStudyConfig


class MeasureSystem(Stage[SystemMeasures]):
    """Take one system of a study through all rounds."""

    stage_name: ClassVar[str] = "system"

    config: GrowthStudyConfig
    system: str

    def __call__(self, *, context: Context) -> SystemMeasures:
        """Return its measures."""
        data = load_growth_data(self.config, random_seed=context.random_seed)
        return SystemMeasures(rounds=run_system(self.config, self.system, data, random_seed=context.random_seed))


class GrowthCell(NamedTuple):
    """One system of a study, with one random seed."""

    random_seed: int
    system: str

    @property
    def name(self) -> str:
        """The cell's folder in that of the study."""
        return f"random-seed-{self.random_seed}/{self.system}"


def cells_of(config: GrowthStudyConfig) -> list[GrowthCell]:
    """Return all cells in the order in which they are made."""
    return [GrowthCell(seed, system) for seed in config.random_seeds for system in config.systems]


def measure_all(config: GrowthStudyConfig, *, folder: Path, n_workers: int = 1) -> list[RoundMeasure]:
    """Return the measures of every system and random seed; those of ``folder`` that are done are not made again.

    ``n_workers`` cells are made at a time; no measure depends on it.
    """
    measure = partial(_measure_cell, config=config, folder=folder)
    made = make_cells(measure, cells_of(config), what="systems", n_workers=n_workers)
    return [measured for rounds in made for measured in rounds]


def _measure_cell(cell: GrowthCell, *, config: GrowthStudyConfig, folder: Path) -> Sequence[RoundMeasure]:
    stage = MeasureSystem(config=_of_one(config, cell.system), system=cell.system)
    return _run_of(folder, cell.random_seed).do(stage, name=cell.system).value.rounds


def measure_labels(config: GrowthStudyConfig, *, folder: Path, n_workers: int = 1) -> list[LabelMeasures]:
    """Return what forecasts and label noise measure, for each random seed."""
    measure = partial(_measure_labels_of, config=config, folder=folder)
    return make_cells(measure, config.random_seeds, what="labels", n_workers=n_workers)


def _measure_labels_of(random_seed: int, *, config: GrowthStudyConfig, folder: Path) -> LabelMeasures:
    only = _of_one(config, next(iter(config.systems)))
    stage = MeasureLabels(config=only.model_copy(update={"name": "labels", "measured_rounds": ()}))
    return _run_of(folder, random_seed).do(stage).value


def _run_of(folder: Path, random_seed: int) -> Run:
    return Run(folder=folder / f"random-seed-{random_seed}", random_seed=random_seed)


def _of_one(config: GrowthStudyConfig, system: str) -> GrowthStudyConfig:
    """Return what decides about the measures of ``system``: not the other systems, nor their roles."""
    roles = dict.fromkeys(("baseline", "reported", "chosen", "random", "random_twice", "oracle"), system)
    return config.model_copy(
        update={"name": system, "random_seeds": (0,), "systems": {system: config.systems[system]}, **roles}
    )
