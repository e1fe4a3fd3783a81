"""The model file of crfsuite, looked at before it is trusted: on a full disk crfsuite writes on and says nothing.

What it then leaves says a size that it has, and reading it may end the interpreter.
"""

import errno
import os
import struct
import tempfile
from itertools import pairwise
from pathlib import Path

_HEADER = struct.Struct("<4sI4sIIIIIIIII")
_N_FIELDS_BEFORE_STARTS = 7
_PART = struct.Struct("<4sI")
_KINDS = (b"FEAT", b"CQDB", b"CQDB", b"LFRF", b"AFRF")  # features, labels, attributes, and what refers to them
_ALIGNMENT = 4


def read_trained(path: Path) -> bytes:
    """Return the model that was just written to ``path``.

    Raises OSError (no space), which names the folder of temporary files, for one that is not whole.
    """
    model_bytes = path.read_bytes() if path.exists() else b""
    if not is_whole(model_bytes):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), tempfile.gettempdir())
    return model_bytes


def is_whole(model_bytes: bytes) -> bool:
    """Tell whether the parts of a model follow each other to its end, each of its kind and size."""
    if len(model_bytes) < _HEADER.size:
        return False
    starts = _HEADER.unpack_from(model_bytes)[_N_FIELDS_BEFORE_STARTS:]
    for kind, (start, end) in zip(_KINDS, pairwise((*starts, len(model_bytes))), strict=True):
        if not start + _PART.size <= end <= len(model_bytes):
            return False
        found, n_bytes = _PART.unpack_from(model_bytes, start)
        if found != kind or not 0 <= end - start - n_bytes < _ALIGNMENT:
            return False
    return True
