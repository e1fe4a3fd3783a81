"""Files that appear whole or not at all, and JSON in them."""

import contextlib
import errno
import glob
import hashlib
import json
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias, TypeVar

from pydantic import TypeAdapter, ValidationError

from seedcorn.errors import DataError, SeedcornError
from seedcorn.streams import is_stream, open_stream

Json: TypeAlias = "None | bool | int | float | str | Sequence[Json] | Mapping[str, Json]"

Value = TypeVar("Value")

RECORD_NAME = "record.json"
_WRITING_FAILED = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EIO)
_SAID_BY_RUST = re.compile(r"\(os error (\d+)\)")
_SAID_BY_CPP = (
    "iostream error",
    "inline_container",
)  # ctranslate2 and torch, of a file that could not be written whole


@contextlib.contextmanager
def writing_whole(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that becomes it when the block ends well, and vanishes otherwise.

    A link is followed, and the mode of a file that is replaced is kept. Into a device, a pipe or standard output ("-")
    the bytes are copied when they are all there. Leftovers of processes that were killed are removed.
    """
    if is_stream(path):
        with tempfile.TemporaryDirectory() as folder, naming_the_place(path):
            partial = Path(folder) / f"partial{''.join(path.suffixes)}"
            yield partial
            with partial.open("rb") as written, open_stream(path) as stream:
                shutil.copyfileobj(written, stream)
        return
    if path.is_dir():
        raise DataError(wanted="a file to write", found="a folder", where=path)
    path = path.resolve() if path.is_symlink() else path
    partial = _partial_beside(path)
    try:
        with naming_the_place(path):
            yield partial
        if path.exists():
            partial.chmod(stat.S_IMODE(path.stat().st_mode))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _partial_beside(path: Path) -> Path:
    """Return where ``path`` is made until it is whole, leftovers of killed processes removed.

    The suffixes are kept: writers choose format and compression by them. Raises OSError that names ``path`` now where
    nothing can be made there, since writers name the temporary path, or none.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path)
    partial = path.with_name(f".{os.getpid()}.partial.{path.name}")
    with naming_the_place(path, whatever_failed=True):
        partial.touch()
        partial.unlink()
    return partial


@contextlib.contextmanager
def writing_whole_folder(path: Path) -> Iterator[Path]:
    """Yield the path of a folder to make, which becomes ``path`` when the block ends well, and vanishes otherwise.

    Raises DataError where something is already.
    """
    if path.exists() or is_stream(path):
        found = "a stream" if is_stream(path) else "one that is there already"
        raise DataError(wanted="a new file or folder to write", found=found, where=path)
    partial = _partial_beside(path)
    try:
        with naming_the_place(path):
            yield partial
        partial.rename(path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _sweep(path: Path) -> None:
    """Remove what processes that are no more left half-written in the place of ``path``."""
    for leftover in path.parent.glob(f".*.partial.{glob.escape(path.name)}"):
        process = leftover.name.split(".")[1]
        if process.isdecimal() and not _is_running(int(process)):
            if leftover.is_dir():
                shutil.rmtree(leftover, ignore_errors=True)
            else:
                leftover.unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    if os.name == "nt":  # there the call would end the process
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


@contextlib.contextmanager
def naming_the_place(path: Path, *, whatever_failed: bool = False) -> Iterator[None]:
    """Give an OSError of a full or read-only disk, or any one, ``path`` as its file name.

    Arrow's writers leave it out, others name the temporary path, or raise errors of their own, which become OSError.
    A folder that is named stays: that one is full.
    """
    try:
        yield
    except OSError as error:
        is_of_place = error.errno in _WRITING_FAILED and not (error.filename and Path(error.filename).is_dir())
        if not (whatever_failed or is_of_place):
            raise
        raise OSError(error.errno, os.strerror(error.errno or 0), os.fspath(path)) from error
    except Exception as error:
        failed = _errno_in(error)
        if failed is None:
            raise
        raise OSError(failed, os.strerror(failed), os.fspath(path)) from error


def _errno_in(error: Exception) -> int | None:
    """Return the number of what kept a library in Rust or C++ from writing, None where ``error`` is of another kind."""
    said = _SAID_BY_RUST.search(str(error))
    if said is not None and int(said[1]) in _WRITING_FAILED and not isinstance(error, SeedcornError):
        return int(said[1])
    is_of_cpp = isinstance(error, RuntimeError) and any(words in str(error) for words in _SAID_BY_CPP)
    return errno.ENOSPC if is_of_cpp else None


def write_text_whole(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8 so that the file appears whole or not at all."""
    with writing_whole(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(value: Json, path: Path) -> None:
    """Write ``value`` as indented JSON."""
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n", "utf-8")


def read_json(path: Path, kind: type[Value]) -> Value:
    """Return the JSON value in ``path``, which is to be of ``kind``, such as dict[str, int].

    Raises DataError when it is something else.
    """
    try:
        return TypeAdapter(kind).validate_json(path.read_bytes())
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(map(str, problem["loc"]))
        raise DataError(
            wanted=f"what Seedcorn wrote there ({place}: {problem['msg']})" if place else "what Seedcorn wrote there",
            found="something else: the file is damaged",
            where=path,
            fix="Remove the folder of this stage and run the same command again.",
        ) from error


def digest_of_json(value: Json) -> str:
    """Return the SHA-256 of ``value`` as canonical JSON, in hexadecimal."""
    canonical = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8")).hexdigest()
