"""A slot model that could not be written whole is an error and no model: reading it ended the interpreter."""

import errno
import tempfile
from pathlib import Path

import pytest

from limits import files_of_at_most
from seedcorn.corpus.utterances import Slot
from seedcorn.files import naming_the_place
from seedcorn.nlu.crf import train_crf
from seedcorn.nlu.crf_file import is_whole

TEXTS = [f"play some jazz number {n}" for n in range(60)]
SLOTS = [[Slot(10, 14, "genre")]] * len(TEXTS)


@pytest.fixture(scope="module")
def whole() -> bytes:
    return train_crf(TEXTS, SLOTS, max_iterations=5).model_bytes


def test_a_model_of_a_full_disk_is_an_error_that_names_the_folder_of_temporary_files(whole: bytes) -> None:
    assert is_whole(whole)
    for n_bytes in (1_000, 4_096, len(whole) // 2, len(whole) - 300, len(whole) - 1):
        with files_of_at_most(n_bytes), pytest.raises(OSError, match="No space left") as raised:
            train_crf(TEXTS, SLOTS, max_iterations=5)
        assert (raised.value.errno, raised.value.filename) == (errno.ENOSPC, tempfile.gettempdir())


def test_no_beginning_of_a_model_is_taken_for_a_whole_one(whole: bytes) -> None:
    assert not any(is_whole(whole[:n]) for n in range(0, len(whole), 97))
    assert not is_whole(b"")


def test_the_folder_of_temporary_files_is_named_and_not_what_was_to_be_written(tmp_path: Path) -> None:
    def fail(name: Path) -> None:
        with naming_the_place(tmp_path / "out"):
            raise OSError(errno.ENOSPC, "full", str(name))

    for found, shown in ((tmp_path, tmp_path), (tmp_path / ".partial", tmp_path / "out")):
        with pytest.raises(OSError, match="full|No space") as raised:
            fail(found)
        assert raised.value.filename == str(shown)
