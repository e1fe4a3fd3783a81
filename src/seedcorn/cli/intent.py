"""``seedcorn intent``: the intent pipeline."""

from seedcorn.cli.application import app
from seedcorn.cli.commands import command_of
from seedcorn.cli.configured import run_configured
from seedcorn.cli.options import progress
from seedcorn.cli.required import CertifiedRunOptions, show_certified


@app.command()
@command_of
def intent(options: CertifiedRunOptions) -> None:
    """Bring up a new intent: select from the pool, self-train, measure, report. The same command resumes a run."""
    from seedcorn.intent.pipeline import IntentConfig
    from seedcorn.intent.run import run_and_report

    with progress(options.quiet):
        done = run_configured(options, IntentConfig, run_and_report)
    show_certified(done, require=options.require, as_json=options.as_json)
