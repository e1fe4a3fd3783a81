"""Seedcorn's own file of an n-gram model: its arrays as they are in memory, mapped rather than read.

A file is: the magic line, the length of a JSON header (8 bytes, little-endian), the header, then the arrays, each at a
multiple of 64 bytes. The header has the format version, name, type, shape and place of every array, and the CRC-32 of
all that comes after it. Numbers are little-endian; nothing in the file is code.
"""

import json
import sys
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seedcorn.errors import DataError
from seedcorn.files import Json, writing_whole
from seedcorn.lm.arpa import read_arpa
from seedcorn.lm.ngram_model import NgramArrays, NgramModel
from seedcorn.lm.text_buffers import MODEL_MAGIC
from seedcorn.lm.vocabulary import Vocabulary, WordTable

VERSION = 1
_ALIGNMENT = 64
_BYTES_PER_CHECK = 1 << 24
_TYPES = {
    "words": "<i4",
    "children": "<i4",
    "suffixes": "<i4",
    "logps": "<f4",
    "backoffs": "<f4",
    "order_begins": "<i8",
    "text": "|u1",
    "ends": "<i8",
    "slots": "<i4",
}


def write_model(model: NgramModel, path: Path) -> None:
    """Write ``model`` in Seedcorn's own format; the file appears whole or not at all."""
    arrays = {
        **model.arrays._asdict(),
        "order_begins": model.order_begins,
        **model.vocabulary.table._asdict(),
    }
    encoded = {name: np.ascontiguousarray(array, dtype=_TYPES[name]) for name, array in arrays.items()}
    places: dict[str, Json] = {}
    at, crc = 0, 0
    for name, array in encoded.items():
        places[name] = {"begin": at, "size": len(array)}
        padded = -array.nbytes % _ALIGNMENT
        crc = zlib.crc32(bytes(padded), zlib.crc32(array.data, crc))
        at += array.nbytes + padded
    header = json.dumps({"version": VERSION, "n_bytes": at, "crc32": crc, "arrays": places}).encode()
    header += b" " * (-(len(MODEL_MAGIC) + 8 + len(header)) % _ALIGNMENT)
    with writing_whole(path) as partial, partial.open("wb") as stream:
        stream.write(MODEL_MAGIC + len(header).to_bytes(8, "little") + header)
        for array in encoded.values():
            stream.write(array.data)
            stream.write(bytes(-array.nbytes % _ALIGNMENT))


def is_model_file(path: Path) -> bool:
    """Tell whether ``path`` is in Seedcorn's own format."""
    with path.open("rb") as stream:
        return stream.read(len(MODEL_MAGIC)) == MODEL_MAGIC


def read_model(path: Path) -> NgramModel:
    """Read the model in ``path``, in Seedcorn's own format or ARPA, plain or gzip.

    The arrays of our own format are mapped, so that processes share them and only what is used is read; changes to them
    stay in memory. Raises DataError when the file is neither, cut short, damaged, or of a later version.
    """
    return _mapped(path) if is_model_file(path) else read_arpa(path)


def _mapped(path: Path) -> NgramModel:
    if sys.byteorder != "little":
        raise DataError(wanted="a little-endian machine", found=sys.byteorder, where=path, fix="Use the ARPA file.")
    raw = np.memmap(path, dtype=np.uint8, mode="c")
    first = len(MODEL_MAGIC) + 8
    header_bytes = int.from_bytes(raw[len(MODEL_MAGIC) : first].tobytes(), "little")
    payload = np.asarray(raw)[first + header_bytes :]
    try:
        header = json.loads(raw[first : first + header_bytes].tobytes())
        version, n_bytes, crc, places = (header[key] for key in ("version", "n_bytes", "crc32", "arrays"))
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path, "a header that cannot be read") from error
    if version != VERSION:
        raise DataError(
            wanted=f"a model of format version {VERSION}",
            found=f"version {version}",
            where=path,
            fix="Make it again with this version of Seedcorn, from its ARPA file or its text.",
        )
    if n_bytes != len(payload) or crc != _crc(payload):
        raise _damaged(path, f"{len(payload):,} bytes of {n_bytes:,}" if n_bytes != len(payload) else "changed bytes")
    arrays = {name: _array(payload, name, place) for name, place in places.items()}
    return NgramModel(
        vocabulary=Vocabulary(WordTable._make(arrays[name] for name in WordTable._fields)),
        arrays=NgramArrays._make(arrays[name] for name in NgramArrays._fields),
        order_begins=arrays["order_begins"].astype(np.int64),
    )


def _array(payload: NDArray[np.uint8], name: str, place: dict[str, int]) -> NDArray[np.generic]:
    dtype = np.dtype(_TYPES[name])
    return payload[place["begin"] : place["begin"] + place["size"] * dtype.itemsize].view(dtype)


def _crc(payload: NDArray[np.uint8]) -> int:
    crc = 0
    for begin in range(0, len(payload), _BYTES_PER_CHECK):
        crc = zlib.crc32(payload[begin : begin + _BYTES_PER_CHECK].data, crc)
    return crc


def _damaged(path: Path, found: str) -> DataError:
    return DataError(wanted="a whole model file", found=found, where=path, fix="Copy or make the file again.")
