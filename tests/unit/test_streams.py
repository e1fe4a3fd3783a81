"""Saved models and arrays named through pipes."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from seedcorn.array_files import read_arrays
from seedcorn.errors import DataError
from seedcorn.lm.model_file import read_model
from seedcorn.tensor_files import read_tensors


@pytest.mark.skipif(os.name == "nt", reason="POSIX files")
@pytest.mark.parametrize(
    "read",
    [
        read_model,
        lambda path: read_arrays(path, wanted="arrays"),
        lambda path: read_tensors(path, wanted="a model", extra="report"),
    ],
)
def test_a_model_in_a_pipe_is_refused_before_a_byte_is_read(tmp_path: Path, read: Callable[[Path], object]) -> None:
    pipe, text = tmp_path / "pipe", b"\\data\\\nngram 1=1\n"
    os.mkfifo(pipe)
    left: list[bytes] = []
    with pipe.open("r+b", buffering=0) as kept_open:
        kept_open.write(text)
        with pytest.raises(DataError, match=r"found a pipe or a device\. Write it to a file first"):
            read(pipe)
        reader = threading.Thread(target=lambda: left.append(kept_open.read(len(text))), daemon=True)
        reader.start()
        reader.join(timeout=10)
    assert left == [text]


def test_a_folder_is_no_model_and_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"wanted a language model, found a folder\. Name a file in it"):
        read_model(tmp_path)
    with pytest.raises(DataError, match=r"wanted arrays, found a folder"):
        read_arrays(tmp_path, wanted="arrays")
