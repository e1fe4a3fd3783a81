import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from seedcorn.array_files import checked, read_arrays
from seedcorn.errors import DataError
from seedcorn.speech.alphabet import Alphabet
from seedcorn.speech.posteriors import Posteriors, read_posteriors


def test_a_small_archive_that_unpacks_to_much_is_refused(tmp_path: Path):
    path = tmp_path / "bomb.npz"
    np.savez_compressed(path, a=np.zeros(20_000_000))
    with pytest.raises(DataError, match="an archive that unpacks to 160,000,"):
        read_arrays(path, wanted="arrays")


def test_what_is_no_archive_of_arrays_is_refused(tmp_path: Path):
    path = tmp_path / "a.npz"
    for content in (b"", b"PK\x03\x04", b"text", np.lib.format.MAGIC_PREFIX + b"\x01\x00"):
        path.write_bytes(content)
        with pytest.raises(DataError, match="wanted arrays"):
            read_arrays(path, wanted="arrays")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", b"no array")
    with pytest.raises(DataError):
        read_arrays(path, wanted="arrays")
    np.savez(path, a=np.array([{"an": "object"}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="found another kind of file"):
        read_arrays(path, wanted="arrays")


def test_arrays_are_of_the_type_and_shape_they_should_be():
    arrays = {"a": np.ones((2, 3), np.float32), "b": np.array([np.nan])}
    assert checked(arrays, "a", np.float32, shape=(2, None)).shape == (2, 3)
    for name, kind, shape in (("a", np.float64, (2, 3)), ("a", np.float32, (3, 3)), ("b", np.float64, (1,))):
        with pytest.raises(ValueError, match=f"'{name}'"):
            checked(arrays, name, kind, shape=shape)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("ends", [1, 3]),
        ("ends", [2, 1]),
        ("ends", [-1, 2]),
        ("ends", [0.5, 2]),
        ("steps", [[0, 0], [0, 0]]),
        ("steps", [[0.0, 0.0], [0.0, 0.0]]),
        ("steps", [[-9.0, -9.0], [-9.0, -9.0]]),
        ("steps", [[0j, -9j], [0j, -9j]]),
        ("about", {"ids": ["a"], "symbols": ["", "x"], "seconds_per_step": 0.02}),
        ("about", {"ids": ["a", "b"], "symbols": ["", "x"], "seconds_per_step": float("inf")}),
        ("about", ["a"]),
    ],
)
def test_posteriors_that_are_none_are_refused(tmp_path: Path, name: str, change: object):
    path = tmp_path / "a.npz"
    even = np.log(np.full((1, 2), 0.5)).astype(np.float16)
    written = Posteriors(ids=("a", "b"), logps=(even, even), alphabet=Alphabet(("", "x")), seconds_per_step=0.02)
    written.save(path)
    assert read_posteriors(path).ids == ("a", "b")
    with np.load(path) as saved:
        arrays = dict(saved)
    arrays[name] = np.frombuffer(json.dumps(change).encode(), np.uint8) if name == "about" else np.array(change)
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    path.write_bytes(stream.getvalue())
    with pytest.raises(DataError):
        read_posteriors(path)


def test_a_header_that_ends_too_soon_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1L"
        archive.writestr("a.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(DataError, match="some arrays"):
        read_arrays(path, wanted="some arrays")
