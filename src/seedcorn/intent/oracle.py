"""What true labels would bring: the oracle of studies, which only an annotated corpus with hidden labels has."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self, TypeAlias

import numpy as np
from pydantic import JsonValue

from seedcorn.corpus.normalising import normalise_all
from seedcorn.evaluation.nlu import outcomes, outcomes_of_functionality
from seedcorn.evaluation.nlu_changes import bootstrap_statistics, rates
from seedcorn.files import Json, read_json, write_json
from seedcorn.intent.data import IntentData
from seedcorn.intent.teacher import TrainedTeacher
from seedcorn.nlu.model import NluModel
from seedcorn.nlu.training import SelfTrainingSettings, knowledge_of_model, trainer
from seedcorn.nlu.without_pool import train_without_pool
from seedcorn.runs import Context, Stage
from seedcorn.selection import FloatArray

_Rates: TypeAlias = dict[str, JsonValue]


@dataclass(frozen=True, kw_only=True)
class MeasuredSystem:
    """The rates of one system on test, what a bootstrap resamples, and how many utterances were added."""

    rates: Mapping[str, Json]
    statistics: Mapping[str, FloatArray]
    n_added: int

    @property
    def counts(self) -> Mapping[str, int]:
        """How many utterances were added."""
        return {"n_added": self.n_added}

    def save(self, folder: Path) -> None:
        """Write rates and statistics."""
        write_json({**self.rates, "n_added": self.n_added}, folder / "measures.json")
        np.savez_compressed(folder / "statistics.npz", allow_pickle=False, **self.statistics)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote."""
        rates = read_json(folder / "measures.json", _Rates)
        n_added = int(str(rates.pop("n_added")))
        with np.load(folder / "statistics.npz", allow_pickle=False) as saved:
            return cls(rates=rates, statistics=dict(saved), n_added=n_added)


def measured_system(model: NluModel, data: IntentData, *, n_added: int) -> MeasuredSystem:
    """Return what ``model`` gets right of test."""
    found = model.predict([u.text for u in data.test])
    measured = outcomes_of_functionality(outcomes(data.test, found), data.intents)
    return MeasuredSystem(rates=rates(measured), statistics=bootstrap_statistics(measured), n_added=n_added)


class TrainOracle(SelfTrainingSettings, Stage[MeasuredSystem]):
    """Train on everything that is hidden in the pool with its true labels, and measure it."""

    stage_name: ClassVar[str] = "oracle"

    def __call__(self, data: IntentData, teacher: TrainedTeacher, *, context: Context) -> MeasuredSystem:
        """Return the measures; what is equal to an utterance of dev or test is left out."""
        evaluation = set(normalise_all([u.text for u in (*data.dev, *data.test)]))
        normalised = normalise_all([u.text for u in data.hidden])
        hidden = [u for u, text in zip(data.hidden, normalised, strict=True) if text not in evaluation]
        intents = set(data.intents)
        own, others = ([u for u in hidden if (u.intent in intents) == is_own] for is_own in (True, False))
        fitted = train_without_pool(
            [*data.seed, *own],
            [*data.background, *others],
            data.dev,
            train=trainer(self, intents=data.intents, knowledge=knowledge_of_model(teacher.model), few=False),
            settings=self.model_copy(update={"seed_weight": 1.0}),
            random_seed=context.random_seed,
            n_processes=context.n_processes,
        )
        return measured_system(fitted.at_budget(self.false_alarm_budget), data, n_added=len(hidden))
