"""What must hold for exit code 0, of the commands whose runs have a certificate."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from seedcorn.cli.configured import RunOptions
from seedcorn.cli.options import EXIT_FAILED, show

if TYPE_CHECKING:
    from seedcorn.files import Json


class Requirement(StrEnum):
    """What must hold for exit code 0."""

    CERTIFICATE = "certificate"


Required: TypeAlias = Annotated[
    Requirement | None, typer.Option("--require", help="Exit with 1 when the certificate is not passed.")
]


@dataclass(frozen=True, kw_only=True)
class CertifiedRunOptions(RunOptions):
    """What is run, and what must hold of the result."""

    require: Required = None


def show_certified(done: "Mapping[str, Json]", *, require: Requirement | None, as_json: bool) -> None:
    """Show what a run has done with its certificate, if it has one; exit with 1 when it is required and not passed."""
    folder = Path(str(done.get("run"))) / "certificate"
    if not (folder / "certificate.json").exists() or "report" not in done:
        show(dict(done), as_json=as_json)
        if require is Requirement.CERTIFICATE and "report" in done:
            raise typer.Exit(EXIT_FAILED)
        return
    from seedcorn.deployment.certificate import Certificate

    certificate = Certificate.load(folder)
    reasons = "; ".join(certificate.reasons) or "none"
    show({**done, "promoted": certificate.passed, "against": reasons}, as_json=as_json)
    if require is Requirement.CERTIFICATE and not certificate.passed:
        raise typer.Exit(EXIT_FAILED)
