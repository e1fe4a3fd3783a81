"""The growth study: intents brought up one after another while logs come in, with hidden labels as the annotator.

After each round every system is measured on all intents so far. Users ask for what the agent offers: the hidden
utterances of an intent are spread over the slices of the pool from its own round on.
"""

from pathlib import Path
from typing import ClassVar

from seedcorn.runs import Context, Run, Stage
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


def measure_all(config: GrowthStudyConfig, *, folder: Path) -> list[RoundMeasure]:
    """Return the measures of every system and random seed; those of ``folder`` that are done are not made again."""
    runs = [Run(folder=folder / f"random-seed-{seed}", random_seed=seed) for seed in config.random_seeds]
    return [
        measure
        for run in runs
        for system in config.systems
        for measure in run.do(MeasureSystem(config=_of_one(config, system), system=system), name=system).value.rounds
    ]


def measure_labels(config: GrowthStudyConfig, *, folder: Path) -> list[LabelMeasures]:
    """Return what forecasts and label noise measure, for each random seed."""
    runs = [Run(folder=folder / f"random-seed-{seed}", random_seed=seed) for seed in config.random_seeds]
    first = next(iter(config.systems))
    stage = MeasureLabels(config=_of_one(config, first).model_copy(update={"name": "labels", "measured_rounds": ()}))
    return [run.do(stage).value for run in runs]


def _of_one(config: GrowthStudyConfig, system: str) -> GrowthStudyConfig:
    """Return what decides about the measures of ``system``: not the other systems, nor their roles."""
    roles = dict.fromkeys(("baseline", "reported", "chosen", "random", "oracle"), system)
    return config.model_copy(
        update={"name": system, "random_seeds": (0,), "systems": {system: config.systems[system]}, **roles}
    )
