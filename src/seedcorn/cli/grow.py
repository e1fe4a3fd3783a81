"""``seedcorn grow``: the growth pipeline, a round a run."""

from enum import StrEnum
from typing import Annotated

import typer

from seedcorn.cli.application import app
from seedcorn.cli.configured import ConfigFile, DryRun, Overrides, RunFolder, run_configured
from seedcorn.cli.options import EXIT_FAILED, AsJson, Quiet, progress, show


class Requirement(StrEnum):
    """What must hold for exit code 0."""

    CERTIFICATE = "certificate"


@app.command()
def grow(
    config_file: ConfigFile,
    run_dir: RunFolder = None,
    overrides: Overrides = None,
    require: Annotated[
        Requirement | None, typer.Option("--require", help="Exit with 1 when the certificate is not passed.")
    ] = None,
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
    if dry_run:
        show(done, as_json=as_json)
        return
    from pathlib import Path

    from seedcorn.growth.certificate import Certificate

    certificate = Certificate.load(Path(str(done["run"])) / "certificate")
    reasons = "; ".join(certificate.reasons) or "none"
    show({**done, "promoted": certificate.passed, "against": reasons}, as_json=as_json)
    if require is Requirement.CERTIFICATE and not certificate.passed:
        raise typer.Exit(EXIT_FAILED)
