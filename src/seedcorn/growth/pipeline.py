"""A round of growth: what is deployed + what came in -> next model -> what to annotate next, and a certificate."""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import Field

from seedcorn.deployment.batch import ToAnnotate
from seedcorn.deployment.certificate import Certificate
from seedcorn.engines.settings import EngineSettings
from seedcorn.files import naming_the_place
from seedcorn.growth.agent import CURRENT, Agent
from seedcorn.growth.data import GrowthData, ReadGrowthData
from seedcorn.growth.stages import (
    Certify,
    ChooseToAnnotate,
    Drifted,
    GrowModel,
    MeasureDrift,
    NewLogs,
    ScreenLogs,
)
from seedcorn.progress import say
from seedcorn.runs import Result, Run, Stage, StageRecord, StageResult


class GrowthConfig(EngineSettings):
    """The configuration file of ``seedcorn grow``; configs/grow-builtin.yaml explains every setting."""

    name: str = Field(min_length=1)
    random_seed: int = Field(1, ge=0)
    data: ReadGrowthData
    contamination: ScreenLogs = ScreenLogs()
    drift: MeasureDrift = MeasureDrift()
    model: GrowModel = GrowModel()
    annotation: ChooseToAnnotate = ChooseToAnnotate()
    certificate: Certify = Certify()

    def stages(self) -> Mapping[str, Stage[StageResult]]:
        """Return the stages by the names of their folders, in the order in which they run."""
        stages: tuple[Stage[StageResult], ...] = (
            self.data,
            self.contamination,
            self.drift,
            self.model,
            self.annotation,
            self.certificate,
        )
        return {type(stage).stage_name: stage for stage in stages}


@dataclass(frozen=True, kw_only=True)
class GrowthResult:
    """The finished stages of a round, in their order."""

    name: str
    data: Result[GrowthData]
    logs: Result[NewLogs]
    drift: Result[Drifted]
    agent: Result[Agent]
    to_annotate: Result[ToAnnotate]
    certificate: Result[Certificate]

    def records(self) -> Iterator[StageRecord]:
        """Yield the record of every stage, in order."""
        for stage in (self.data, self.logs, self.drift, self.agent, self.to_annotate, self.certificate):
            yield stage.record


def run_growth(config: GrowthConfig, *, run: Run) -> GrowthResult:
    """Run the stages that are not done yet, and promote the new agent where its certificate allows it.

    Raises SeedcornError for whatever a user can mend; then what was current stays current.
    """
    run = replace(run, n_threads=config.n_threads, mapper=config.mapper())
    data = run.do(config.data)
    logs = run.do(config.contamination, data)
    drift = run.do(config.drift, data, logs)
    agent = run.do(config.model, data, logs)
    to_annotate = run.do(config.annotation, data, logs, agent)
    certificate = run.do(config.certificate, data, agent)
    promote(agent.value if certificate.value.passed else data.value.agent, run.folder)
    for reason in certificate.value.reasons:
        say(f"not promoted: {reason}")
    return GrowthResult(
        name=config.name,
        data=data,
        logs=logs,
        drift=drift,
        agent=agent,
        to_annotate=to_annotate,
        certificate=certificate,
    )


def promote(agent: Agent, run_folder: Path) -> None:
    """Make ``agent`` the one that ``current`` holds, by one renaming."""
    partial, old = run_folder / f".{CURRENT}.partial", run_folder / f".{CURRENT}.old"
    for folder in (partial, old):
        shutil.rmtree(folder, ignore_errors=True)
    try:
        with naming_the_place(run_folder / CURRENT):
            agent.save(partial)
        if (run_folder / CURRENT).exists():
            (run_folder / CURRENT).rename(old)
        partial.rename(run_folder / CURRENT)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)
