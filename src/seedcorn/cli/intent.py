"""``seedcorn intent``: the intent pipeline."""

from seedcorn.cli import app
from seedcorn.cli.configured import ConfigFile, Overrides, RunFolder, run_configured
from seedcorn.cli.options import AsJson, Quiet, progress, show


@app.command()
def intent(
    config_file: ConfigFile,
    run_dir: RunFolder = None,
    overrides: Overrides = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Bring up a new intent: select from the pool, self-train, measure, report. The same command resumes a run."""
    from seedcorn.pipelines.intent import IntentConfig, run_intent

    with progress(quiet):
        done = run_configured(config_file, IntentConfig, run_intent, run_dir=run_dir, overrides=overrides or ())
    show(done, as_json=as_json)
