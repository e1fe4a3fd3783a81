"""Options that every command shares, and how results and progress are shown."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from seedcorn.errors import ConfigError
from seedcorn.progress import ProgressMode, showing_progress
from seedcorn.runs import Json

EXIT_FAILED = 1
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130

Quiet: TypeAlias = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
RandomSeed: TypeAlias = Annotated[int, typer.Option("--random-seed", help="Where all randomness starts.", min=0)]
InputFile: TypeAlias = Annotated[Path, typer.Argument(exists=True, help="A file or folder to read.")]
Pool: TypeAlias = Annotated[
    str, typer.Argument(help="A file, a folder of Parquet files, a pattern as 'logs/*.jsonl', or Parquet at a URL.")
]
Engine: TypeAlias = Annotated[
    str, typer.Option(help="Where the pass over the pool is made: local, ray (started here) or ray:ADDRESS.")
]
InputFormat: TypeAlias = Annotated[
    str | None, typer.Option("--format", help="Format of the input; told from it if absent.")
]
TextColumn: TypeAlias = Annotated[
    str, typer.Option("--text-column", help="Column that holds the text: its name, or its number without a header.")
]
IntentColumn: TypeAlias = Annotated[str, typer.Option("--intent-column", help="Column that holds the intent.")]
SlotsColumn: TypeAlias = Annotated[str, typer.Option("--slots-column", help="Column that holds the slots, as JSON.")]
Delimiter: TypeAlias = Annotated[
    str,
    typer.Option("--delimiter", help="What separates the fields of a CSV file ('tab' too); told from it if absent."),
]
OutputFile: TypeAlias = Annotated[Path, typer.Option("--output", "-o", help="The file to write.")]


@contextmanager
def progress(quiet: bool) -> Iterator[None]:
    """Show progress inside the block unless ``quiet``."""
    with showing_progress(ProgressMode.SILENT if quiet else None):
        yield


def refuse_overwriting(output: Path | None, *inputs: Path | None) -> None:
    """Raise ConfigError when ``output`` is one of the ``inputs`` or a file inside one, whose rows would be lost."""
    for path in inputs:
        if output is not None and path is not None and _is_part_of(output, path):
            raise ConfigError(wanted="another file to write than those that are read", found=f"'{output}'")


def _is_part_of(output: Path, path: Path) -> bool:
    if not output.exists() or not path.exists():
        return output.resolve() == path.resolve()
    return output.samefile(path) or (path.is_dir() and path.resolve() in output.resolve().parents)


def show(result: Mapping[str, Json], *, as_json: bool) -> None:
    """Print ``result`` on standard output: one JSON object, or one "name: value" line an entry."""
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False))
        return
    for name, value in result.items():
        typer.echo(f"{name.replace('_', ' ')}: {_shown(value)}")


def _shown(value: Json) -> str:
    if isinstance(value, float):
        return f"{value:,.4f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
