"""Arrays that need not fit in memory: they lie in unnamed files, which vanish with them."""

import functools
import os
import tempfile
from pathlib import Path
from typing import IO, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from seedcorn.files import naming_the_place

Number = TypeVar("Number", bound=np.generic)

_BYTES_PER_WRITE = 1 << 20


class NewArray(Protocol):
    """What makes a new array of shape (size,), its values undefined, in memory or on disk."""

    def __call__(self, size: int, dtype: type[Number], /) -> NDArray[Number]:
        """Return the array."""
        ...


def array_in_memory(size: int, dtype: type[Number]) -> NDArray[Number]:
    """Return an array of shape (size,) in memory."""
    return np.empty(size, dtype=dtype)


def array_on_disk(size: int, dtype: type[Number], *, folder: Path) -> NDArray[Number]:
    """Return an array of shape (size,) that lies in a file without a name in ``folder``, freed with the array.

    Raises OSError when the disk has no room for it.
    """
    with tempfile.TemporaryFile(dir=folder) as file, naming_the_place(folder):
        reserve(file, max(size, 1) * np.dtype(dtype).itemsize)
        return np.asarray(np.memmap(file, dtype=dtype, mode="r+", shape=(max(size, 1),)))[:size]


def reserve(file: IO[bytes], n_bytes: int) -> None:
    """Make ``file`` hold ``n_bytes`` for sure: writing into a map of a file on a full disk would end the process."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, n_bytes)
        return
    zeros = bytes(_BYTES_PER_WRITE)
    for start in range(0, n_bytes, _BYTES_PER_WRITE):
        file.write(zeros[: n_bytes - start])
    file.flush()


def new_array_within(n_bytes: int, *, n_memory_bytes: int, folder: Path) -> NewArray:
    """Return what makes arrays: in memory when all of them together, ``n_bytes``, fit there, on disk otherwise."""
    if n_bytes <= n_memory_bytes:
        return array_in_memory
    return functools.partial(array_on_disk, folder=folder)
