"""``seedcorn intent``: the intent pipeline."""

from seedcorn.cli.application import app
from seedcorn.cli.configured import ConfigFile, DryRun, Overrides, RunFolder, Threads, run_configured
from seedcorn.cli.options import AsJson, Engine, Quiet, progress, show


@app.command()
def intent(
    config_file: ConfigFile,
    run_dir: RunFolder = None,
    overrides: Overrides = None,
    dry_run: DryRun = False,
    engine: Engine = "local",
    threads: Threads = 1,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Bring up a new intent: select from the pool, self-train, measure, report. The same command resumes a run."""
    from seedcorn.intent.pipeline import IntentConfig
    from seedcorn.intent.run import run_and_report

    with progress(quiet):
        done = run_configured(
            config_file,
            IntentConfig,
            run_and_report,
            run_dir=run_dir,
            overrides=overrides or (),
            dry_run=dry_run,
            engine=engine,
            n_threads=threads,
        )
    show(done, as_json=as_json)
