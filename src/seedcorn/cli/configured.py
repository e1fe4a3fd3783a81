"""What the commands with a configuration file share: their options, and how a pipeline is run from one."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol, TypeAlias, TypeVar

import typer

from seedcorn.cli.options import Shown
from seedcorn.config import Settings

if TYPE_CHECKING:
    from seedcorn.files import Json
    from seedcorn.runs import Run, Stage, StageResult

ConfigFile: TypeAlias = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The configuration (YAML).")]
RunFolder: TypeAlias = Annotated[Path | None, typer.Option("--run-dir", help="Default: runs/NAME.")]
Overrides: TypeAlias = Annotated[
    list[str] | None, typer.Option("--set", help="Override a setting: key.subkey=value; repeatable.")
]
OtherEngine: TypeAlias = Annotated[
    str | None, typer.Option("--engine", help="Where passes over pools are made: local, ray (here) or ray:ADDRESS.")
]
OtherThreads: TypeAlias = Annotated[
    int | None, typer.Option("--threads", min=1, help="Threads of such a pass, or processors of a Ray cluster here.")
]
DryRun: TypeAlias = Annotated[
    bool, typer.Option("--dry-run", help="Check the configuration and its files, list the stages, run nothing.")
]


@dataclass(frozen=True, kw_only=True)
class RunOptions(Shown):
    """The configuration of a pipeline, and where and how it is run."""

    config_file: ConfigFile
    run_dir: RunFolder = None
    overrides: Overrides = None
    dry_run: DryRun = False
    engine: OtherEngine = None
    threads: OtherThreads = None

    @property
    def settings(self) -> tuple[str, ...]:
        """What overrides the file: the settings as given, then the engine and its threads."""
        given = {"engine": self.engine, "n_threads": self.threads}
        return (*(self.overrides or ()), *(f"{name}={value}" for name, value in given.items() if value is not None))


class PipelineConfig(Protocol):
    """A configuration of a pipeline."""

    name: str
    random_seed: int

    def stages(self) -> "Mapping[str, Stage[StageResult]]":
        """Return the stages by the names of their folders, in the order in which they run."""
        ...


Config = TypeVar("Config", bound=Settings)
Config_contra = TypeVar("Config_contra", bound=Settings, contravariant=True)


class Pipeline(Protocol[Config_contra]):
    """Runs the stages that are not done yet, and returns the path of the report."""

    def __call__(self, config: Config_contra, *, run: "Run") -> Path:
        """Return the path of the report."""
        ...


def run_configured(options: RunOptions, model: type[Config], pipeline: Pipeline[Config]) -> "dict[str, Json]":
    """Run ``pipeline`` in its run folder, by default runs/NAME, and return where folder and report are.

    Stages of an earlier run that will be made again are named first. A dry run runs nothing and returns what would be
    run.
    """
    from seedcorn.config import dump_config, load_config
    from seedcorn.progress import say
    from seedcorn.runs import Run, open_run

    config = load_config(options.config_file, model, overrides=options.settings)
    plan: PipelineConfig = config  # type: ignore[assignment]  # pydantic fields are no protocol members to mypy
    folder = options.run_dir or Path("runs") / plan.name
    if options.dry_run:
        return _planned(plan, Run(folder=folder, random_seed=plan.random_seed))
    with open_run(folder, random_seed=plan.random_seed, resolved_config=dump_config(config)) as run:
        if redone := run.to_be_redone(plan.stages()):
            say(f"made again, since their settings or inputs changed: {', '.join(redone)}")
        report = pipeline(config, run=replace(run, starts_processes=True))
    return {"run": str(folder), "report": str(report)}


def _planned(plan: PipelineConfig, run: "Run") -> "dict[str, Json]":
    """Return for every stage whether it is new, done before, or to be made again."""
    from seedcorn.runs import read_record

    stages = plan.stages()
    redone = run.to_be_redone(stages)
    state = {
        name: "to be made again" if name in redone else "done before" if read_record(run.folder / name) else "to be run"
        for name in stages
    }
    return {"run": str(run.folder), **state}
