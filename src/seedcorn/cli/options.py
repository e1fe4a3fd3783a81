"""Options that every command shares, and how results and progress are shown."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from seedcorn.cli.pipes import from_pipe, pool_from_pipe
from seedcorn.errors import ConfigError
from seedcorn.files import Json
from seedcorn.progress import ProgressMode, showing_progress
from seedcorn.streams import is_standard_output, is_stream

if TYPE_CHECKING:
    from seedcorn.corpus.parallel import Mapper

EXIT_FAILED = 1
EXIT_BAD_INPUT = 2

Quiet: TypeAlias = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
RandomSeed: TypeAlias = Annotated[int, typer.Option("--random-seed", help="Where all randomness starts.", min=0)]
InputFile: TypeAlias = Annotated[
    Path, typer.Argument(exists=True, callback=from_pipe, help="A file or folder to read, or a pipe.")
]
Pool: TypeAlias = Annotated[
    str,
    typer.Argument(
        callback=pool_from_pipe,
        help="A file or pipe, a folder of Parquet files, a pattern as 'logs/*.jsonl', or Parquet at a URL.",
    ),
]
Engine: TypeAlias = Annotated[
    str, typer.Option(help="Where the pass over the pool is made: local, ray (started here) or ray:ADDRESS.")
]
InputFormat: TypeAlias = Annotated[
    str | None, typer.Option("--format", help="Format of the input; told from it if absent.")
]
Files: TypeAlias = list[Path] | None
OutputFile: TypeAlias = Annotated[Path, typer.Option("--output", "-o", dir_okay=False, help="The file to write.")]


@dataclass(frozen=True, kw_only=True)
class Shown:
    """The options of every command that shows progress and a result."""

    quiet: Quiet = False
    as_json: AsJson = False


@contextmanager
def progress(quiet: bool) -> Iterator[None]:
    """Show progress inside the block unless ``quiet``."""
    with showing_progress(ProgressMode.SILENT if quiet else None):
        yield


def parts_mapper(engine: str, n_threads: int) -> "Mapper":
    """Return what has parts translated: here one at a time by ``n_threads`` threads, elsewhere one a processor."""
    from seedcorn.engines import LOCAL, mapper_of

    return mapper_of(engine, n_workers=1 if engine == LOCAL else n_threads or os.cpu_count() or 1)


def refuse_overwriting(output: Path | None, *inputs: Path | None) -> None:
    """Raise ConfigError when ``output`` is one of the ``inputs`` or a file inside one, whose rows would be lost.

    What is written to a device, a pipe or standard output ("-") loses nothing.
    """
    if output is None or is_stream(output):
        return
    for path in inputs:
        if path is not None and _is_part_of(output, path):
            raise ConfigError(wanted="another file to write than those that are read", found=f"'{output}'")


def _is_part_of(output: Path, path: Path) -> bool:
    if not output.exists() or not path.exists():
        return output.resolve() == path.resolve()
    return output.samefile(path) or (path.is_dir() and path.resolve() in output.resolve().parents)


def show(result: Mapping[str, Json], *, as_json: bool) -> None:
    """Print ``result`` on standard output: one JSON object, or one "name: value" line an entry.

    Where the output itself is there, on standard error.
    """
    is_taken = is_standard_output(Path(str(result.get("output"))))
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False), err=is_taken)
        return
    for name, value in result.items():
        in_words = name.replace("_", " ") if name.isidentifier() else name  # stages are called as their folders
        typer.echo(f"{in_words}: {_shown(value)}", err=is_taken)


def _shown(value: Json) -> str:
    if isinstance(value, float):
        return f"{value:,.4f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
