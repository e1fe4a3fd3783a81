"""The command line: parsing only; what a command does is imported inside it, so that --help answers at once."""

import sys
import warnings
from typing import cast

import typer

from seedcorn import __version__
from seedcorn.cli.options import EXIT_BAD_INPUT, EXIT_FAILED, EXIT_INTERRUPTED
from seedcorn.errors import SeedcornError, SeedcornWarning

# The root of all usage errors. It belongs to click, of which newer typers carry a copy of their own: so it is found
# through a class that every typer exports.
_UsageError = cast("type[typer.BadParameter]", typer.BadParameter.__mro__[2])

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


def run(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 2 wrong usage or input, 1 anything else, 130 interrupted."""
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        warnings.simplefilter("always", SeedcornWarning)
        return _run(arguments)


def _run(arguments: list[str] | None) -> int:
    try:
        app(args=arguments, standalone_mode=False)
    except SeedcornError as error:
        return _failed(str(error), EXIT_BAD_INPUT)
    except _UsageError as error:
        error.show()
        return EXIT_BAD_INPUT
    except typer.Exit as error:
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return _failed("interrupted; the same command goes on where it stopped", EXIT_INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        return EXIT_FAILED
    except OSError as error:
        return _failed(f"{error.filename or 'a file'}: {error.strerror or error}", EXIT_FAILED)
    except MemoryError:
        return _failed("out of memory: lower the batch size or the memory setting of this command", EXIT_FAILED)
    return 0


def _failed(message: str, exit_code: int) -> int:
    sys.stderr.write(f"seedcorn: {message}\n")
    return exit_code


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: object = None,
    line: object = None,
) -> None:
    if issubclass(category, SeedcornWarning):
        sys.stderr.write(f"seedcorn: note: {message}\n")


from seedcorn.cli import registered  # noqa: E402  (commands register themselves on app)

__all__ = ["app", "registered", "run"]
