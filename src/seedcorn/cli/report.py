"""``seedcorn report``: the page of a finished run or study made again, and its figures for papers."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from seedcorn.cli.application import app
from seedcorn.cli.options import AsJson, Quiet, progress, show


class FigureFormat(StrEnum):
    """In which form figures are written."""

    SVG = "svg"
    PNG = "png"


@app.command()
def report(
    run_dir: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="The folder of a run or study.")],
    figures: Annotated[FigureFormat | None, typer.Option(help="Also write every figure in this format.")] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Make the page of a finished run or study again, from what the folder holds."""
    from seedcorn.report.saved import read_page, save_figures, write_page

    with progress(quiet):
        page = read_page(run_dir)
        path = write_page(page, run_dir)
        saved = save_figures(page, run_dir, ending=figures) if figures else []
    show({"report": str(path), **{f"figure {i}": str(p) for i, p in enumerate(saved, start=1)}}, as_json=as_json)
