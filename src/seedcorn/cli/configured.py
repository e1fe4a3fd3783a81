"""What the commands with a configuration file share: their options, and how a pipeline is run from one."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol, TypeAlias, TypeVar

import typer

if TYPE_CHECKING:
    from seedcorn.pipelines.intent import IntentConfig
    from seedcorn.pipelines.language import LanguageConfig
    from seedcorn.runs import Json, Run

ConfigFile: TypeAlias = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The configuration (YAML).")]
RunFolder: TypeAlias = Annotated[Path | None, typer.Option("--run-dir", help="Default: runs/NAME.")]
Overrides: TypeAlias = Annotated[
    list[str] | None, typer.Option("--set", help="Override a setting: key.subkey=value; repeatable.")
]

Config = TypeVar("Config", "IntentConfig", "LanguageConfig")
Config_contra = TypeVar("Config_contra", "IntentConfig", "LanguageConfig", contravariant=True)


class Pipeline(Protocol[Config_contra]):
    """Runs the stages that are not done yet, and returns the path of the report."""

    def __call__(self, config: Config_contra, *, run: "Run", relative_to: Path) -> Path:
        """Return the path of the report; paths in ``config`` count from ``relative_to``."""
        ...


def run_configured(
    config_file: Path,
    model: type[Config],
    pipeline: Pipeline[Config],
    *,
    run_dir: Path | None,
    overrides: Sequence[str] = (),
) -> "dict[str, Json]":
    """Run ``pipeline`` in its run folder, by default runs/NAME, and return where folder and report are."""
    from seedcorn.config import dump_config, load_config
    from seedcorn.runs import open_run

    config = load_config(config_file, model, overrides=overrides)
    folder = run_dir or Path("runs") / config.name
    with open_run(folder, random_seed=config.random_seed, resolved_config=dump_config(config)) as run:
        report = pipeline(config, run=run, relative_to=config_file.resolve().parent)
    return {"run": str(folder), "report": str(report)}
