from pathlib import Path

import numpy as np
import pytest

from seedcorn.relevance.vector_cache import VectorCache


def test_arrays_come_back_under_their_texts(tmp_path: Path) -> None:
    cache, other = (VectorCache(tmp_path / "deep" / "v.sqlite", kind, 2) for kind in ("a", "b"))
    assert cache.find(["x"]) == {}
    arrays = {str(n): np.full((n % 3, 2), n, np.float32) for n in range(1_200)}
    cache.keep(arrays)
    cache.keep({"7": np.zeros((1, 2), np.float32)})  # kept already
    found = cache.find([*arrays, "none such", "7"])
    assert set(found) == set(arrays)
    for text, array in arrays.items():
        np.testing.assert_array_equal(found[text], array)
    assert other.find(["7"]) == {}


def test_a_damaged_cache_is_left_out_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "v.sqlite"
    path.write_bytes(b"not a database" * 100)
    cache = VectorCache(path, "a", 2)
    assert cache.find(["x"]) == {}
    cache.keep({"x": np.zeros((1, 2), np.float32)})
    assert path.read_bytes().startswith(b"not")
