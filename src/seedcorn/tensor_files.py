"""Saved networks (safetensors), read without trusting them: names, shapes and numbers are checked before use."""

import hashlib
import json
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from seedcorn.errors import DataError, require
from seedcorn.files import Json
from seedcorn.streams import refuse_to_read_stream

if TYPE_CHECKING:
    from torch import nn

Arrays = Mapping[str, NDArray[np.generic]]
Module = TypeVar("Module", bound="nn.Module")
Value = TypeVar("Value")

DIGEST = "sha256"
# What a description or a network that was changed by hand raises, in json, pydantic, numpy and torch.
_DAMAGED = (
    ValueError,
    KeyError,
    TypeError,
    IndexError,
    AttributeError,
    AssertionError,
    RuntimeError,
    ArithmeticError,
    MemoryError,
    EOFError,
    OSError,
    zipfile.BadZipFile,
    zlib.error,
)


@contextmanager
def reading_saved(path: Path, *, wanted: str, fix: str = "") -> Iterator[None]:
    """Turn what damaged content raises inside the block into a DataError that says what was ``wanted``."""
    try:
        yield
    except _DAMAGED as error:
        found = str(error).strip().partition("\n")[0] or type(error).__name__
        raise DataError(wanted=wanted, found=f"a damaged one ({found})", where=path, fix=fix) from error


def read_tensors(path: Path, *, wanted: str, extra: str) -> tuple[dict[str, NDArray[np.generic]], dict[str, str]]:
    """Return the arrays and the metadata of a safetensors file.

    Raises DataError for another file, a damaged one, and numbers that are none.
    """
    refuse_to_read_stream(path, wanted=wanted)
    safetensors = require("safetensors", extra=extra)
    try:
        with safetensors.safe_open(path, framework="np") as stored:
            about = dict(stored.metadata() or {})
            arrays = {name: np.array(stored.get_tensor(name)) for name in stored.keys()}  # noqa: SIM118
    except (safetensors.SafetensorError, OSError, ValueError, TypeError, KeyError, MemoryError) as error:
        raise DataError(wanted=wanted, found=str(error) or type(error).__name__, where=path) from error
    for name, array in arrays.items():
        if np.issubdtype(array.dtype, np.floating) and not np.isfinite(array).all():
            raise DataError(wanted=wanted, found=f"'{name}' with numbers that are none", where=path)
    return arrays, about


def as_json(text: str, kind: type[Value]) -> Value:
    """Return the JSON value ``text``, which is to be of ``kind``. Raises ValueError when it is something else."""
    return TypeAdapter(kind).validate_json(text)


def sealed(description: Mapping[str, Json], arrays: Arrays) -> dict[str, Json]:
    """Return ``description`` with the digest of itself and of ``arrays``, which ``check_seal`` compares."""
    return {**description, DIGEST: _digest(description, arrays)}


def check_seal(description: Mapping[str, Json], arrays: Arrays) -> None:
    """Raise ValueError when description or arrays are others than when they were sealed."""
    if DIGEST in description and description[DIGEST] != _digest(description, arrays):
        raise ValueError("other bytes than were saved")


def _digest(description: Mapping[str, Json], arrays: Arrays) -> str:
    own = {key: value for key, value in description.items() if key != DIGEST}
    digest = hashlib.sha256(json.dumps(own, sort_keys=True).encode())
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype} {arrays[name].shape}".encode())
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest()


def with_tensors(make: Callable[[], Module], arrays: Arrays) -> Module:
    """Return the network that ``make`` makes, with the ``arrays`` as its state.

    It is first made without memory, so that a description of a network beyond all sizes is told by its shapes. Raises
    ValueError when names, shapes or types are not those of the network.
    """
    import torch

    with torch.device("meta"):
        wanted = {name: (tuple(t.shape), t.dtype.is_floating_point) for name, t in make().state_dict().items()}
    found = {name: (a.shape, bool(np.issubdtype(a.dtype, np.floating))) for name, a in arrays.items()}
    other = next((name for name in sorted({*wanted, *found}) if wanted.get(name) != found.get(name)), None)
    if other is not None:
        shapes = [str(of[other][0]) if other in of else "none" for of in (wanted, found)]
        raise ValueError(f"'{other}' of shape {shapes[1]} for {shapes[0]}")
    network = make()
    network.load_state_dict({name: torch.from_numpy(np.ascontiguousarray(a)) for name, a in arrays.items()})
    return network


def check_depth(n_layers: int, arrays: Arrays) -> None:
    """Raise ValueError for more layers than there are arrays, before so many are made."""
    if not 0 <= n_layers <= len(arrays):
        raise ValueError(f"{n_layers} layers in {len(arrays)} arrays")
