"""Commands of many options: a frozen dataclass declares them, and a function of it is the command."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, get_args

from typer.models import ArgumentInfo, ParameterInfo

from seedcorn.cli.options import refuse_overwriting

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Options = TypeVar("Options", bound="DataclassInstance")


def command_of(function: Callable[[Options], None]) -> Callable[..., None]:
    """Make a command of a function of one frozen dataclass: its fields are the options, its own before inherited ones.

    So a command is a declaration of its options and a short call, and commands share options by inheritance. A path
    that would be written over one that is read is refused before the call.
    """
    (parameter,) = inspect.signature(function).parameters.values()
    options: type[Options] = parameter.annotation
    by_class = [inspect.get_annotations(cls) for cls in options.__mro__]
    ordered = sorted(fields(options), key=lambda f: next(i for i, names in enumerate(by_class) if f.name in names))

    def command(**given: object) -> None:
        chosen = options(**given)
        refuse_to_lose_inputs(chosen)
        function(chosen)

    command.__name__, command.__doc__, command.__module__ = function.__name__, function.__doc__, function.__module__
    command.__annotations__ = {f.name: f.type for f in ordered}
    command.__signature__ = inspect.Signature([_parameter(f) for f in ordered])  # type: ignore[attr-defined]
    return command


def refuse_to_lose_inputs(options: "DataclassInstance") -> None:
    """Raise ConfigError when an option that is written is one that is read, or another that is written.

    Arguments and paths that must exist are read; other paths are written.
    """
    read: list[Path] = []
    written: list[Path] = []
    for field in fields(options):
        info = next((x for x in get_args(field.type) if isinstance(x, ParameterInfo)), None)
        is_read = isinstance(info, ArgumentInfo) or (info is not None and info.exists)
        if info is not None and not info.writable:
            (read if is_read else written).extend(_paths(getattr(options, field.name), is_argument=is_read))
    for i, path in enumerate(written):
        refuse_overwriting(path, *read, *written[:i])


def _paths(value: object, *, is_argument: bool) -> Iterator[Path]:
    if isinstance(value, Path) or (is_argument and isinstance(value, str)):
        yield Path(value)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            yield from _paths(item, is_argument=is_argument)


def _parameter(field: "Field[object]") -> inspect.Parameter:
    default = inspect.Parameter.empty if field.default is MISSING else field.default
    return inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=field.type)
