"""Seedcorn's own file of an n-gram model: its arrays as they are in memory, mapped rather than read.

A file is: the magic line, the length of a JSON header (8 bytes, little-endian), the CRC-32 of the header (4 bytes),
the header, then the arrays, each at a multiple of 64 bytes. The header has the format version, name, size and place of
every array, and the CRC-32 of all that comes after it. Numbers are little-endian; nothing in the file is code. On
opening every index is checked, so that no file can make compiled code read outside the arrays.
"""

import json
import sys
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from seedcorn.errors import DataError, SeedcornWarning
from seedcorn.files import Json, writing_whole
from seedcorn.lm.arpa import LN10, NO_UNKNOWN_LOG10, read_arpa
from seedcorn.lm.automaton import NgramArrays
from seedcorn.lm.model_checks import problem_of
from seedcorn.lm.ngram_model import NgramModel
from seedcorn.lm.scratch import let_go
from seedcorn.lm.text_buffers import MODEL_MAGIC
from seedcorn.lm.vocabulary import UNKNOWN, UNKNOWN_ID, Vocabulary, WordTable
from seedcorn.streams import refuse_to_read_stream

VERSION = 2
_ALIGNMENT = 64
_FIXED_BYTES = len(MODEL_MAGIC) + 12
_MOST_HEADER_BYTES = 1 << 16
_VERSION_1 = b'{"version": 1,'
_NO_UNKNOWN_LOGP = 0.999 * NO_UNKNOWN_LOG10 * LN10
_BYTES_PER_PIECE = 1 << 22
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


class _Header(TypedDict):
    version: int
    n_bytes: int
    crc32: int
    arrays: dict[str, dict[str, int]]


def write_model(model: NgramModel, path: Path | str) -> None:
    """Write ``model`` in Seedcorn's own format; the file appears whole or not at all."""
    path = Path(path)
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
        crc = zlib.crc32(bytes(padded), _crc(array.view(np.uint8), crc))
        at += array.nbytes + padded
    header = json.dumps({"version": VERSION, "n_bytes": at, "crc32": crc, "arrays": places}).encode()
    header += b" " * (-(_FIXED_BYTES + len(header)) % _ALIGNMENT)
    with writing_whole(path) as partial, partial.open("wb") as stream:
        stream.write(
            MODEL_MAGIC + len(header).to_bytes(8, "little") + zlib.crc32(header).to_bytes(4, "little") + header
        )
        for array in encoded.values():
            for piece in _pieces(array.view(np.uint8)):
                stream.write(piece.data)
            stream.write(bytes(-array.nbytes % _ALIGNMENT))


def is_model_file(path: Path) -> bool:
    """Tell whether ``path`` is in Seedcorn's own format."""
    with path.open("rb") as stream:
        return stream.read(len(MODEL_MAGIC)) == MODEL_MAGIC


def read_model(path: Path | str) -> NgramModel:
    """Read the model in ``path``, in Seedcorn's own format or ARPA, plain or gzip.

    The arrays of our own format are mapped, so that processes share them and only what is used is read; changes to them
    stay in memory. Raises DataError when the file is neither, cut short, damaged, or of another version. Warns with
    SeedcornWarning when unknown words have the probability that stands for none.
    """
    path = Path(path)
    refuse_to_read_stream(path, wanted="a language model")
    model = _mapped(path) if is_model_file(path) else read_arpa(path)
    if model.arrays.logps[1 + UNKNOWN_ID] <= _NO_UNKNOWN_LOGP:
        message = f"{path}: no {UNKNOWN} in the model: each unknown word costs 100 in log10, which rules perplexities"
        warnings.warn(message, SeedcornWarning, stacklevel=2)
    return model


def _mapped(path: Path) -> NgramModel:
    if sys.byteorder != "little":
        raise DataError(wanted="a little-endian machine", found=sys.byteorder, where=path, fix="Use the ARPA file.")
    raw = np.asarray(np.memmap(path, dtype=np.uint8, mode="c"))
    header, payload = _header_and_payload(raw, path)
    try:
        n_bytes, crc, places = header["n_bytes"], header["crc32"], header["arrays"]
        if n_bytes != len(payload) or crc != _crc(payload):
            raise _damaged(path, f"{len(payload):,} bytes" if n_bytes != len(payload) else "changed bytes")
        arrays = {name: _array(payload, name, places[name]) for name in _TYPES}
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise _damaged(path, f"a header that does not fit ({error})") from error
    model = NgramModel(
        vocabulary=Vocabulary(WordTable._make(arrays[name] for name in WordTable._fields)),
        arrays=NgramArrays._make(arrays[name] for name in NgramArrays._fields),
        order_begins=arrays["order_begins"].astype(np.int64),
    )
    problem = problem_of(model.arrays, model.order_begins, model.vocabulary.table)
    if problem:
        raise _damaged(path, problem)
    return model


def _header_and_payload(raw: NDArray[np.uint8], path: Path) -> tuple[_Header, NDArray[np.uint8]]:
    first = len(MODEL_MAGIC) + 8
    n_header_bytes = int.from_bytes(raw[len(MODEL_MAGIC) : first].tobytes(), "little")
    if raw[first : first + len(_VERSION_1)].tobytes() == _VERSION_1:
        raise _other_version(path, 1)
    header = raw[_FIXED_BYTES : _FIXED_BYTES + min(n_header_bytes, _MOST_HEADER_BYTES)].tobytes()
    crc = int.from_bytes(raw[first:_FIXED_BYTES].tobytes(), "little")
    if len(header) != n_header_bytes or zlib.crc32(header) != crc or (_FIXED_BYTES + n_header_bytes) % _ALIGNMENT:
        raise _damaged(path, "a header that cannot be read")
    try:
        about: _Header = json.loads(header)
        version = about["version"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _damaged(path, "a header that cannot be read") from error
    if version != VERSION:
        raise _other_version(path, version)
    return about, raw[_FIXED_BYTES + n_header_bytes :]


def _other_version(path: Path, version: object) -> DataError:
    return DataError(
        wanted=f"a model of format version {VERSION}",
        found=f"version {version}",
        where=path,
        fix="Make it again with this version of Seedcorn, from its ARPA file or its text.",
    )


def _array(payload: NDArray[np.uint8], name: str, place: dict[str, int]) -> NDArray[np.generic]:
    dtype = np.dtype(_TYPES[name])
    begin, size = place["begin"], place["size"]
    end = begin + size * dtype.itemsize
    if type(begin) is not int or type(size) is not int or begin % _ALIGNMENT or not 0 <= begin <= end <= len(payload):
        raise ValueError(f"{name} outside the file")
    return payload[begin:end].view(dtype)


def _crc(payload: NDArray[np.uint8], crc: int = 0) -> int:
    for piece in _pieces(payload):
        crc = zlib.crc32(piece.data, crc)
    return crc


def _pieces(payload: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """Yield ``payload`` a few megabytes at a time, let go of after use where it lies on disk."""
    for begin in range(0, len(payload), _BYTES_PER_PIECE):
        yield payload[begin : begin + _BYTES_PER_PIECE]
        let_go(payload[begin : begin + _BYTES_PER_PIECE])


def _damaged(path: Path, found: str) -> DataError:
    return DataError(wanted="a whole model file", found=found, where=path, fix="Copy or make the file again.")
