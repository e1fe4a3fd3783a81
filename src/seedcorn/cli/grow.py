"""``seedcorn grow``: the growth pipeline, a round a run."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from seedcorn.cli.application import app
from seedcorn.cli.commands import command_of
from seedcorn.cli.configured import run_configured
from seedcorn.cli.options import progress
from seedcorn.cli.required import CertifiedRunOptions, show_certified


@dataclass(frozen=True, kw_only=True)
class GrowOptions(CertifiedRunOptions):
    """The answers of people, what is run, and what must hold of the result."""

    labels: Annotated[
        list[Path] | None,
        typer.Option(exists=True, help="Answers of annotators, in place of data.labels; repeatable."),
    ] = None


@app.command()
@command_of
def grow(options: GrowOptions) -> None:
    """Make the next round of an agent in use: new logs, labels and intents; what to annotate next; a certificate.

    The run's folder 'current' holds the new agent where the certificate is passed, else the one of before.
    """
    from seedcorn.growth.pipeline import GrowthConfig
    from seedcorn.growth.report import run_and_report

    if options.labels:
        answers = json.dumps([str(path.resolve()) for path in options.labels])
        options = replace(options, overrides=[*(options.overrides or ()), f"data.labels={answers}"])
    with progress(options.quiet):
        done = run_configured(options, GrowthConfig, run_and_report)
    show_certified(done, require=options.require, as_json=options.as_json)
