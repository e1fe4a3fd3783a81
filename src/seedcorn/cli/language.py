"""``seedcorn language``: the language pipeline."""

from pathlib import Path

from seedcorn.cli import app
from seedcorn.cli.intent import ConfigFile, Overrides, RunFolder
from seedcorn.cli.options import AsJson, Quiet, progress, show


@app.command()
def language(
    config_file: ConfigFile,
    run_dir: RunFolder = None,
    overrides: Overrides = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Bring up a new language: translate in-domain text, make language models, recognise. The same command resumes."""
    from seedcorn.config import dump_config, load_config
    from seedcorn.pipelines.language import LanguageConfig, run_language
    from seedcorn.runs import open_run

    config = load_config(config_file, LanguageConfig, overrides=overrides or ())
    folder = run_dir or Path("runs") / config.name
    with (
        progress(quiet),
        open_run(folder, random_seed=config.random_seed, resolved_config=dump_config(config)) as run,
    ):
        report = run_language(config, run=run, relative_to=config_file.resolve().parent)
    show({"run": str(folder), "report": str(report)}, as_json=as_json)
