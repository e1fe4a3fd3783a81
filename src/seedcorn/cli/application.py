"""The application that every command registers itself on."""

import typer

from seedcorn import __version__

app = typer.Typer(
    name="seedcorn",
    help="Grow a small annotated seed into the training data that a new voice-agent capability needs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def version(show: bool = typer.Option(False, "--version", help="Show the version and exit.")) -> None:
    """Grow a small annotated seed into the training data that a new voice-agent capability needs."""
    if show:
        typer.echo(__version__)
        raise typer.Exit
