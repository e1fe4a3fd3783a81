"""``seedcorn language``: the language pipeline."""

from seedcorn.cli.application import app
from seedcorn.cli.configured import ConfigFile, DryRun, Overrides, RunFolder, run_configured
from seedcorn.cli.options import AsJson, Quiet, progress, show


@app.command()
def language(
    config_file: ConfigFile,
    run_dir: RunFolder = None,
    overrides: Overrides = None,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Bring up a new language: translate in-domain text, make language models, recognise. The same command resumes."""
    from seedcorn.language.pipeline import LanguageConfig
    from seedcorn.language.run import run_and_report

    with progress(quiet):
        done = run_configured(
            config_file, LanguageConfig, run_and_report, run_dir=run_dir, overrides=overrides or (), dry_run=dry_run
        )
    show(done, as_json=as_json)
