"""What a user can get wrong: every error says what was wanted, what was found, where, and what to do."""

import importlib
import importlib.util
import os
import types
from collections.abc import Callable, Iterable
from difflib import get_close_matches

_MOST_CHARACTERS = 400


class SeedcornError(Exception):
    """A mistake in what the user gave; the command line shows it as one message and exits with code 2."""

    def __init__(self, *, wanted: str, found: str, where: str | os.PathLike[str] = "", fix: str = "") -> None:
        self.wanted, self.found, self.where, self.fix = _short(wanted), _short(found), os.fspath(where), fix
        place = f"{self.where}: " if self.where else ""
        remedy = f". {fix}" if fix else ""
        super().__init__(f"{place}wanted {self.wanted}, found {self.found}{remedy}")

    def __reduce__(self) -> tuple[Callable[..., "SeedcornError"], tuple[type["SeedcornError"], str, str, str, str]]:
        """Travel between processes whole: by default an exception is made again of its message alone."""
        return _made_again, (type(self), self.wanted, self.found, self.where, self.fix)


def _made_again(kind: type[SeedcornError], wanted: str, found: str, where: str, fix: str) -> SeedcornError:
    return kind(wanted=wanted, found=found, where=where, fix=fix)


def _short(text: str) -> str:
    """Return ``text`` on one line of bounded length: what a file holds may be megabytes long."""
    text = text.replace("\n", " ").replace("\r", " ") if len(text) <= _MOST_CHARACTERS else text
    half = _MOST_CHARACTERS // 2
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:half]} ... {text[-half // 4 :]}".replace("\n", " ")


class DataError(SeedcornError):
    """A file or a row that cannot be what it is said to be."""


class ConfigError(SeedcornError):
    """A setting with an unknown name or an impossible value."""


class MissingExtraError(SeedcornError):
    """An optional package that is not installed."""


class SeedcornWarning(UserWarning):
    """Something was done differently from what was asked, and correctly; the text says what and why."""


def at(path: str | os.PathLike[str], line: int) -> str:
    """Return the place ``path:line`` as error messages show it; lines count from 1."""
    return f"{os.fspath(path)}:{line}"


def nearest(name: str, known: list[str]) -> str:
    """Return the known name most like ``name`` as a question to the user, or all known names when none is near."""
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"Did you mean '{close[0]}'?" if close else f"Known: {', '.join(sorted(known))}."


def require(module: str, *, extra: str) -> types.ModuleType:
    """Import an optional ``module``, or raise MissingExtraError naming the ``extra`` that installs it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != module.split(".")[0]:
            raise
        raise MissingExtraError(
            wanted=f"the package '{module}'",
            found="it is not installed",
            fix=f"Run: pip install 'seedcorn[{extra}]'",
        ) from error


def require_all(modules: Iterable[tuple[str, str]]) -> None:
    """Raise MissingExtraError for the first (module, extra) that is not installed, loading none of them."""
    for module, extra in modules:
        if importlib.util.find_spec(module) is None:
            require(module, extra=extra)
