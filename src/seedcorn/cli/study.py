"""``seedcorn study``: systems x sizes x random seeds, to a table with intervals (JSON and HTML)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from seedcorn.cli.application import app
from seedcorn.cli.configured import ConfigFile, Overrides, RunFolder
from seedcorn.cli.options import AsJson, Quiet, progress, show

if TYPE_CHECKING:
    from seedcorn.files import Json
    from seedcorn.report.page import Page
    from seedcorn.studies.growth_settings import GrowthStudyConfig
    from seedcorn.studies.intent import IntentStudyConfig
    from seedcorn.studies.language import LanguageStudyConfig
    from seedcorn.studies.results import Results

Config = TypeVar("Config", "IntentStudyConfig", "LanguageStudyConfig", "GrowthStudyConfig")


@dataclass(frozen=True, kw_only=True)
class _Finished:
    """The results of a study, its page, and its run folder."""

    results: "Results"
    page: "Page"
    folder: Path


@app.command()
def study(
    config_file: ConfigFile,
    run_dir: RunFolder = None,
    overrides: Overrides = None,
    workers: Annotated[
        int, typer.Option(min=1, help="Cells made at a time, each in one process; the results do not depend on it.")
    ] = 1,
    results: Annotated[Path | None, typer.Option(help="Folder for NAME.json; default: the run folder.")] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Run a study and write its results (JSON) and its page (HTML). The same command resumes it."""
    from seedcorn.config import load_config
    from seedcorn.report.saved import write_page
    from seedcorn.studies.kind import StudyKind
    from seedcorn.studies.results import write_results

    overrides = overrides or []
    kinds = {"intent": _intent, "language": _language, "growth": _growth}
    run = kinds[load_config(config_file, StudyKind, overrides=overrides).study]
    command = " ".join([f"seedcorn study {config_file}", *(f"--set {override}" for override in overrides)])
    with progress(quiet):
        finished = run(config_file, overrides, run_dir, workers, command)
        write_page(finished.page, finished.folder)
        path = write_results(finished.results, results or finished.folder)
    page = finished.folder / "report.html"
    places: dict[str, Json] = {"results": str(path), "page": str(page)}
    show({**places, **finished.results.summary} if as_json else places, as_json=as_json)
    if not as_json:
        typer.echo(_in_text(finished.page))


def _in_text(page: "Page") -> str:
    """Return what the study found in words, if it says so, and its first table."""
    from seedcorn.report.page import Table
    from seedcorn.report.text import table_in_text

    tables = [part for section in page.sections for part in section.contents if isinstance(part, Table)]
    return "\n".join(part for part in (page.lead, *map(table_in_text, tables[:1])) if part)


def _intent(
    config_file: Path, overrides: Sequence[str], run_dir: Path | None, n_workers: int, command: str
) -> _Finished:
    from seedcorn.studies.intent import IntentStudyConfig, run_cells
    from seedcorn.studies.intent_page import study_page
    from seedcorn.studies.intent_results import intent_results

    def results(config: IntentStudyConfig, folder: Path) -> "Results":
        return intent_results(config, run_cells(config, folder=folder, n_workers=n_workers), command=command)

    return _finished(config_file, IntentStudyConfig, results, study_page, overrides=overrides, run_dir=run_dir)


def _language(
    config_file: Path, overrides: Sequence[str], run_dir: Path | None, n_workers: int, command: str
) -> _Finished:
    from seedcorn.studies.language import LanguageStudyConfig, run_cells
    from seedcorn.studies.language_page import study_page
    from seedcorn.studies.language_results import language_results

    def results(config: LanguageStudyConfig, folder: Path) -> "Results":
        return language_results(config, run_cells(config, folder=folder, n_workers=n_workers), command=command)

    return _finished(config_file, LanguageStudyConfig, results, study_page, overrides=overrides, run_dir=run_dir)


def _growth(
    config_file: Path, overrides: Sequence[str], run_dir: Path | None, n_workers: int, command: str
) -> _Finished:
    from seedcorn.studies.growth import measure_all, measure_labels
    from seedcorn.studies.growth_results import growth_results, study_page
    from seedcorn.studies.growth_settings import GrowthStudyConfig

    def results(config: GrowthStudyConfig, folder: Path) -> "Results":
        measured, labels = measure_all(config, folder=folder), measure_labels(config, folder=folder)
        return growth_results(config, measured, labels, command=command)

    return _finished(config_file, GrowthStudyConfig, results, study_page, overrides=overrides, run_dir=run_dir)


def _finished(
    config_file: Path,
    model: type[Config],
    results: "Callable[[Config, Path], Results]",
    page: "Callable[[Config, Results], Page]",
    *,
    overrides: Sequence[str],
    run_dir: Path | None,
) -> _Finished:
    from seedcorn.config import dump_config, load_config
    from seedcorn.runs import open_run

    config = load_config(config_file, model, overrides=overrides)
    folder = run_dir or Path("runs") / config.name
    with open_run(folder, random_seed=0, resolved_config=dump_config(config)):
        found = results(config, folder)
    return _Finished(results=found, page=page(config, found), folder=folder)
