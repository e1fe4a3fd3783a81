"""Run folders: one folder a stage, done only when its recorded fingerprint matches, resumable after any interruption.

A stage is a plain function; this module is what reads the clock, writes its folder and decides whether it must run.
A stage writes into a hidden folder that is renamed once, after its record: a killed run leaves either a whole stage
or none. Records hold no times and no paths, so an interrupted and an uninterrupted run end with the same bytes.
"""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import TypeAlias

from seedcorn import __version__
from seedcorn.errors import DataError
from seedcorn.progress import say

Json: TypeAlias = "None | bool | int | float | str | Sequence[Json] | Mapping[str, Json]"

RECORD_NAME = "record.json"
_PACKAGES_IN_RECORDS = ("numpy", "pyarrow", "numba", "scikit-learn", "torch", "transformers", "ctranslate2")
_BYTES_PER_READ = 1 << 20
_WRITING_FAILED = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


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


@dataclass(frozen=True, kw_only=True)
class StageFolder:
    """Where a running stage writes: ``output`` becomes the stage's folder, ``checkpoints`` survives interruptions."""

    output: Path
    checkpoints: Path


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run folder and the random seed that everything in it follows from."""

    folder: Path
    random_seed: int

    def stage(
        self,
        name: str,
        work: Callable[[StageFolder], Mapping[str, int]],
        *,
        settings: Mapping[str, Json],
        inputs: Mapping[str, str],
    ) -> StageRecord:
        """Return the record of stage ``name``, running ``work`` unless the stage is already done with this fingerprint.

        ``work`` writes files into the folder it is given and returns its counts. ``inputs`` maps the name of each input
        to its digest (digest_of_file, or the output_digest of an earlier stage).
        """
        settings = json.loads(json.dumps(settings, ensure_ascii=False))
        fingerprint = digest_of_json(
            {
                "stage": name,
                "settings": settings,
                "inputs": dict(inputs),
                "random_seed": self.random_seed,
                "seedcorn": __version__,
            }
        )
        final = self.folder / name
        done = read_record(final)
        if done is not None and done.fingerprint == fingerprint:
            say(f"{name}: done before, kept")
            return done
        say(f"{name}: running")
        started = time.monotonic()
        folders = self._fresh_folders(name, fingerprint)
        with naming_the_place(final):
            counts = work(folders)
        record = StageRecord(
            stage=name,
            fingerprint=fingerprint,
            output_digest=digest_of_folder(folders.output),
            settings=settings,
            inputs=dict(inputs),
            versions=package_versions(),
            random_seed=self.random_seed,
            counts=dict(counts),
        )
        write_text_whole(folders.output / RECORD_NAME, json.dumps(asdict(record), ensure_ascii=False, indent=1) + "\n")
        _replace_folder(folders.output, final)
        shutil.rmtree(folders.checkpoints, ignore_errors=True)
        self._note_seconds(name, time.monotonic() - started)
        say(f"{name}: {', '.join(f'{k} {v:,}' for k, v in counts.items())} ({time.monotonic() - started:.1f} s)")
        return record

    def _fresh_folders(self, name: str, fingerprint: str) -> StageFolder:
        output = self.folder / f".{name}.partial"
        checkpoints = self.folder / f".{name}.checkpoints" / fingerprint[:16]
        shutil.rmtree(output, ignore_errors=True)
        if not checkpoints.exists():  # those of other settings are of no use any more
            shutil.rmtree(checkpoints.parent, ignore_errors=True)
        output.mkdir(parents=True)
        checkpoints.mkdir(parents=True, exist_ok=True)
        return StageFolder(output=output, checkpoints=checkpoints)

    def _note_seconds(self, name: str, seconds: float) -> None:
        path = self.folder / "seconds.json"
        noted = json.loads(path.read_text("utf-8")) if path.exists() else {}
        write_text_whole(path, json.dumps({**noted, name: round(seconds, 2)}, indent=1) + "\n")


@contextlib.contextmanager
def open_run(folder: Path, *, random_seed: int, resolved_config: str) -> Iterator[Run]:
    """Open or create the run folder for one process at a time and save the resolved configuration in it.

    Raises DataError when the folder holds something other than a run, or another process is using it.
    """
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not (folder / "config.yaml").exists())):
        raise DataError(
            wanted="a new folder or the folder of an earlier run",
            found="something else there",
            where=folder,
            fix="Choose another --run-dir.",
        )
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DataError(
                wanted="a run folder that nothing else is using",
                found="another seedcorn process running in it",
                where=folder,
                fix="Wait for it, or choose another --run-dir.",
            ) from error
        write_text_whole(folder / "config.yaml", resolved_config)
        yield Run(folder=folder, random_seed=random_seed)


def read_record(stage_folder: Path) -> StageRecord | None:
    """Return the record in ``stage_folder``, or None when the stage has not finished there."""
    path = stage_folder / RECORD_NAME
    return StageRecord(**json.loads(path.read_text("utf-8"))) if path.exists() else None


def digest_of_json(value: Json) -> str:
    """Return the SHA-256 of ``value`` as canonical JSON, in hexadecimal."""
    canonical = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8")).hexdigest()


def digest_of_file(path: Path) -> str:
    """Return the SHA-256 of the bytes of ``path``, or of all files below it when it is a folder, in hexadecimal."""
    if path.is_dir():
        return digest_of_folder(path)
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BYTES_PER_READ):
            digest.update(block)
    return digest.hexdigest()


def digest_of_folder(folder: Path) -> str:
    """Return the SHA-256 over the names and bytes of all files below ``folder``, whatever their order on disk."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != RECORD_NAME)
    return digest_of_json([[p.relative_to(folder).as_posix(), digest_of_file(p)] for p in files])


def package_versions() -> dict[str, str]:
    """Return the versions of Seedcorn and of the packages that can change its numbers, those that are installed."""
    versions = {"seedcorn": __version__}
    for package in _PACKAGES_IN_RECORDS:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[package] = metadata.version(package)
    return versions


@contextlib.contextmanager
def writing_whole(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that becomes it when the block ends well, and vanishes otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # The suffixes are kept: writers choose format and compression by them.
    partial = path.with_name(f".{os.getpid()}.partial.{path.name}")
    try:
        with naming_the_place(path):
            yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


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


def _replace_folder(new: Path, final: Path) -> None:
    """Put ``new`` in the place of ``final``; a kill in between leaves no ``final``, never a mixed one."""
    old = final.with_name(f".{final.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if final.exists():
        final.rename(old)
    new.rename(final)
    shutil.rmtree(old, ignore_errors=True)
