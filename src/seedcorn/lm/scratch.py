"""Arrays that need not fit in memory: they lie in unnamed files, which vanish with them whatever happens.

What compiled code has touched of such an array counts as this process's memory until it is let go of; the bytes stay
in the file.
"""

import mmap
import os
import tempfile
from pathlib import Path
from typing import IO, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from seedcorn.files import naming_the_place

Number = TypeVar("Number", bound=np.generic)

_BYTES_PER_WRITE = 1 << 20
_MOST_BYTES_IN_MEMORY = 1 << 22


class GrowingArray(Generic[Number]):
    """An array that is appended to: small ones stay in memory, others go to a file without a name in ``folder``.

    Without a folder all of it stays in memory. Raises OSError when the disk has no room.
    """

    def __init__(self, dtype: type[Number], *, folder: Path | None) -> None:
        self._dtype, self._folder = dtype, folder
        self._parts: list[NDArray[Number]] = []
        self._file: IO[bytes] | None = None
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def append(self, values: NDArray[np.generic]) -> None:
        """Put ``values`` at the end."""
        self._parts.append(values.astype(self._dtype))
        self._size += len(values)
        is_large = self._size * np.dtype(self._dtype).itemsize > _MOST_BYTES_IN_MEMORY
        if self._folder is not None and is_large:
            with naming_the_place(self._folder):
                self._file = self._file or tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115
                self._write_parts(self._file)

    def array(self) -> NDArray[Number]:
        """Return all that was appended so far, in the file when it is there; more may be appended."""
        if self._file is None:
            self._parts = [np.concatenate([np.empty(0, self._dtype), *self._parts])]
            return self._parts[0]
        self._file.flush()
        return np.asarray(np.memmap(self._file, dtype=self._dtype, mode="r+", shape=(self._size,)))

    def finished(self) -> NDArray[Number]:
        """Return all that was appended; no more may be."""
        whole = self.array()
        if self._file is not None:
            self._file.close()
        return whole

    def _write_parts(self, file: IO[bytes]) -> None:
        for part in self._parts:
            file.write(part.data)
        file.flush()
        self._parts = []


def new_array(size: int, dtype: type[Number], *, folder: Path | None) -> NDArray[Number]:
    """Return an array of shape (size,), its values undefined: a small one in memory, others on disk in ``folder``."""
    if folder is None or size * np.dtype(dtype).itemsize <= _MOST_BYTES_IN_MEMORY:
        return np.empty(size, dtype=dtype)
    return array_on_disk(size, dtype, folder=folder)


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


def let_go(*arrays: NDArray[np.generic]) -> None:
    """Take no memory for those of ``arrays`` that lie on disk until they are used again; nothing of them is lost."""
    for array in arrays:
        whole: object = array
        while isinstance(whole, np.ndarray) and not isinstance(whole, np.memmap):
            whole = whole.base
        # Changes to a private map of a file are in memory alone: only shared ones may go.
        if isinstance(whole, np.memmap) and whole.mode == "r+" and array.nbytes:
            _advise(whole.base, array.ctypes.data - whole.ctypes.data, array.nbytes)


def _advise(mapped: object, start: int, n_bytes: int) -> None:
    if isinstance(mapped, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        first_page = start - start % mmap.PAGESIZE
        mapped.madvise(mmap.MADV_DONTNEED, first_page, start + n_bytes - first_page)
