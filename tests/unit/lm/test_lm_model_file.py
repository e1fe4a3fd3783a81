import json
from pathlib import Path

import numpy as np
import pytest

from language_models import SENTENCES, small_model
from seedcorn.errors import DataError
from seedcorn.lm.arpa_writing import write_arpa
from seedcorn.lm.model_file import is_model_file, read_model, write_model


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_model(small_model(), tmp_path / "model.lm")
    return tmp_path / "model.lm"


@pytest.mark.parametrize("order", [1, 3])
def test_what_is_written_is_read(order: int, tmp_path: Path) -> None:
    model = small_model(order=order)
    write_model(model, tmp_path / "model.lm")
    read = read_model(tmp_path / "model.lm")
    assert read.words == model.words
    assert (read.order, read.n_ngrams) == (order, model.n_ngrams)
    for left, right in zip(read.arrays, model.arrays, strict=True):
        np.testing.assert_array_equal(left, right)
    np.testing.assert_array_equal(read.sentence_logps(SENTENCES), model.sentence_logps(SENTENCES))


def test_arpa_is_told_from_our_own_format(path: Path) -> None:
    write_arpa(small_model(), path.with_suffix(".arpa"))
    assert [is_model_file(p) for p in (path, path.with_suffix(".arpa"))] == [True, False]
    assert read_model(path.with_suffix(".arpa")).words == read_model(path).words


def test_arrays_are_aligned(path: Path) -> None:
    assert all(array.ctypes.data % 64 == 0 for array in read_model(path).arrays)


def test_changed_byte_is_noticed(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-70] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="found changed bytes"):
        read_model(path)


@pytest.mark.parametrize("n_bytes", [23, 40, 200, 1000])
def test_cut_file_is_noticed(path: Path, n_bytes: int) -> None:
    path.write_bytes(path.read_bytes()[:n_bytes])
    with pytest.raises(DataError, match="a whole model file"):
        read_model(path)


def test_later_version_is_refused(path: Path) -> None:
    content = path.read_bytes()
    assert json.dumps({"version": 1})[1:-1].encode() in content
    path.write_bytes(content.replace(b'"version": 1', b'"version": 2'))
    with pytest.raises(DataError, match="format version 1, found version 2"):
        read_model(path)
