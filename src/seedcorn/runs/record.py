"""What a finished stage was made from and what it made: the record that says whether it must run again."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from importlib import metadata
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from seedcorn import __version__
from seedcorn.files import RECORD_NAME, Json, digest_of_json, read_json
from seedcorn.input_files import InputFile

_PACKAGES_IN_RECORDS = ("numpy", "pyarrow", "numba", "scikit-learn", "torch", "transformers", "ctranslate2")


@dataclass(frozen=True, kw_only=True)
class StageRecord:
    """What a finished stage was made from and what it made.

    ``fingerprint`` digests everything that decides the output; ``output_digest`` digests the files written, and is the
    input digest of the stages that read them. ``counts`` has at least n_in, n_kept and n_rejected where they apply.
    """

    stage: str
    fingerprint: str
    output_digest: str
    settings: Mapping[str, Json]
    inputs: Mapping[str, str]
    versions: Mapping[str, str]
    random_seed: int
    counts: Mapping[str, int]

    @property
    def signature(self) -> str:
        """One line that names what a reported number depends on."""
        inputs = " ".join(f"{name}:{digest[:8]}" for name, digest in self.inputs.items())
        return (
            f"{self.stage}#{self.fingerprint[:8]} settings:{digest_of_json(self.settings)[:8]} {inputs} "
            f"random_seed:{self.random_seed} seedcorn:{self.versions['seedcorn']}"
        )


def read_record(stage_folder: Path) -> StageRecord | None:
    """Return the record in ``stage_folder``, or None when the stage has not finished there.

    Raises DataError for one that was changed by hand or is damaged.
    """
    path = stage_folder / RECORD_NAME
    return _as_record(read_json(path, _Written)) if path.exists() else None


@dataclass(frozen=True, kw_only=True)
class _Written(StageRecord):
    """A record as it is in its file: settings are any JSON value."""

    settings: dict[str, Any]


def _as_record(written: _Written) -> StageRecord:
    return StageRecord(**written.__dict__)


def content_of(settings: object) -> Json:
    """Return ``settings`` as JSON that says what they are, not where: every InputFile as the digest of its content."""
    if isinstance(settings, InputFile):
        return {"content": settings.digest}
    if isinstance(settings, BaseModel):
        return {name: content_of(getattr(settings, name)) for name in type(settings).model_fields}
    if isinstance(settings, Enum):
        return content_of(settings.value)
    if isinstance(settings, Path):
        return None  # a folder in which something is kept, on which no result depends: what is read is an InputFile
    if isinstance(settings, Mapping):
        return {str(content_of(key)): content_of(value) for key, value in settings.items()}
    if isinstance(settings, Sequence) and not isinstance(settings, str):
        return [content_of(value) for value in settings]
    if settings is None or isinstance(settings, bool | int | float | str):
        return settings
    raise TypeError(f"a setting of type {type(settings).__name__} has no content to digest")


def package_versions() -> dict[str, str]:
    """Return the versions of Seedcorn and of the packages that can change its numbers, those that are installed."""
    versions = {"seedcorn": __version__}
    for package in _PACKAGES_IN_RECORDS:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[package] = metadata.version(package)
    return versions
