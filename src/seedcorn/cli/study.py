"""``seedcorn study``: systems x sizes x random seeds, to a table with intervals (JSON and HTML)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Generic, TypeAlias, TypeVar

import typer

from seedcorn.cli.application import app
from seedcorn.cli.commands import command_of
from seedcorn.cli.configured import ConfigFile, Overrides, RunFolder
from seedcorn.cli.options import Shown, progress, show

if TYPE_CHECKING:
    from seedcorn.files import Json
    from seedcorn.report.page import Page
    from seedcorn.studies.growth_settings import GrowthStudyConfig
    from seedcorn.studies.intent import IntentStudyConfig
    from seedcorn.studies.language import LanguageStudyConfig
    from seedcorn.studies.results import Results

DryCells: TypeAlias = Annotated[
    bool, typer.Option("--dry-run", help="Check the configuration and its files, list the cells, run nothing.")
]
Config = TypeVar("Config", "IntentStudyConfig", "LanguageStudyConfig", "GrowthStudyConfig")


@dataclass(frozen=True, kw_only=True)
class _Kind(Generic[Config]):
    """A kind of study: its configuration, the folders of its cells, and how it is run and shown.

    ``results`` are those of a run in a folder, by so many workers, under a command.
    """

    config: type[Config]
    cells: Callable[[Config], list[str]]
    results: "Callable[[Config, Path, int, str], Results]"
    page: "Callable[[Config, Results], Page]"


@dataclass(frozen=True, kw_only=True)
class StudyOptions(Shown):
    """The configuration of a study, and where and how it is run."""

    config_file: ConfigFile
    run_dir: RunFolder = None
    overrides: Overrides = None
    workers: Annotated[
        int, typer.Option(min=1, help="Cells made at a time, each in one process; the results do not depend on it.")
    ] = 1
    results: Annotated[Path | None, typer.Option(help="Folder for NAME.json; default: the run folder.")] = None
    dry_run: DryCells = False

    @property
    def command(self) -> str:
        """The command that gives the same results."""
        return " ".join([f"seedcorn study {self.config_file}", *(f"--set {given}" for given in self.overrides or ())])


@app.command()
@command_of
def study(options: StudyOptions) -> None:
    """Run a study and write its results (JSON) and its page (HTML). The same command resumes it."""
    from seedcorn.config import load_config
    from seedcorn.studies.kind import StudyKind

    match load_config(options.config_file, StudyKind, overrides=options.overrides or ()).study:
        case "intent":
            _run(_intent(), options)
        case "language":
            _run(_language(), options)
        case "growth":
            _run(_growth(), options)


def _run(kind: _Kind[Config], options: StudyOptions) -> None:
    from seedcorn.config import load_config

    config = load_config(options.config_file, kind.config, overrides=options.overrides or ())
    folder = options.run_dir or Path("runs") / config.name
    if options.dry_run:
        begun = {name: "begun before" if (folder / name).exists() else "to be run" for name in kind.cells(config)}
        show({"run": str(folder), **begun}, as_json=options.as_json)
        return
    with progress(options.quiet):
        page, summary, places = _made(kind, config, folder, options)
    show({**places, **summary} if options.as_json else places, as_json=options.as_json)
    if not options.as_json:
        typer.echo(_in_text(page))


def _made(
    kind: _Kind[Config], config: Config, folder: Path, options: StudyOptions
) -> "tuple[Page, Mapping[str, Json], Mapping[str, Json]]":
    """Run the study, and return its page, its summary, and where results and page are."""
    from seedcorn.config import dump_config
    from seedcorn.report.saved import write_page
    from seedcorn.runs import open_run
    from seedcorn.studies.results import write_results

    with open_run(folder, random_seed=0, resolved_config=dump_config(config)):
        found = kind.results(config, folder, options.workers, options.command)
    page = kind.page(config, found)
    written = write_page(page, folder)
    return page, found.summary, {"results": str(write_results(found, options.results or folder)), "page": str(written)}


def _in_text(page: "Page") -> str:
    """Return what the study found in words, if it says so, and its first table."""
    from seedcorn.report.page import Table
    from seedcorn.report.text import table_in_text

    tables = [part for section in page.sections for part in section.contents if isinstance(part, Table)]
    return "\n".join(part for part in (page.lead, *map(table_in_text, tables[:1])) if part)


def _intent() -> "_Kind[IntentStudyConfig]":
    from seedcorn.studies.intent import IntentStudyConfig, cells_of, run_cells
    from seedcorn.studies.intent_page import study_page
    from seedcorn.studies.intent_results import intent_results

    def results(config: IntentStudyConfig, folder: Path, n_workers: int, command: str) -> "Results":
        return intent_results(config, run_cells(config, folder=folder, n_workers=n_workers), command=command)

    def cells(config: IntentStudyConfig) -> list[str]:
        return [f"cells/{cell.name}" for cell in cells_of(config)]

    return _Kind(config=IntentStudyConfig, cells=cells, results=results, page=study_page)


def _language() -> "_Kind[LanguageStudyConfig]":
    from seedcorn.studies.language import LanguageStudyConfig, cells_of, run_cells
    from seedcorn.studies.language_page import study_page
    from seedcorn.studies.language_results import language_results

    def results(config: LanguageStudyConfig, folder: Path, n_workers: int, command: str) -> "Results":
        return language_results(config, run_cells(config, folder=folder, n_workers=n_workers), command=command)

    def cells(config: LanguageStudyConfig) -> list[str]:
        return [cell.name for cell in cells_of(config)]

    return _Kind(config=LanguageStudyConfig, cells=cells, results=results, page=study_page)


def _growth() -> "_Kind[GrowthStudyConfig]":
    from seedcorn.studies.growth import cells_of, measure_all, measure_labels
    from seedcorn.studies.growth_results import growth_results, study_page
    from seedcorn.studies.growth_settings import GrowthStudyConfig

    def results(config: GrowthStudyConfig, folder: Path, n_workers: int, command: str) -> "Results":
        measured = measure_all(config, folder=folder, n_workers=n_workers)
        labels = measure_labels(config, folder=folder, n_workers=n_workers)
        return growth_results(config, measured, labels, command=command)

    def cells(config: GrowthStudyConfig) -> list[str]:
        return [cell.name for cell in cells_of(config)]

    return _Kind(config=GrowthStudyConfig, cells=cells, results=results, page=study_page)
