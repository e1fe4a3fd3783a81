"""Which stages a pipeline would do, without doing any."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from seedcorn.runs.engine import Result, Run
from seedcorn.runs.record import StageRecord
from seedcorn.runs.stage import Stage, StageResult, T


@dataclass(frozen=True, kw_only=True)
class PlannedRun(Run):
    """A run that notes the stages it is given, by the names of their folders; their results have no values."""

    stages: dict[str, Stage[StageResult]] = field(default_factory=dict)

    def do(self, stage: Stage[T], *results: Result[StageResult], name: str = "") -> Result[T]:
        """Note ``stage``, and return a result that only names it."""
        name = name or type(stage).stage_name
        self.stages[name] = stage
        inputs = {result.name: "" for result in results}
        record = StageRecord(
            stage=name,
            fingerprint="",
            output_digest="",
            settings={},
            inputs=inputs,
            versions={},
            random_seed=self.random_seed,
            counts={},
        )
        return Result(name=name, folder=self.folder / name, record=record, type=stage.result_type())

    def ahead(
        self, stage: Stage[StageResult], *results: Result[StageResult], name: str = ""
    ) -> AbstractContextManager[None]:
        """Do nothing: ``do`` notes it."""
        return nullcontext()
