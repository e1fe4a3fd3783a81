"""What users take home: training set and model."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import pyarrow as pa
import pyarrow.compute as pc

from seedcorn.corpus.formats import read_corpus, write_corpus
from seedcorn.corpus.utterance_columns import UTTERANCE_SCHEMA
from seedcorn.corpus.utterances import Corpus
from seedcorn.files import read_json, write_json
from seedcorn.intent.self_training import SelfTrained
from seedcorn.nlu.model import NluModel
from seedcorn.nlu.saved_model import load_nlu, save_nlu
from seedcorn.runs import Context, Stage

_MODEL, _TRAINING_SET = "model", "training-set.jsonl"
_ENDINGS = {"rasa": ".yml", "massive": ".jsonl", "snips": ".json"}


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


class WriteTraining(Stage[TrainingFolder]):
    """Write what users take home: the training set as JSON lines and in the format they name, and the model.

    ``format`` is one of those that ``seedcorn data convert`` writes, such as rasa, conll or parquet.
    """

    stage_name: ClassVar[str] = "training"
    is_random: ClassVar[bool] = False

    format: str | None = None

    def __call__(self, trained: SelfTrained, *, context: Context) -> TrainingFolder:
        """Return the folder's content."""
        return TrainingFolder(training_set=trained.training_set, model=trained.model, format=self.format)
