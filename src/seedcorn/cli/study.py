"""``seedcorn study``: systems x sizes x random seeds, to a table with intervals (JSON and HTML)."""

from pathlib import Path
from typing import Annotated

import typer

from seedcorn.cli import app
from seedcorn.cli.intent import ConfigFile, Overrides, RunFolder
from seedcorn.cli.options import AsJson, Quiet, progress, show


@app.command()
def study(
    config_file: ConfigFile,
    run_dir: RunFolder = None,
    overrides: Overrides = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes; the results do not depend on it.")] = 1,
    results: Annotated[Path | None, typer.Option(help="Folder for NAME.json; default: the run folder.")] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Run a study and write its results (JSON) and its page (HTML). The same command resumes it."""
    from seedcorn.config import dump_config, load_config
    from seedcorn.report.page import render
    from seedcorn.runs import open_run, write_text_whole
    from seedcorn.studies.intent_results import intent_results, run_cells, study_page
    from seedcorn.studies.intent_study import IntentStudyConfig
    from seedcorn.studies.results import write_results

    config = load_config(config_file, IntentStudyConfig, overrides=overrides or ())
    folder = run_dir or Path("runs") / config.name
    relative_to = config_file.resolve().parent
    with progress(quiet), open_run(folder, random_seed=0, resolved_config=dump_config(config)):
        cells = run_cells(config, folder=folder, relative_to=relative_to, n_workers=workers)
        changed = "".join(f" --set {override}" for override in overrides or ())
        found = intent_results(config, cells, command=f"seedcorn study {config_file}{changed}", relative_to=relative_to)
        path = write_results(found, results or folder)
        write_text_whole(folder / "study.html", render(study_page(config, found)))
    show({"results": str(path), "page": str(folder / "study.html"), **found.summary}, as_json=as_json)
