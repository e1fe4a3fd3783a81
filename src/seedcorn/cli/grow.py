"""``seedcorn grow``: the growth pipeline, a round a run."""

from seedcorn.cli.application import app
from seedcorn.cli.configured import ConfigFile, DryRun, Overrides, RunFolder, run_configured
from seedcorn.cli.options import AsJson, Quiet, progress
from seedcorn.cli.required import Required, show_certified


@app.command()
def grow(
    config_file: ConfigFile,
    run_dir: RunFolder = None,
    overrides: Overrides = None,
    require: Required = None,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Make the next round of an agent in use: new logs, labels and intents; what to annotate next; a certificate.

    The run's folder 'current' holds the new agent where the certificate is passed, else the one of before.
    """
    from seedcorn.growth.pipeline import GrowthConfig
    from seedcorn.growth.report import run_and_report

    with progress(quiet):
        done = run_configured(
            config_file, GrowthConfig, run_and_report, run_dir=run_dir, overrides=overrides or (), dry_run=dry_run
        )
    show_certified(done, require=require, as_json=as_json)
