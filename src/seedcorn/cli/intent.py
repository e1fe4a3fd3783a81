"""``seedcorn intent``: the intent pipeline."""

from dataclasses import dataclass

from seedcorn.cli.application import app
from seedcorn.cli.commands import command_of
from seedcorn.cli.configured import ConfigFile, DryRun, Overrides, RunFolder, Threads, run_configured
from seedcorn.cli.options import Engine, Shown, progress
from seedcorn.cli.required import Required, show_certified


@dataclass(frozen=True, kw_only=True)
class IntentOptions(Shown):
    """The configuration, where and how it is run, and what must hold of the result."""

    config_file: ConfigFile
    run_dir: RunFolder = None
    overrides: Overrides = None
    require: Required = None
    dry_run: DryRun = False
    engine: Engine = "local"
    threads: Threads = 1


@app.command()
@command_of
def intent(options: IntentOptions) -> None:
    """Bring up a new intent: select from the pool, self-train, measure, report. The same command resumes a run."""
    from seedcorn.intent.pipeline import IntentConfig
    from seedcorn.intent.run import run_and_report

    with progress(options.quiet):
        done = run_configured(
            options.config_file,
            IntentConfig,
            run_and_report,
            run_dir=options.run_dir,
            overrides=options.overrides or (),
            dry_run=options.dry_run,
            engine=options.engine,
            n_threads=options.threads,
        )
    show_certified(done, require=options.require, as_json=options.as_json)
