"""Files that settings name, digested by content, and files that appear whole or not at all."""

import contextlib
import errno
import functools
import glob
import hashlib
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Self, TypeAlias, TypeVar

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter, ValidationError, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from seedcorn.errors import ConfigError, DataError
from seedcorn.streams import is_stream, open_stream

Json: TypeAlias = "None | bool | int | float | str | Sequence[Json] | Mapping[str, Json]"

Value = TypeVar("Value")

RECORD_NAME = "record.json"
INPUT_FILE_ERROR = "input_file"
_BUILTIN = "builtin:"
_BYTES_PER_READ = 1 << 20
_WRITING_FAILED = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EIO)


@dataclass(frozen=True)
class InputFile:
    """A file or folder that a setting names: ``written`` as the user wrote it, ``path`` where it is.

    It may hold ${VARIABLES}; a relative path counts from the folder of its configuration. Two of equal content have
    equal digests, wherever they are. ``builtin:NAME`` names something that the package makes itself.
    """

    written: str
    path: Path

    @classmethod
    def at(cls, path: Path | str, *, relative_to: Path | None = None) -> Self:
        """Return the file at ``path``, whose variables are replaced.

        Raises ConfigError naming a variable that is not set, or a path where nothing is.
        """
        written = os.fspath(path)
        if written.startswith(_BUILTIN):
            return cls(written=written, path=Path(written))
        try:
            replaced = Path(Template(written).substitute(os.environ)).expanduser()
        except KeyError as error:
            raise ConfigError(
                wanted=f"a path in '{written}'",
                found=f"the variable {error.args[0]}, which is not set",
                fix=f"Set {error.args[0]} to a folder.",
            ) from error
        except ValueError as error:
            raise ConfigError(
                wanted=f"a path in '{written}'", found="a '$' that no name follows", fix="Write '$$' for a '$'."
            ) from error
        found = (relative_to or Path()) / replaced
        try:
            is_there = found.exists()
        except OSError:  # such as a name longer than any
            is_there = False
        if not is_there:
            raise ConfigError(
                wanted=f"the file or folder '{written}'", found="nothing there", where=found, fix="Check the path."
            )
        return cls(written=written, path=found)

    @property
    def is_builtin(self) -> bool:
        """Whether it is made by the package, which its version tells the content of."""
        return self.written.startswith(_BUILTIN)

    @property
    def digest(self) -> str:
        """The SHA-256 of the content, in hexadecimal; the name of what is built in."""
        return self.written if self.is_builtin else digest_of_file(self.path)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read from a string, with ``relative_to`` in the validation context; written back as it was."""
        return core_schema.with_info_plain_validator_function(
            cls._validated, serialization=core_schema.plain_serializer_function_ser_schema(lambda file: file.written)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Written as a string."""
        return {"type": "string"}

    @classmethod
    def _validated(cls, value: object, info: ValidationInfo) -> Self:
        if isinstance(value, cls):
            return value
        if not isinstance(value, str | Path):
            raise ValueError("Input should be a path")
        folder = info.context.get("relative_to") if isinstance(info.context, Mapping) else None
        try:
            return cls.at(value, relative_to=folder)
        except ConfigError as error:
            raise PydanticCustomError(INPUT_FILE_ERROR, "{error}", {"error": error}) from error


def digest_of_file(path: Path) -> str:
    """Return the SHA-256 of the bytes of ``path``, or of all files below it when it is a folder, in hexadecimal."""
    if path.is_dir():
        return digest_of_folder(path)
    status = path.stat()
    return _digest_of_content(path, status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=4096)
def _digest_of_content(path: Path, n_bytes: int, modified_ns: int) -> str:
    """Return the SHA-256 of a file, which is read once as long as its size and its time stay."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BYTES_PER_READ):
            digest.update(block)
    return digest.hexdigest()


def digest_of_folder(folder: Path) -> str:
    """Return the SHA-256 over the names and bytes of all files below ``folder``, whatever their order on disk."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != RECORD_NAME)
    names_and_digests = [[p.relative_to(folder).as_posix(), digest_of_file(p)] for p in files]
    return hashlib.sha256(json.dumps(names_and_digests, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


@contextlib.contextmanager
def writing_whole(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that becomes it when the block ends well, and vanishes otherwise.

    A link is followed, and the mode of a file that is replaced is kept. Into a device, a pipe or standard output ("-")
    the bytes are copied when they are all there. Leftovers of processes that were killed are removed.
    """
    if is_stream(path):
        with tempfile.TemporaryDirectory() as folder, naming_the_place(path):
            partial = Path(folder) / f"partial{''.join(path.suffixes)}"
            yield partial
            with partial.open("rb") as written, open_stream(path) as stream:
                shutil.copyfileobj(written, stream)
        return
    if path.is_dir():
        raise DataError(wanted="a file to write", found="a folder", where=path)
    path = path.resolve() if path.is_symlink() else path
    partial = _partial_beside(path)
    try:
        with naming_the_place(path):
            yield partial
        if path.exists():
            partial.chmod(stat.S_IMODE(path.stat().st_mode))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _partial_beside(path: Path) -> Path:
    """Return where ``path`` is made until it is whole, leftovers of killed processes removed.

    The suffixes are kept: writers choose format and compression by them.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path)
    return path.with_name(f".{os.getpid()}.partial.{path.name}")


@contextlib.contextmanager
def writing_whole_folder(path: Path) -> Iterator[Path]:
    """Yield the path of a folder to make, which becomes ``path`` when the block ends well, and vanishes otherwise.

    Raises DataError where something is already.
    """
    if path.exists() or is_stream(path):
        found = "a stream" if is_stream(path) else "one that is there already"
        raise DataError(wanted="a new file or folder to write", found=found, where=path)
    partial = _partial_beside(path)
    try:
        with naming_the_place(path):
            yield partial
        partial.rename(path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _sweep(path: Path) -> None:
    """Remove what processes that are no more left half-written in the place of ``path``."""
    for leftover in path.parent.glob(f".*.partial.{glob.escape(path.name)}"):
        process = leftover.name.split(".")[1]
        if process.isdecimal() and not _is_running(int(process)):
            if leftover.is_dir():
                shutil.rmtree(leftover, ignore_errors=True)
            else:
                leftover.unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    if os.name == "nt":  # there the call would end the process
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


@contextlib.contextmanager
def naming_the_place(path: Path) -> Iterator[None]:
    """Give an OSError of a full or read-only disk ``path`` as its file name: Arrow's writers leave it out."""
    try:
        yield
    except OSError as error:
        if error.errno not in _WRITING_FAILED:
            raise
        raise OSError(error.errno, os.strerror(error.errno), os.fspath(path)) from error


def write_text_whole(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8 so that the file appears whole or not at all."""
    with writing_whole(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(value: Json, path: Path) -> None:
    """Write ``value`` as indented JSON."""
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n", "utf-8")


def read_json(path: Path, kind: type[Value]) -> Value:
    """Return the JSON value in ``path``, which is to be of ``kind``, such as dict[str, int].

    Raises DataError when it is something else.
    """
    try:
        return TypeAdapter(kind).validate_json(path.read_bytes())
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(map(str, problem["loc"]))
        raise DataError(
            wanted=f"what Seedcorn wrote there ({place}: {problem['msg']})" if place else "what Seedcorn wrote there",
            found="something else: the file is damaged",
            where=path,
            fix="Remove the folder of this stage and run the same command again.",
        ) from error
