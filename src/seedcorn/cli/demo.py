"""``seedcorn demo``: both pipelines on the built-in corpus, from the configurations that come with the package."""

from functools import partial
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from seedcorn.cli import app
from seedcorn.cli.configured import run_configured
from seedcorn.cli.options import AsJson, Quiet, progress, show


@app.command()
def demo(
    run_dir: Annotated[Path, typer.Option("--run-dir", help="The folder of the two runs.")] = Path("runs/demo"),
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Run both pipelines on the built-in corpus, speech included, in some minutes. The same command resumes it."""
    from seedcorn.intent.pipeline import IntentConfig
    from seedcorn.intent.run import run_and_report
    from seedcorn.pipelines.language import LanguageConfig, run_language

    with progress(quiet), resources.as_file(resources.files("seedcorn") / "configs") as configs:
        of_intent = run_configured(
            configs / "intent-builtin.yaml", IntentConfig, run_and_report, run_dir=run_dir / "intent"
        )
        of_language = run_configured(
            configs / "language-builtin.yaml",
            LanguageConfig,
            partial(run_language, relative_to=configs),
            run_dir=run_dir / "language",
        )
    show({"intent_report": of_intent["report"], "language_report": of_language["report"]}, as_json=as_json)
