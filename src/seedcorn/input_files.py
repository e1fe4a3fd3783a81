"""Files that settings name, told apart by their content."""

import functools
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from seedcorn.errors import ConfigError
from seedcorn.files import RECORD_NAME, digest_of_json

INPUT_FILE_ERROR = "input_file"
_BUILTIN = "builtin:"
_BYTES_PER_READ = 1 << 20


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
        try:
            return cls.at(value, relative_to=configuration_folder(info))
        except ConfigError as error:
            raise PydanticCustomError(INPUT_FILE_ERROR, "{error}", {"error": error}) from error


def configuration_folder(info: ValidationInfo) -> Path | None:
    """Return the folder of the configuration that is validated, from which its paths count; None outside of one."""
    return info.context.get("relative_to") if isinstance(info.context, Mapping) else None


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
    return digest_of_json(names_and_digests)
