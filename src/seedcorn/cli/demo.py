"""``seedcorn demo``: all pipelines on the built-in corpus, from the configurations that come with the package."""

import json
import os
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from seedcorn.cli.application import app
from seedcorn.cli.configured import RunOptions, run_configured
from seedcorn.cli.options import AsJson, Quiet, show
from seedcorn.progress import ProgressMode, showing_progress

if TYPE_CHECKING:
    from seedcorn.files import Json


@app.command()
def demo(
    run_dir: Annotated[Path, typer.Option("--run-dir", help="The folder of the runs.")] = Path("runs/demo"),
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Run all pipelines on the built-in corpus, speech included, in some minutes. The same command resumes it.

    A new language, and a new intent with a round of growth on its agent (new logs, one more intent, a certificate), at
    the same time where there are two processors.
    """
    from seedcorn.studies.grid import make_cells

    mode = ProgressMode.SILENT if quiet else ProgressMode.LINES
    with resources.as_file(resources.files("seedcorn") / "configs") as configs:
        parts = [DemoPart(name, configs=configs, run_dir=run_dir, mode=mode) for name in ("language", "intent")]
        # Parts show their progress themselves, each line with the name of its pipeline.
        of_language, of_intent = make_cells(make_part, parts, what="demo", n_workers=min(2, os.cpu_count() or 1))
    show({**of_intent, **of_language}, as_json=as_json)


class DemoPart(NamedTuple):
    """What one process runs, a pipeline after the other."""

    name: str
    configs: Path
    run_dir: Path
    mode: ProgressMode

    def __str__(self) -> str:
        """Return its name."""
        return self.name


def make_part(part: DemoPart) -> "dict[str, Json]":
    """Run the pipelines of ``part``, and return where their reports are."""
    return _language(part) if part.name == "language" else _intent_and_growth(part)


def _language(part: DemoPart) -> "dict[str, Json]":
    from seedcorn.language.pipeline import LanguageConfig
    from seedcorn.language.run import run_and_report

    options = RunOptions(config_file=part.configs / "language-builtin.yaml", run_dir=part.run_dir / "language")
    with showing_progress(part.mode, source="language"):
        found = run_configured(options, LanguageConfig, run_and_report)
    return {"language_report": found["report"]}


def _intent_and_growth(part: DemoPart) -> "dict[str, Json]":
    from seedcorn.growth.pipeline import GrowthConfig
    from seedcorn.growth.report import run_and_report as grow_and_report
    from seedcorn.intent.pipeline import IntentConfig
    from seedcorn.intent.run import run_and_report

    intent_run = part.run_dir / "intent"
    options = RunOptions(config_file=part.configs / "intent-builtin.yaml", run_dir=intent_run)
    with showing_progress(part.mode, source="intent"):
        of_intent = run_configured(options, IntentConfig, run_and_report)
    options = RunOptions(
        config_file=part.configs / "grow-builtin.yaml",
        run_dir=part.run_dir / "growth",
        overrides=[f"data.before={json.dumps(str(intent_run.resolve()))}", "data.labelled=null", "data.intents=[]"],
    )
    with showing_progress(part.mode, source="growth"):
        of_growth = run_configured(options, GrowthConfig, grow_and_report)
    return {"intent_report": of_intent["report"], "growth_report": of_growth["report"]}
