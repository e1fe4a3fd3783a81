"""``seedcorn grow``: the growth pipeline, a round a run."""

from seedcorn.cli.application import app
from seedcorn.cli.commands import command_of
from seedcorn.cli.configured import run_configured
from seedcorn.cli.options import progress
from seedcorn.cli.required import CertifiedRunOptions, show_certified


@app.command()
@command_of
def grow(options: CertifiedRunOptions) -> None:
    """Make the next round of an agent in use: new logs, labels and intents; what to annotate next; a certificate.

    The run's folder 'current' holds the new agent where the certificate is passed, else the one of before.
    """
    from seedcorn.growth.pipeline import GrowthConfig
    from seedcorn.growth.report import run_and_report

    with progress(options.quiet):
        done = run_configured(options, GrowthConfig, run_and_report)
    show_certified(done, require=options.require, as_json=options.as_json)
