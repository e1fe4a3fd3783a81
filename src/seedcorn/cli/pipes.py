"""Corpora that come through a pipe: they are read more than once, so what comes out is kept while the command runs."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from seedcorn.files import naming_the_place


def from_pipe(context: typer.Context, given: Path | None) -> Path | None:
    """Return ``given``, or if it is a pipe (``/dev/stdin``, ``<(...)``) a file of what came out of it."""
    if given is None or not given.is_fifo():
        return given
    kept = Path(context.with_resource(TemporaryDirectory())) / given.name
    with naming_the_place(kept), given.open("rb") as pipe, kept.open("wb") as file:
        shutil.copyfileobj(pipe, file)
    return kept


def pool_from_pipe(context: typer.Context, given: str) -> str:
    """Return a pool likewise, which may be a pattern or a URL too."""
    return str(from_pipe(context, Path(given))) if Path(given).is_fifo() else given


def each_from_pipe(context: typer.Context, given: list[Path] | None) -> list[Path | None] | None:
    """Return the files of a repeatable option likewise."""
    return None if given is None else [from_pipe(context, path) for path in given]
