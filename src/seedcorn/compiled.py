"""Functions compiled by numba, cached under names that change with the code of any of them.

numba looks only at a function's own file. After an upgrade in place it would take from the cache what a function of
another file brought into the machine code before, and fail where a type's module has moved since.
"""

import functools
import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, Self

import numba
from numba.core import types
from numba.core.caching import CacheImpl
from numba.core.types.containers import BaseTuple
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

njit = numba.njit
_PACKAGE = Path(__file__).parent
_IMPORTED = re.compile(rb"^from seedcorn\.([\w.]+) import", re.MULTILINE)


class _Place(Protocol):
    """Where numba caches a function."""

    def ensure_cache_path(self) -> None: ...

    def get_cache_path(self) -> str: ...

    def get_source_stamp(self) -> object: ...

    def get_disambiguator(self) -> str: ...


class PackageLocator:
    """The place that numba chooses for a function of this package, under a name with the digest of the code in it."""

    def __init__(self, chosen: _Place, file: str) -> None:
        self._py_file = file
        self._chosen = chosen
        self.ensure_cache_path = chosen.ensure_cache_path
        self.get_cache_path = chosen.get_cache_path
        self.get_source_stamp = chosen.get_source_stamp

    @classmethod
    def from_function(cls, function: Callable[..., object], file: str) -> Self | None:
        """Return the locator, None for what is not of this package or cannot be cached."""
        if _PACKAGE not in Path(file).parents:
            return None
        others = (other for other in CacheImpl._locator_classes if other is not cls)
        chosen = next(filter(None, (other.from_function(function, file) for other in others)), None)
        return None if chosen is None else cls(chosen, file)

    def get_disambiguator(self) -> str:
        """Return what tells the cache of one function, in one state of the code, from all others."""
        return f"{self._chosen.get_disambiguator()}-{code_digest()}"


@functools.cache
def code_digest() -> str:
    """Return the beginning of the SHA-256 of all files with compiled functions, and of those whose types they take."""
    codes = {path: path.read_bytes() for path in _PACKAGE.rglob("*.py")}
    compiled = {path for path, code in codes.items() if b"njit" in code}
    names = {name for path in compiled for name in _IMPORTED.findall(codes[path])}
    imported = {_PACKAGE.joinpath(*name.decode().split(".")).with_suffix(".py") for name in names}
    types = {path for path in imported & set(codes) if b"NamedTuple" in codes[path]}
    parts = [hashlib.sha256(codes[path]).digest() for path in sorted(compiled | types)]
    return hashlib.sha256(b"".join(parts)).hexdigest()[:12]


CacheImpl._locator_classes.insert(0, PackageLocator)


@intrinsic
def population_count(typing_context, value):  # type: ignore[no-untyped-def]
    """Return how many bits of an unsigned 64-bit number are set, by the processor's own instruction."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.ctpop(*arguments)

    return (types.uint64(types.uint64), generate) if value == types.uint64 else None


@intrinsic
def borrowed(typing_context, value):  # type: ignore[no-untyped-def]
    """Return an array, or a tuple with its arrays, as one whose references are not counted: its owner must outlive it.

    Counting is atomic, and half of the time of code that hands arrays to small functions; threads wait for each other.
    """
    if not isinstance(value, types.Array | BaseTuple):
        return None

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return _uncounted(context, builder, value, arguments[0])  # type: ignore[no-untyped-call]

    return value(value), generate


def _uncounted(context, builder, kind, given):  # type: ignore[no-untyped-def]
    """Return the value ``given`` of a ``kind``, its arrays without an owner; what else it holds is counted."""
    if isinstance(kind, BaseTuple):
        for i, kind_of_part in enumerate(kind):
            part = _uncounted(context, builder, kind_of_part, builder.extract_value(given, i))  # type: ignore[no-untyped-call]
            given = builder.insert_value(given, part, i)
        return given
    if not isinstance(kind, types.Array):
        context.nrt.incref(builder, kind, given)
        return given
    array = make_array(kind)(context, builder, value=given)
    array.meminfo = array.meminfo.type(None)
    array.parent = array.parent.type(None)
    return array._getvalue()
