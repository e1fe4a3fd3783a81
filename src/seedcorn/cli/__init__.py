"""The command line: parsing only; what a command does is imported inside it, so that --help answers at once."""

import contextlib
import errno
import io
import os
import sys
import warnings
from concurrent.futures import BrokenExecutor
from pathlib import Path
from typing import cast

import typer

from seedcorn.cli import registered
from seedcorn.cli.application import app
from seedcorn.cli.options import EXIT_BAD_INPUT, EXIT_FAILED
from seedcorn.ending import EXIT_INTERRUPTED, INTERRUPTED
from seedcorn.errors import SeedcornError, SeedcornWarning
from seedcorn.interruption import end_in_order_when_told

# The root of all usage errors. It belongs to click, of which newer typers carry a copy of their own: so it is found
# through a class that every typer exports.
_UsageError = cast("type[typer.BadParameter]", typer.BadParameter.__mro__[2])
_WRONG_PATH = (
    errno.ENOENT,
    errno.EACCES,
    errno.EPERM,
    errno.EISDIR,
    errno.ENOTDIR,
    errno.EEXIST,
    errno.ENAMETOOLONG,
    errno.ELOOP,
)
_DISK_IS_FULL = (errno.ENOSPC, errno.EDQUOT)


def run(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 2 wrong usage or input, 1 anything else, 130 interrupted."""
    shown: set[str] = set()

    def show_once(message: Warning | str, category: type[Warning], *place: object, **more: object) -> None:
        # Readers go through a file more than once and warn each time.
        if issubclass(category, SeedcornWarning) and str(message) not in shown:
            shown.add(str(message))
            _say(f"note: {message}")

    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # numpy is not loaded yet: its sums depend on how many there are
    _tolerate_other_streams()
    end_in_order_when_told()
    with warnings.catch_warnings():
        warnings.showwarning = show_once
        warnings.simplefilter("always", SeedcornWarning)
        return _run(arguments)


def _tolerate_other_streams() -> None:
    """Show what a stream of another encoding than UTF-8 lacks as escapes, instead of failing on it.

    In the place of a closed one stands the null device, so that no file that is opened later takes its number.
    """
    null = Path(os.devnull)
    sys.stdin = sys.stdin or null.open(encoding="utf-8")
    sys.stdout = sys.stdout or null.open("w", encoding="utf-8")
    sys.stderr = sys.stderr or null.open("w", encoding="utf-8")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _say(message: str) -> None:
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):  # closed: nobody wants to hear it
            sys.stderr.write(f"seedcorn: {message}\n")


def _run(arguments: list[str] | None) -> int:
    try:
        # Newer typers turn an interruption into an exit code that they return.
        exit_code = app(args=arguments, standalone_mode=False)
    except SeedcornError as error:
        return _failed(str(error), EXIT_BAD_INPUT)
    except _UsageError as error:
        error.show()
        return EXIT_BAD_INPUT
    except typer.Exit as error:
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        exit_code = EXIT_INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return EXIT_FAILED
    except OSError as error:
        return _failed(_in_words(error), EXIT_BAD_INPUT if error.errno in _WRONG_PATH else EXIT_FAILED)
    except RecursionError:
        return _failed("wanted data that is not nested hundreds of levels deep, found some that is", EXIT_BAD_INPUT)
    except UnicodeEncodeError as error:
        return _failed(f"wanted names and texts of whole characters, found {ascii(error.object)[:80]}", EXIT_BAD_INPUT)
    except BrokenExecutor as error:
        return _failed(str(error), EXIT_FAILED)
    except MemoryError:
        return _failed("out of memory: lower the batch size or the memory setting of this command", EXIT_FAILED)
    if exit_code == EXIT_INTERRUPTED:
        return _failed(INTERRUPTED, EXIT_INTERRUPTED)
    return exit_code or 0


def _failed(message: str, exit_code: int) -> int:
    _say(message)
    return exit_code


def _in_words(error: OSError) -> str:
    reason = os.strerror(error.errno) if error.errno else str(error)
    remedy = "; make room and run the same command again" if error.errno in _DISK_IS_FULL else ""
    return f"{error.filename or 'a file'}: {reason}{remedy}"


__all__ = ["app", "registered", "run"]
