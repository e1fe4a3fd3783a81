"""``seedcorn demo``: both pipelines on the built-in corpus, from the configurations that come with the package."""

from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from seedcorn.cli import app
from seedcorn.cli.options import AsJson, Quiet, progress, show


@app.command()
def demo(
    run_dir: Annotated[Path, typer.Option("--run-dir", help="The folder of the two runs.")] = Path("runs/demo"),
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Run both pipelines on the built-in corpus, speech included, in some minutes. The same command resumes it."""
    from seedcorn.config import dump_config, load_config
    from seedcorn.pipelines.intent import IntentConfig, run_intent
    from seedcorn.pipelines.language import LanguageConfig, run_language
    from seedcorn.runs import open_run

    with progress(quiet), resources.as_file(resources.files("seedcorn") / "configs") as configs:
        about_intent = load_config(configs / "intent-builtin.yaml", IntentConfig)
        folder, resolved = run_dir / "intent", dump_config(about_intent)
        with open_run(folder, random_seed=about_intent.random_seed, resolved_config=resolved) as run:
            intent_report = run_intent(about_intent, run=run, relative_to=configs)
        about_language = load_config(configs / "language-builtin.yaml", LanguageConfig)
        folder, resolved = run_dir / "language", dump_config(about_language)
        with open_run(folder, random_seed=about_language.random_seed, resolved_config=resolved) as run:
            language_report = run_language(about_language, run=run, relative_to=configs)
    show({"intent_report": str(intent_report), "language_report": str(language_report)}, as_json=as_json)
