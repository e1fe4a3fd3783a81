"""``seedcorn intent`` and ``seedcorn report``: the intent pipeline, and the page of a finished run."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from seedcorn.cli import app
from seedcorn.cli.options import AsJson, Quiet, progress, show

ConfigFile: TypeAlias = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The configuration (YAML).")]
RunFolder: TypeAlias = Annotated[Path | None, typer.Option("--run-dir", help="Default: runs/NAME.")]
Overrides: TypeAlias = Annotated[
    list[str] | None, typer.Option("--set", help="Override a setting: key.subkey=value; repeatable.")
]


@app.command()
def intent(
    config_file: ConfigFile,
    run_dir: RunFolder = None,
    overrides: Overrides = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Bring up a new intent: select from the pool, self-train, measure, report. The same command resumes a run."""
    from seedcorn.config import dump_config, load_config
    from seedcorn.pipelines.intent import IntentConfig, run_intent
    from seedcorn.runs import open_run

    config = load_config(config_file, IntentConfig, overrides=overrides or ())
    folder = run_dir or Path("runs") / config.name
    with (
        progress(quiet),
        open_run(folder, random_seed=config.random_seed, resolved_config=dump_config(config)) as run,
    ):
        report = run_intent(config, run=run, relative_to=config_file.resolve().parent)
    show({"run": str(folder), "report": str(report)}, as_json=as_json)
