"""The model that the pool makes: selected rows labelled by the teacher, and trained on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import JsonValue

from seedcorn.config import fields_of
from seedcorn.files import Json, read_json, write_json
from seedcorn.intent.answers import Answers
from seedcorn.intent.contamination import CleanPool
from seedcorn.intent.data import IntentData
from seedcorn.intent.diversity import SelectedPool
from seedcorn.intent.teacher import TrainedTeacher, TrainTeacher
from seedcorn.intent.training_set import decision_table, training_set
from seedcorn.nlu.cross_fitting import CrossFitted
from seedcorn.nlu.model import NluModel
from seedcorn.nlu.pool_labels import PoolLabel
from seedcorn.nlu.pool_training import self_train_at_budget
from seedcorn.nlu.saved_model import load_nlu, save_nlu
from seedcorn.nlu.teacher import Teacher
from seedcorn.nlu.training import NluSettings, SelfTrainingSettings, knowledge_of_model, self_train_by_dev, trainer
from seedcorn.nlu.without_pool import BudgetSettings
from seedcorn.progress import say
from seedcorn.relevance.requests import RequestGate, fit_request_gate
from seedcorn.relevance.streaming import sample_texts
from seedcorn.runs import Context, Stage

_MODEL = "model"
_N_GATE_TEXTS, _FEWEST_GATE_TEXTS = 20_000, 2
_ROWS_SAMPLED_FROM = 2_000_000
_Found: TypeAlias = tuple[NluModel, Sequence[PoolLabel], Sequence[Mapping[str, Json]]]


@dataclass(frozen=True, kw_only=True)
class SelfTrained:
    """The model that the pool made, what was decided on every selected row and why, and the rounds.

    ``training_set`` is what the model was trained on: seed, background and accepted rows, each with label, confidence,
    weight, origin and reason.
    """

    model: NluModel
    decisions: pa.Table
    rounds: Sequence[Mapping[str, Json]]
    training_set: pa.Table
    counts: Mapping[str, int]

    def save(self, folder: Path) -> None:
        """Write model, decisions, rounds and the training set."""
        save_nlu(self.model, folder / _MODEL)
        pq.write_table(self.decisions, folder / "decisions.parquet")
        write_json(self.rounds, folder / "rounds.json")
        pq.write_table(self.training_set, folder / "training-set.parquet")
        write_json(self.counts, folder / "counts.json")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote."""
        return cls(
            model=load_nlu(folder / _MODEL),
            decisions=pq.read_table(folder / "decisions.parquet"),
            rounds=read_json(folder / "rounds.json", list[dict[str, JsonValue]]),
            training_set=pq.read_table(folder / "training-set.parquet"),
            counts=read_json(folder / "counts.json", dict[str, int]),
        )


class SelfTrain(SelfTrainingSettings, Stage[SelfTrained]):
    """Label the selected rows by the teacher, train on what it is sure of, and go on as long as that is no worse."""

    stage_name: ClassVar[str] = "self-training"

    @property
    def teacher(self) -> TrainTeacher:
        """The stage that trains the teacher: the same kind of model without the pool."""
        return TrainTeacher(**fields_of(self, NluSettings), **fields_of(self, BudgetSettings))

    def __call__(
        self,
        data: IntentData,
        clean: CleanPool,
        selected: SelectedPool,
        teacher: TrainedTeacher,
        *answers: Answers,
        context: Context,
    ) -> SelfTrained:
        """Return the model with the pool, what was decided on every row, and the whole training set.

        ``answers`` are of large language models: the slots that they see are one more view.
        """
        model, labels, rounds = (
            self._by_dev(data, selected, teacher, context)
            if teacher.fitted is None
            else self._at_budget(data, clean, selected, teacher.fitted, answers, context)
        )
        whole = training_set(data, selected.rows, labels)
        n_in, n_kept = selected.rows.num_rows, whole.num_rows - len(data.labelled)
        return SelfTrained(
            model=model,
            decisions=decision_table(labels, selected.rows),
            rounds=rounds,
            training_set=whole,
            counts={"n_in": n_in, "n_kept": n_kept, "n_rejected": n_in - n_kept},
        )

    def _at_budget(
        self,
        data: IntentData,
        clean: CleanPool,
        selected: SelectedPool,
        fitted: CrossFitted,
        answers: Sequence[Answers],
        context: Context,
    ) -> _Found:
        sample = sample_texts(clean.pool.texts(), n_texts=_N_GATE_TEXTS, n_rows=_ROWS_SAMPLED_FROM, rng=context.rng())
        gate = _request_gate([u.text for u in data.labelled], sample, random_seed=context.random_seed)
        found = self_train_at_budget(
            fitted,
            selected.texts,
            gate=gate,
            train=trainer(self, intents=data.intents, knowledge=knowledge_of_model(fitted.model)),
            settings=self,
            hints={text: hint for answered in answers for text, hint in answered.hints().items()},
            random_seed=context.random_seed,
            n_processes=context.n_processes,
        )
        return found.model, found.labels, found.as_rows()

    def _by_dev(self, data: IntentData, selected: SelectedPool, teacher: TrainedTeacher, context: Context) -> _Found:
        found = self_train_by_dev(
            seed=data.seed,
            background=data.background,
            texts=selected.texts,
            dev=data.dev,
            intents=data.intents,
            settings=self,
            random_seed=context.random_seed,
            teacher=Teacher(model=teacher.model, calibration=teacher.calibration),
        )
        return found.model, found.labels, [round_.as_row() for round_ in found.rounds]


def _request_gate(labelled: Sequence[str], sample: pa.StringArray, *, random_seed: int) -> RequestGate | None:
    if len(sample) < _FEWEST_GATE_TEXTS:
        say(f"self-training: a pool of {len(sample)} texts cannot tell requests from other text; all of it passes")
        return None
    return fit_request_gate(labelled, sample, random_seed=random_seed)
