"""What the labels of a growth study's agents are measured for, beside its rounds: the forecast, and label noise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from seedcorn.corpus.utterances import Utterance
from seedcorn.files import read_json, write_json
from seedcorn.nlu.linear import LinearSettings, train_linear
from seedcorn.nlu.model import NluTrainer
from seedcorn.runs import Context, Stage
from seedcorn.studies.growth_data import GrowthData, load_growth_data
from seedcorn.studies.growth_labels import ForecastCell, forecast_cell, noise_precision, spoil
from seedcorn.studies.growth_settings import GrowthStudyConfig

_INTENTS_A_CELL = 5
_NOISE = 0.05


@dataclass(frozen=True, kw_only=True)
class LabelMeasures:
    """Forecasts from half of an agent's seeds for all of them, and the precision at 5 % of swapped labels."""

    cells: Sequence[ForecastCell]
    noise_precision: Mapping[str, float]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many forecasts there are."""
        return {"n_cells": len(self.cells)}

    def save(self, folder: Path) -> None:
        """Write all as JSON."""
        write_json(
            {"cells": [cell.__dict__ for cell in self.cells], "noise_precision": self.noise_precision},
            folder / "labels.json",
        )

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote."""
        return cls(**read_json(folder / "labels.json", _Saved).__dict__)


@dataclass(frozen=True, kw_only=True)
class _Saved:
    cells: list[ForecastCell]
    noise_precision: dict[str, float]


class MeasureLabels(Stage[LabelMeasures]):
    """Foretell the errors of agents of five intents each, and look for label noise in all seeds.

    The models are those of the study without their encoder, which thirteen trainings a forecast are too slow with.
    """

    stage_name: ClassVar[str] = "labels"

    config: GrowthStudyConfig

    def __call__(self, *, context: Context) -> LabelMeasures:
        """Return the measures."""
        data = load_growth_data(self.config, random_seed=context.random_seed)
        starts = range(0, len(self.config.intents), _INTENTS_A_CELL)
        groups = [self.config.intents[start : start + _INTENTS_A_CELL] for start in starts]
        seeds = [u for seed in data.seeds for u in seed]
        spoilt = spoil(seeds, fraction=_NOISE, rng=context.rng())
        train = self._trainer(self.config.intents)
        return LabelMeasures(
            cells=[self._cell(group, data, context.random_seed) for group in groups],
            noise_precision=noise_precision(train, spoilt, n_folds=5, random_seed=context.random_seed),
        )

    def _trainer(self, intents: Sequence[str]) -> NluTrainer:
        settings = LinearSettings(
            slot_intents=tuple(intents), slot_intent_copies=1, n_crf_iterations=self.config.model.n_crf_iterations
        )
        return partial(train_linear, settings=settings)

    def _cell(self, intents: Sequence[str], data: GrowthData, random_seed: int) -> ForecastCell:
        def own(rows: Sequence[Utterance]) -> list[Utterance]:
            return [u for u in rows if u.intent in intents]

        return forecast_cell(
            self._trainer(intents),
            own([u for seed in data.seeds for u in seed]),
            own(data.test),
            background=data.background,
            random_seed=random_seed,
        )


def label_summary(measures: Sequence[LabelMeasures]) -> dict[str, float]:
    """Return coverage and mean absolute error of all forecasts, and the mean precision for intents and slots."""
    cells = [cell for measure in measures for cell in measure.cells]
    return {
        "forecast_coverage": float(np.mean([cell.is_covered for cell in cells])),
        "forecast_mean_absolute_error": float(np.mean([abs(cell.forecast - cell.truth) for cell in cells])),
        "label_noise_precision_5": float(np.mean([m.noise_precision["intents"] for m in measures])),
        "slot_noise_precision_5": float(np.mean([m.noise_precision["slots"] for m in measures])),
    }
