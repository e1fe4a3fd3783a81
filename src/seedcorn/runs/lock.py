"""A run folder is used by one process at a time."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from seedcorn.errors import DataError
from seedcorn.files import write_text_whole
from seedcorn.runs.engine import Run

_CONFIG_NAME, _LOCK_NAME = "config.yaml", ".lock"


@contextlib.contextmanager
def open_run(folder: Path | str, *, random_seed: int, resolved_config: str) -> Iterator[Run]:
    """Open or create the run folder for one process at a time and save the resolved configuration in it.

    Raises DataError when the folder holds something other than a run, or another process is using it.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or _holds_something_else(folder)):
        raise DataError(
            wanted="a new folder or the folder of an earlier run",
            found="something else there",
            where=folder,
            fix="Choose another --run-dir.",
        )
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / _LOCK_NAME, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise DataError(
            wanted="a run folder that nothing else is using",
            found="another seedcorn process running in it",
            where=folder,
            fix="Wait for it, or choose another --run-dir.",
        ) from error
    try:
        write_text_whole(folder / _CONFIG_NAME, resolved_config)
        yield Run(folder=folder, random_seed=random_seed)
    finally:
        lock.release()


def _holds_something_else(folder: Path) -> bool:
    """Return whether ``folder`` is no run: one killed before it had a configuration holds hidden files at most."""
    names = [path.name for path in folder.iterdir()]
    return _CONFIG_NAME not in names and any(not name.startswith(".") for name in names)
