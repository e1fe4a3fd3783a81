"""The relevant rows that add something."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from seedcorn.diversity.choosing import DiversityChoice, choose_diverse
from seedcorn.files import read_json, write_json
from seedcorn.intent.data import IntentData
from seedcorn.intent.relevance import RelevantPool
from seedcorn.intent.teacher import TrainedTeacher
from seedcorn.nlu.cross_fitting import log_odds_of
from seedcorn.nlu.pseudo_labels import PseudoLabel, pseudo_labels
from seedcorn.nlu.teacher import Teacher
from seedcorn.runs import Context, Stage
from seedcorn.selection import PositionArray, Scores

_SURELY_OTHER = 0.1


@dataclass(frozen=True, kw_only=True)
class SelectedPool:
    """The relevant rows that add something, in the order chosen, each with its round and its gain."""

    rows: pa.Table
    n_relevant: int

    @property
    def texts(self) -> list[str]:
        """The texts, in the order chosen."""
        return self.rows.column("text").to_pylist()

    @property
    def counts(self) -> Mapping[str, int]:
        """How many of the relevant rows were kept and rejected."""
        n_kept = self.rows.num_rows
        return {"n_in": self.n_relevant, "n_kept": n_kept, "n_rejected": self.n_relevant - n_kept}

    def save(self, folder: Path) -> None:
        """Write the rows."""
        pq.write_table(self.rows, folder / "selected.parquet")
        write_json(self.counts, folder / "counts.json")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote."""
        return cls(
            rows=pq.read_table(folder / "selected.parquet"),
            n_relevant=read_json(folder / "counts.json", dict[str, int])["n_in"],
        )


class SelectDiverse(DiversityChoice, Stage[SelectedPool]):
    """Keep of the relevant rows what adds something, each with its round and gain."""

    stage_name: ClassVar[str] = "diversity"

    def __call__(
        self, data: IntentData, relevant: RelevantPool, teacher: TrainedTeacher, *, context: Context
    ) -> SelectedPool:
        """Return the rows in the order chosen. Raises DataError when the teacher is unsure of all."""
        texts = relevant.rows.column("text").to_pylist()
        by_rank = Scores(values=-np.arange(len(texts), dtype=np.float64), name="relevance rank")
        chosen = choose_diverse(
            texts,
            by_rank,
            seed=data.seed,
            background=data.background,
            choice=self,
            random_seed=context.random_seed,
            groups=_sure_groups(texts, data, teacher) if self.cleaned else None,
        )
        rows = relevant.rows.take(pa.array(chosen.positions))
        rows = rows.append_column("round", pa.array(chosen.rounds)).append_column("gain", pa.array(chosen.gains))
        return SelectedPool(rows=rows, n_relevant=len(texts))


def _sure_groups(texts: Sequence[str], data: IntentData, teacher: TrainedTeacher) -> list[PositionArray]:
    """Return the rows that the teacher is sure are of the functionality, and those it is sure are of others."""
    if teacher.fitted is None:
        by_gates = Teacher(model=teacher.model, calibration=teacher.calibration)
        labels = pseudo_labels(texts, data.intents, teacher=by_gates)
        return [np.flatnonzero(labels == kind) for kind in (PseudoLabel.FUNCTIONALITY, PseudoLabel.OTHER_INTENT)]
    fitted = teacher.fitted
    probabilities = fitted.calibration.probabilities(log_odds_of(fitted.model, data.intents, texts))
    return [np.flatnonzero(probabilities >= 0.5), np.flatnonzero(probabilities <= _SURELY_OTHER)]
