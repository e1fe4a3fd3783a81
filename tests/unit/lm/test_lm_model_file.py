import zlib
from pathlib import Path

import numpy as np
import pytest

from language_models import SENTENCES, small_model
from seedcorn.errors import DataError
from seedcorn.lm.arpa_writing import write_arpa
from seedcorn.lm.automaton import NgramArrays
from seedcorn.lm.model_file import is_model_file, read_model, write_model
from seedcorn.lm.ngram_model import NgramModel
from seedcorn.lm.text_buffers import MODEL_MAGIC
from seedcorn.lm.vocabulary import Vocabulary, WordTable


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


def test_every_flipped_byte_is_noticed(path: Path) -> None:
    content = path.read_bytes()
    for place in [*range(0, len(content), 97), *range(len(MODEL_MAGIC), 400)]:
        path.write_bytes(content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
        with pytest.raises(DataError):
            read_model(path)


@pytest.mark.parametrize(
    "name", ["words", "children", "suffixes", "slots", "ends", "order_begins", "logps", "backoffs"]
)
@pytest.mark.parametrize("value", [-1, 2**30])
def test_no_index_leads_outside_the_arrays_whatever_the_checksum_says(path: Path, name: str, value: int) -> None:
    model = small_model()
    stored = {**model.arrays._asdict(), **model.vocabulary.table._asdict(), "order_begins": model.order_begins}
    array = stored[name].copy()
    array[len(array) // 2] = value if array.dtype.kind == "i" else np.nan
    changed = stored | {name: array}
    arrays = NgramArrays._make(changed[field] for field in NgramArrays._fields)
    table = WordTable._make(changed[field] for field in WordTable._fields)
    order_begins = changed["order_begins"]
    if name == "slots" and value == -1:
        return  # an entry that is empty is no index
    write_model(NgramModel(vocabulary=Vocabulary(table), arrays=arrays, order_begins=order_begins), path)
    with pytest.raises(DataError, match="wanted a whole model file"):
        read_model(path)


def test_numbers_so_far_apart_that_their_differences_overflow_do_not_count_as_ascending(path: Path) -> None:
    model = small_model()
    table = model.vocabulary.table
    ends = table.ends.copy()
    ends[[-3, -2]] = -(2**63), -2
    changed = Vocabulary(WordTable(table.text, ends, table.slots))
    write_model(NgramModel(vocabulary=changed, arrays=model.arrays, order_begins=model.order_begins), path)
    with pytest.raises(DataError, match="wanted a whole model file"):
        read_model(path)


@pytest.mark.parametrize("n_bytes", [23, 40, 200, 1000])
def test_cut_file_is_noticed(path: Path, n_bytes: int) -> None:
    path.write_bytes(path.read_bytes()[:n_bytes])
    with pytest.raises(DataError, match="a whole model file"):
        read_model(path)


def test_later_version_is_refused(path: Path) -> None:
    content = path.read_bytes()
    first = len(MODEL_MAGIC)
    n_header_bytes = int.from_bytes(content[first : first + 8], "little")
    header = content[first + 12 : first + 12 + n_header_bytes].replace(b'"version": 2', b'"version": 3')
    crc = zlib.crc32(header).to_bytes(4, "little")
    path.write_bytes(content[: first + 8] + crc + header + content[first + 12 + n_header_bytes :])
    with pytest.raises(DataError, match="format version 2, found version 3"):
        read_model(path)
