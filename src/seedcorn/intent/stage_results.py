"""What the stages of the intent pipeline hand to each other: frozen values that are whole files of a run folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import JsonValue

from seedcorn.corpus.formats import read_corpus, write_corpus
from seedcorn.corpus.predictions import Prediction, read_predictions, write_predictions
from seedcorn.corpus.tables import open_parquet, write_batches
from seedcorn.corpus.utterances import UTTERANCE_SCHEMA, Corpus
from seedcorn.evaluation.nlu_changes import CHANGES, ERROR_SCHEMA
from seedcorn.files import Json, read_json, write_json
from seedcorn.nlu.calibration import NluCalibration, load_calibration, save_calibration
from seedcorn.nlu.cross_fitting import CrossFitted
from seedcorn.nlu.model import NluModel
from seedcorn.nlu.saved_model import load_cross_fitted, load_nlu, save_cross_fitted, save_nlu
from seedcorn.selection import FloatArray, Scores, read_scores, write_scores

_MODEL, _SEED_ONLY, _TRAINING_SET = "model", "seed-only-model", "training-set.jsonl"
_CROSS_VALIDATION = "cross-validation"
_ROWS: TypeAlias = list[dict[str, JsonValue]]
_ENDINGS = {"rasa": ".yml", "massive": ".jsonl", "snips": ".json"}


@dataclass(frozen=True, kw_only=True)
class CleanPool:
    """The pool without repetitions and without what is in dev or test.

    ``pool`` has the position of each row in the pool as read and how many rows it stands for, ``rejects`` the rows too
    near to evaluation text with the text they are near to.
    """

    pool: Corpus
    rejects: pa.Table
    counts: Mapping[str, int]

    def save(self, folder: Path) -> None:
        """Write the pool while it streams."""
        write_batches(self.pool.batches(), self.pool.schema, folder / "pool.parquet")
        pq.write_table(self.rejects, folder / "rejects.parquet")
        write_json(self.counts, folder / "counts.json")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote; the pool is streamed from there."""
        return cls(
            pool=open_parquet(folder / "pool.parquet"),
            rejects=pq.read_table(folder / "rejects.parquet"),
            counts=_counts(folder),
        )


@dataclass(frozen=True, kw_only=True)
class RelevantPool:
    """The relevant rows, best first, with the reasons why; the scores of the whole pool; score and precision curves."""

    rows: pa.Table
    scores: Scores
    curves: Mapping[str, Json]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many rows of the pool were scored, kept and rejected."""
        n_in, n_kept = len(self.scores), self.rows.num_rows
        return {"n_in": n_in, "n_kept": n_kept, "n_rejected": n_in - n_kept}

    def save(self, folder: Path) -> None:
        """Write rows, scores and curves."""
        pq.write_table(self.rows, folder / "relevant.parquet")
        write_scores(self.scores, folder / "scores.npz")
        write_json(self.curves, folder / "curves.json")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote."""
        return cls(
            rows=pq.read_table(folder / "relevant.parquet"),
            scores=read_scores(folder / "scores.npz"),
            curves=read_json(folder / "curves.json", dict[str, JsonValue]),
        )


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
        return cls(rows=pq.read_table(folder / "selected.parquet"), n_relevant=_counts(folder)["n_in"])


@dataclass(frozen=True, kw_only=True)
class TrainedTeacher:
    """The model of seed and background with all that stands beside it, and the n-gram model of both.

    ``model`` is what the pool has to beat; ``seed_only`` knows nothing but the annotated utterances. A linear one comes
    with its cross-validation (``fitted``), any other with the calibration of its confidences.
    """

    model: NluModel
    seed_only: NluModel
    fitted: CrossFitted | None = None
    calibration: NluCalibration = NluCalibration()

    @property
    def counts(self) -> Mapping[str, int]:
        """How many models were cross-validated."""
        return {"n_folds": 0 if self.fitted is None else len(self.fitted.fold_models)}

    def save(self, folder: Path) -> None:
        """Write the models, their cross-validation and the calibration."""
        save_nlu(self.model, folder / _MODEL)
        save_nlu(self.seed_only, folder / _SEED_ONLY)
        save_calibration(self.calibration, folder / "calibration.npz")
        if self.fitted is not None:
            save_cross_fitted(self.fitted, folder / _CROSS_VALIDATION)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote."""
        is_cross_fitted = (folder / _CROSS_VALIDATION).exists()
        return cls(
            model=load_nlu(folder / _MODEL),
            seed_only=load_nlu(folder / _SEED_ONLY),
            fitted=load_cross_fitted(folder / _CROSS_VALIDATION) if is_cross_fitted else None,
            calibration=load_calibration(folder / "calibration.npz"),
        )


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
            rounds=read_json(folder / "rounds.json", _ROWS),
            training_set=pq.read_table(folder / "training-set.parquet"),
            counts=_counts(folder),
        )


@dataclass(frozen=True, kw_only=True)
class TrainingFolder:
    """The training set with label, confidence, weight, origin and reason, in every format asked for, and the model."""

    training_set: pa.Table
    model: NluModel
    format: str | None

    @property
    def counts(self) -> Mapping[str, int]:
        """How many utterances the training set has."""
        return {"n_utterances": self.training_set.num_rows}

    def save(self, folder: Path) -> None:
        """Write training-set.jsonl, the other format beside it, and the model."""
        corpus = Corpus.from_table(self.training_set)
        write_corpus(corpus, folder / _TRAINING_SET)
        if self.format is not None:
            # What is only known to be none of the functionality has no place in other tools' files.
            labelled = self.training_set.filter(pc.not_equal(self.training_set.column("intent"), ""))
            path = folder / f"training-set.{self.format}{_ENDINGS.get(self.format, '')}"
            write_corpus(Corpus.from_table(labelled.select(UTTERANCE_SCHEMA.names)), path, format=self.format)
        save_nlu(self.model, folder / _MODEL)
        write_json([self.format], folder / "format.json")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote."""
        return cls(
            training_set=read_corpus(folder / _TRAINING_SET).table(),
            model=load_nlu(folder / _MODEL),
            format=read_json(folder / "format.json", list[str | None])[0],
        )


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


def _counts(folder: Path) -> Mapping[str, int]:
    return read_json(folder / "counts.json", dict[str, int])
