"""No damaged file gives anything but one of our errors or a result: no traceback, no crash, no hang.

A few cases a reader here; ``make fuzz`` runs a million. A failure names its reader, its number and the file kept of it.
"""

from pathlib import Path

import pytest
from corpus_files import corpus_readers, pair_readers
from damage import Bench, Reader
from model_files import model_readers
from other_files import other_readers

N_CASES = 40


def all_readers(folder: Path) -> list[Reader]:
    """Return all readers with their good files, which are made in ``folder``."""
    return [*corpus_readers(folder), *pair_readers(folder), *model_readers(folder), *other_readers()]


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> list[Reader]:
    return all_readers(tmp_path_factory.mktemp("good"))


def test_good_files_are_read(readers: list[Reader], tmp_path: Path) -> None:
    for reader in readers:
        Bench(reader, tmp_path / reader.name).read_good()


def test_damaged_files_give_our_errors_or_results(readers: list[Reader], tmp_path: Path) -> None:
    failures = []
    for reader in readers:
        bench = Bench(reader, tmp_path / reader.name)
        bench.read_good()
        for number in range(N_CASES):
            try:
                bench.try_case(number)
            except Exception as error:  # noqa: BLE001  (whatever it is, it is the finding)
                failures.append(f"{reader.name} {number}: {error!r}"[:200])
    assert failures == []
