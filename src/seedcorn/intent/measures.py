"""What every system does on test, and whether the pool's gain is chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import JsonValue

from seedcorn.corpus.predictions import Prediction, read_predictions, write_predictions
from seedcorn.evaluation.nlu import outcomes, outcomes_of_functionality
from seedcorn.evaluation.nlu_changes import (
    CHANGES,
    ERROR_SCHEMA,
    bootstrap_statistics,
    errors_before_and_after,
    rates,
    reductions,
)
from seedcorn.files import Json, read_json, write_json
from seedcorn.intent.data import IntentData
from seedcorn.intent.self_training import SelfTrained
from seedcorn.intent.teacher import TrainedTeacher
from seedcorn.runs import Context, Stage
from seedcorn.selection import FloatArray

SEED_ONLY, WITHOUT_POOL, WITH_POOL, TRUE_LABELS = "seed only", "without pool", "with pool", "true labels"
_ROWS: TypeAlias = list[dict[str, JsonValue]]


@dataclass(frozen=True, kw_only=True)
class Evaluated:
    """The rates of every system on test, what the reported one gains over each other, and every error.

    ``predictions`` has those of every system, in the order of test; ``statistics`` what a bootstrap resamples, as
    ``system/measure``.
    """

    systems: Sequence[Mapping[str, Json]]
    reductions: Sequence[Mapping[str, Json]]
    errors: pa.Table
    predictions: Mapping[str, Sequence[Prediction]]
    texts: Sequence[str]
    statistics: Mapping[str, FloatArray]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many utterances were tested, and how many errors each kind of change has."""
        changes = self.errors.column("change").to_pylist()
        return {"n_test": len(self.texts)} | {f"n_{c.replace(' ', '_')}": changes.count(c) for c in CHANGES}

    def system(self, name: str) -> tuple[Mapping[str, Json], Mapping[str, FloatArray]]:
        """Return the rates and the statistics of one system."""
        rates = next({k: v for k, v in row.items() if k != "system"} for row in self.systems if row["system"] == name)
        prefix = f"{name}/"
        return rates, {k.removeprefix(prefix): v for k, v in self.statistics.items() if k.startswith(prefix)}

    def save(self, folder: Path) -> None:
        """Write measures, errors, predictions and statistics."""
        write_json({"systems": self.systems, "reductions": self.reductions}, folder / "measures.json")
        pq.write_table(self.errors, folder / "errors.parquet")
        for system, found in self.predictions.items():
            write_predictions(found, self.texts, folder / f"test-{system.replace(' ', '-')}.parquet")
        np.savez_compressed(folder / "statistics.npz", allow_pickle=False, **self.statistics)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote."""
        measures = read_json(folder / "measures.json", dict[str, _ROWS])
        systems = [str(row["system"]) for row in measures["systems"]]
        files = {name: folder / f"test-{name.replace(' ', '-')}.parquet" for name in systems}
        with np.load(folder / "statistics.npz", allow_pickle=False) as saved:
            statistics = dict(saved)
        return cls(
            systems=measures["systems"],
            reductions=measures["reductions"],
            errors=pq.read_table(folder / "errors.parquet", schema=ERROR_SCHEMA),
            predictions={system: read_predictions(path) for system, path in files.items()},
            texts=pq.read_table(next(iter(files.values())), columns=["text"]).column("text").to_pylist(),
            statistics=statistics,
        )


class Evaluate(Stage[Evaluated]):
    """Measure every system on test, with the paired bootstrap of their differences."""

    stage_name: ClassVar[str] = "measures"

    def __call__(
        self, data: IntentData, trained: SelfTrained, teacher: TrainedTeacher, *, context: Context
    ) -> Evaluated:
        """Return rates, reductions and errors."""
        models = {SEED_ONLY: teacher.seed_only, WITHOUT_POOL: teacher.model, WITH_POOL: trained.model}
        texts = [u.text for u in data.test]
        predictions = {name: model.predict(texts) for name, model in models.items()}
        measured = {
            name: outcomes_of_functionality(outcomes(data.test, found), data.intents)
            for name, found in predictions.items()
        }
        systems: list[Mapping[str, Json]] = [{"system": name, **rates(m)} for name, m in measured.items()]
        compared = ((SEED_ONLY, WITH_POOL), (WITHOUT_POOL, WITH_POOL))
        errors = errors_before_and_after(data.test, predictions[WITHOUT_POOL], predictions[WITH_POOL], data.intents)
        return Evaluated(
            systems=systems,
            reductions=[
                {"against": before, **row}
                for before, after in compared
                for row in reductions(measured[before], measured[after], rng=context.rng())
            ],
            errors=pa.Table.from_pylist(errors, schema=ERROR_SCHEMA),
            predictions=predictions,
            texts=texts,
            statistics={
                f"{name}/{measure}": values
                for name, m in measured.items()
                for measure, values in bootstrap_statistics(m).items()
            },
        )
