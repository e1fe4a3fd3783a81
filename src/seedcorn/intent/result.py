"""What an intent run has made: the report is a view of it."""

from collections.abc import Iterator
from dataclasses import dataclass

from seedcorn.deployment.batch import ToAnnotate
from seedcorn.deployment.certificate import Certificate
from seedcorn.intent.answers import Answers
from seedcorn.intent.contamination import CleanPool
from seedcorn.intent.data import IntentData
from seedcorn.intent.diversity import SelectedPool
from seedcorn.intent.measures import Evaluated
from seedcorn.intent.relevance import RelevantPool
from seedcorn.intent.self_training import SelfTrained
from seedcorn.intent.teacher import TrainedTeacher
from seedcorn.intent.training_folder import TrainingFolder
from seedcorn.runs import Result, StageRecord


@dataclass(frozen=True, kw_only=True)
class IntentResult:
    """The finished stages of an intent run, in their order."""

    name: str
    random_seed: int
    data: Result[IntentData]
    clean_pool: Result[CleanPool]
    relevant: Result[RelevantPool]
    teacher: Result[TrainedTeacher]
    selected: Result[SelectedPool]
    trained: Result[SelfTrained]
    evaluated: Result[Evaluated]
    training: Result[TrainingFolder]
    answers: tuple[Result[Answers], ...]
    to_annotate: Result[ToAnnotate] | None
    certificate: Result[Certificate] | None

    def records(self) -> Iterator[StageRecord]:
        """Yield the record of every stage, in order; those of a large language model last."""
        for stage in (self.data, self.clean_pool, self.relevant, self.teacher, self.selected, self.trained):
            yield stage.record
        yield self.evaluated.record
        yield self.training.record
        for decided in (self.to_annotate, self.certificate):
            if decided is not None:
                yield decided.record
        for answers in self.answers:
            yield answers.record
