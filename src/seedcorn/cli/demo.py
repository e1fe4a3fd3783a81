"""``seedcorn demo``: all pipelines on the built-in corpus, from the configurations that come with the package."""

import json
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from seedcorn.cli.application import app
from seedcorn.cli.configured import RunOptions, run_configured
from seedcorn.cli.options import AsJson, Quiet, progress, show


@app.command()
def demo(
    run_dir: Annotated[Path, typer.Option("--run-dir", help="The folder of the runs.")] = Path("runs/demo"),
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Run all pipelines on the built-in corpus, speech included, in some minutes. The same command resumes it.

    It ends with a round of growth on the agent of the intent run: new logs, one more intent, a certificate.
    """
    from seedcorn.growth.pipeline import GrowthConfig
    from seedcorn.growth.report import run_and_report as grow_and_report
    from seedcorn.intent.pipeline import IntentConfig
    from seedcorn.intent.run import run_and_report
    from seedcorn.language.pipeline import LanguageConfig
    from seedcorn.language.run import run_and_report as run_language

    with progress(quiet), resources.as_file(resources.files("seedcorn") / "configs") as configs:
        of_intent = run_configured(
            RunOptions(config_file=configs / "intent-builtin.yaml", run_dir=run_dir / "intent"),
            IntentConfig,
            run_and_report,
        )
        of_language = run_configured(
            RunOptions(config_file=configs / "language-builtin.yaml", run_dir=run_dir / "language"),
            LanguageConfig,
            run_language,
        )
        before = f"data.before={json.dumps(str((run_dir / 'intent').resolve()))}"
        of_growth = run_configured(
            RunOptions(
                config_file=configs / "grow-builtin.yaml",
                run_dir=run_dir / "growth",
                overrides=[before, "data.labelled=null", "data.intents=[]"],
            ),
            GrowthConfig,
            grow_and_report,
        )
    show(
        {
            "intent_report": of_intent["report"],
            "language_report": of_language["report"],
            "growth_report": of_growth["report"],
        },
        as_json=as_json,
    )
