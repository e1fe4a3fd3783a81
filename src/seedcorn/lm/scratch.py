"""Arrays that need not fit in memory: they lie in unnamed files, which vanish with them."""

import functools
import tempfile
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

Number = TypeVar("Number", bound=np.generic)


class NewArray(Protocol):
    """What makes a new array of shape (size,), its values undefined, in memory or on disk."""

    def __call__(self, size: int, dtype: type[Number], /) -> NDArray[Number]:
        """Return the array."""
        ...


def array_in_memory(size: int, dtype: type[Number]) -> NDArray[Number]:
    """Return an array of shape (size,) in memory."""
    return np.empty(size, dtype=dtype)


def array_on_disk(size: int, dtype: type[Number], *, folder: Path) -> NDArray[Number]:
    """Return an array of shape (size,) that lies in a file without a name in ``folder``, freed with the array."""
    with tempfile.TemporaryFile(dir=folder) as file:
        return np.asarray(np.memmap(file, dtype=dtype, mode="w+", shape=(max(size, 1),)))[:size]


def new_array_within(n_bytes: int, *, n_memory_bytes: int, folder: Path) -> NewArray:
    """Return what makes arrays: in memory when all of them together, ``n_bytes``, fit there, on disk otherwise."""
    if n_bytes <= n_memory_bytes:
        return array_in_memory
    return functools.partial(array_on_disk, folder=folder)
