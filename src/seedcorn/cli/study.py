"""``seedcorn study``: systems x sizes x random seeds, to a table with intervals (JSON and HTML)."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from seedcorn.cli import app
from seedcorn.cli.intent import ConfigFile, Overrides, RunFolder
from seedcorn.cli.options import AsJson, Quiet, progress, show

if TYPE_CHECKING:
    from seedcorn.report.page import Page
    from seedcorn.studies.results import Results

    Finished: TypeAlias = tuple[Results, Page, Path]


@app.command()
def study(
    config_file: ConfigFile,
    run_dir: RunFolder = None,
    overrides: Overrides = None,
    workers: Annotated[
        int, typer.Option(min=1, help="Processes, or threads of the decoder; the results do not depend on it.")
    ] = 1,
    results: Annotated[Path | None, typer.Option(help="Folder for NAME.json; default: the run folder.")] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Run a study and write its results (JSON) and its page (HTML). The same command resumes it."""
    from seedcorn.config import load_config
    from seedcorn.studies.kind import StudyKind

    run = {"intent": _intent, "language": _language}[
        load_config(config_file, StudyKind, overrides=overrides or ()).study
    ]
    changed = "".join(f" --set {override}" for override in overrides or ())
    with progress(quiet):
        found, shown, folder = run(
            config_file, overrides or (), run_dir, workers, f"seedcorn study {config_file}{changed}"
        )
        path = _write(found, shown, results or folder, folder)
    show({"results": str(path), "page": str(folder / "report.html"), **found.summary}, as_json=as_json)


def _intent(
    config_file: Path, overrides: Sequence[str], run_dir: Path | None, n_workers: int, command: str
) -> "Finished":
    from seedcorn.config import dump_config, load_config
    from seedcorn.runs import open_run
    from seedcorn.studies.intent_results import intent_results, run_cells, study_page
    from seedcorn.studies.intent_study import IntentStudyConfig

    config = load_config(config_file, IntentStudyConfig, overrides=overrides)
    folder, relative_to = run_dir or Path("runs") / config.name, config_file.resolve().parent
    with open_run(folder, random_seed=0, resolved_config=dump_config(config)):
        cells = run_cells(config, folder=folder, relative_to=relative_to, n_workers=n_workers)
    found = intent_results(config, cells, command=command, relative_to=relative_to)
    return found, study_page(config, found), folder


def _language(
    config_file: Path, overrides: Sequence[str], run_dir: Path | None, n_workers: int, command: str
) -> "Finished":
    from seedcorn.config import dump_config, load_config
    from seedcorn.runs import open_run
    from seedcorn.studies.language_results import language_results, run_cells, study_page
    from seedcorn.studies.language_study import LanguageStudyConfig

    config = load_config(config_file, LanguageStudyConfig, overrides=overrides)
    folder, relative_to = run_dir or Path("runs") / config.name, config_file.resolve().parent
    with open_run(folder, random_seed=0, resolved_config=dump_config(config)):
        cells = run_cells(config, folder=folder, relative_to=relative_to, n_threads=n_workers)
    found = language_results(config, cells, command=command, relative_to=relative_to)
    return found, study_page(config, found), folder


def _write(found: "Results", page: "Page", results_folder: Path, folder: Path) -> Path:
    from seedcorn.report.saved import write_page
    from seedcorn.studies.results import write_results

    write_page(page, folder)
    return write_results(found, results_folder)
