"""Archives of arrays (npz), read without trusting them: no pickled objects, no small file that grows huge."""

import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from seedcorn.errors import DataError
from seedcorn.streams import refuse_to_read_stream

_MOST_BYTES_UNASKED = 1 << 26
_MOST_COMPRESSION = 300


def read_arrays(path: Path, *, wanted: str) -> dict[str, NDArray[np.generic]]:
    """Return the arrays of an npz file by name.

    Raises DataError, which says that ``wanted`` was wanted, for another file, a damaged one, pickled objects, and for
    an archive that unpacks to more than 64 megabytes and 300 times its size.
    """
    refuse_to_read_stream(path, wanted=wanted)
    try:
        with zipfile.ZipFile(path) as archive:
            n_bytes = sum(entry.file_size for entry in archive.infolist())
        if n_bytes > max(_MOST_BYTES_UNASKED, _MOST_COMPRESSION * path.stat().st_size):
            raise DataError(wanted=wanted, found=f"an archive that unpacks to {n_bytes:,} bytes", where=path)
        with np.load(path, allow_pickle=False) as stored:
            return {name: _native(stored[name], name) for name in stored.files}
    except _DAMAGED as error:
        raise DataError(wanted=wanted, found=found_in(error), where=path) from error


# What zipfile and numpy raise for damaged archives and headers.
_DAMAGED = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
    MemoryError,
    NotImplementedError,
    SyntaxError,
    RuntimeError,
    OverflowError,
    tokenize.TokenError,
)


def _native(array: NDArray[np.generic] | bytes, name: str) -> NDArray[np.generic]:
    if not isinstance(array, np.ndarray):
        raise ValueError(f"'{name}', which is no array")
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def found_in(error: Exception) -> str:
    """Return what an error of reading arrays says was found, in words for the user.

    What numpy says of a file that is none of its own is how to load pickled objects, which is never done here.
    """
    is_other = "pickle" in str(error) or "not a zip file" in str(error)
    return "another kind of file" if is_other else (str(error) or type(error).__name__)


def is_ascending(numbers: NDArray[np.integer]) -> bool:
    """Tell whether no number is less than the one before; differences would overflow where a file holds huge ones."""
    return bool((numbers[1:] >= numbers[:-1]).all())


Scalar = TypeVar("Scalar", bound=np.generic)


def checked(
    arrays: Mapping[str, NDArray[np.generic]], name: str, kind: type[Scalar], *, shape: tuple[int | None, ...]
) -> NDArray[Scalar]:
    """Return the array called ``name``, of type ``kind`` and ``shape`` (None: any size), all of its numbers finite.

    Raises ValueError when it is another, KeyError when there is none.
    """
    array = arrays[name]
    fits = array.ndim == len(shape) and all(
        wanted in (None, size) for wanted, size in zip(shape, array.shape, strict=True)
    )
    if array.dtype != np.dtype(kind) or not fits:
        raise ValueError(f"'{name}' of type {array.dtype} and shape {array.shape}")
    if np.issubdtype(array.dtype, np.floating) and not np.isfinite(array.astype(np.float64)).all():
        raise ValueError(f"'{name}' with numbers that are none")
    return array.astype(kind, copy=False)
