"""No damaged file gives anything but one of our errors or a result: no traceback, no crash, no hang.

A few cases a reader here; ``make fuzz`` runs a million. A failure names its reader, its number and the file kept of it.
"""

import random
import warnings
from pathlib import Path

import pytest
from mutations import mutated
from readers import Reader, readers

from seedcorn.errors import SeedcornError, SeedcornWarning

N_CASES = 80


def try_one(reader: Reader, number: int, folder: Path) -> bool:
    """Read case ``number`` of ``reader``; tell whether it was read. Raises what is none of our errors."""
    path = folder / reader.name.split(":")[1]
    path.write_bytes(mutated(reader.content, random.Random(f"{reader.name} {number}")))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SeedcornWarning)
        try:
            reader.read(path)
        except SeedcornError:
            return False
    return True


@pytest.fixture(scope="module")
def all_readers(tmp_path_factory: pytest.TempPathFactory) -> list[Reader]:
    return readers(tmp_path_factory.mktemp("good"))


def test_good_files_are_read(all_readers: list[Reader], tmp_path: Path) -> None:
    for reader in all_readers:
        path = tmp_path / reader.name.split(":")[1]
        path.write_bytes(reader.content)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SeedcornWarning)
            reader.read(path)


def test_damaged_files_give_our_errors_or_results(all_readers: list[Reader], tmp_path: Path) -> None:
    failures = []
    for reader in all_readers:
        for number in range(N_CASES):
            try:
                try_one(reader, number, tmp_path)
            except Exception as error:  # noqa: BLE001  (whatever it is, it is the finding)
                failures.append(f"{reader.name} {number}: {error!r}"[:200])
    assert failures == []
