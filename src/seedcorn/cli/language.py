"""``seedcorn language``: the language pipeline."""

from functools import partial

from seedcorn.cli import app
from seedcorn.cli.configured import ConfigFile, Overrides, RunFolder, run_configured
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
    from seedcorn.pipelines.language import LanguageConfig, run_language

    with progress(quiet):
        done = run_configured(
            config_file,
            LanguageConfig,
            partial(run_language, relative_to=config_file.resolve().parent),
            run_dir=run_dir,
            overrides=overrides or (),
        )
    show(done, as_json=as_json)
