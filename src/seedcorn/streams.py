"""Places that are no files: devices, pipes, and whatever is open already, by any of its names."""

import os
import re
import sys
from pathlib import Path
from typing import BinaryIO

from seedcorn.errors import DataError

_DESCRIPTORS = {"-": 1, "/dev/stdout": 1, "/dev/stderr": 2}
_NUMBERED_DESCRIPTOR = re.compile(r"/(?:dev|proc/self)/fd/(\d+)")


def is_stream(path: Path) -> bool:
    """Tell whether ``path`` is a device, a pipe, or a name of a file that is open ("-" of standard output)."""
    return _descriptor(path) is not None or (path.exists() and not path.is_file() and not path.is_dir())


def refuse_to_read_stream(path: Path, *, wanted: str = "a file, which is read more than once") -> None:
    """Raise DataError for a folder, a pipe or a device: what is looked into before it is read has to be a file."""
    if path.is_dir():
        raise DataError(wanted=wanted, found="a folder", where=path, fix="Name a file in it.")
    if path.exists() and not path.is_file():
        raise DataError(wanted=wanted, found="a pipe or a device", where=path, fix="Write it to a file first.")


def is_standard_output(path: Path) -> bool:
    """Tell whether ``path`` names standard output, by whichever of its names."""
    return _descriptor(path) == 1


def _descriptor(path: Path) -> int | None:
    numbered = _NUMBERED_DESCRIPTOR.fullmatch(os.fspath(path))
    return int(numbered[1]) if numbered else _DESCRIPTORS.get(os.fspath(path))


def open_stream(path: Path) -> BinaryIO:
    """Open what ``path`` names; what is open already is written on from where it is, not from its beginning."""
    number = _descriptor(path)
    if number is None:
        return path.open("wb")
    if sys.stdout is not None:
        sys.stdout.flush()
    return os.fdopen(os.dup(number), "wb")
