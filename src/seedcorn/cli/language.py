"""``seedcorn language``: the language pipeline."""

from seedcorn.cli.application import app
from seedcorn.cli.commands import command_of
from seedcorn.cli.configured import RunOptions, run_configured
from seedcorn.cli.options import progress, show


@app.command()
@command_of
def language(options: RunOptions) -> None:
    """Bring up a new language: translate in-domain text, make language models, recognise. The same command resumes."""
    from seedcorn.language.pipeline import LanguageConfig
    from seedcorn.language.run import run_and_report

    with progress(options.quiet):
        done = run_configured(options, LanguageConfig, run_and_report)
    show(done, as_json=options.as_json)
