"""What the commands with a configuration file share: their options, and how a pipeline is run from one."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol, TypeAlias, TypeVar

import typer

from seedcorn.config import Settings

if TYPE_CHECKING:
    from seedcorn.files import Json
    from seedcorn.runs import Run, Stage, StageResult

ConfigFile: TypeAlias = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The configuration (YAML).")]
RunFolder: TypeAlias = Annotated[Path | None, typer.Option("--run-dir", help="Default: runs/NAME.")]
Overrides: TypeAlias = Annotated[
    list[str] | None, typer.Option("--set", help="Override a setting: key.subkey=value; repeatable.")
]
Threads: TypeAlias = Annotated[
    int, typer.Option(min=1, help="Threads of a pass over a pool, or processors of a Ray cluster here.")
]
DryRun: TypeAlias = Annotated[
    bool, typer.Option("--dry-run", help="Check the configuration and its files, list the stages, run nothing.")
]


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


def run_configured(
    config_file: Path,
    model: type[Config],
    pipeline: Pipeline[Config],
    *,
    run_dir: Path | None,
    overrides: Sequence[str] = (),
    dry_run: bool = False,
    engine: str = "local",
    n_threads: int = 1,
) -> "dict[str, Json]":
    """Run ``pipeline`` in its run folder, by default runs/NAME, and return where folder and report are.

    Stages of an earlier run that will be made again are named first. ``dry_run`` runs nothing and returns what would be
    run. ``engine`` carries passes over pools out (see engines.mapper_of), ``n_threads`` of them at a time.
    """
    from dataclasses import replace

    from seedcorn.config import dump_config, load_config
    from seedcorn.engines import mapper_of
    from seedcorn.progress import say
    from seedcorn.runs import Run, open_run

    config = load_config(config_file, model, overrides=overrides)
    plan: PipelineConfig = config  # type: ignore[assignment]  # pydantic fields are no protocol members to mypy
    folder = run_dir or Path("runs") / plan.name
    if dry_run:
        return _planned(plan, Run(folder=folder, random_seed=plan.random_seed))
    with open_run(folder, random_seed=plan.random_seed, resolved_config=dump_config(config)) as run:
        if redone := run.to_be_redone(plan.stages()):
            say(f"made again, since their settings or inputs changed: {', '.join(redone)}")
        mapper = mapper_of(engine, n_workers=n_threads)
        report = pipeline(config, run=replace(run, n_threads=n_threads, mapper=mapper))
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
