"""Saved networks: what is changed in them is told before anything is made of it."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
from safetensors.numpy import save_file
from torch import nn

from seedcorn.errors import DataError
from seedcorn.tensor_files import check_seal, read_tensors, reading_saved, sealed, with_tensors


def arrays(n: int = 3) -> dict[str, np.ndarray]:
    return {"weight": np.ones((2, n), np.float32), "bias": np.zeros(2, np.float32)}


def test_a_network_has_the_arrays_that_it_is_given() -> None:
    network = with_tensors(lambda: nn.Linear(3, 2), arrays())
    assert network.weight.tolist() == [[1.0] * 3] * 2


@pytest.mark.parametrize(
    "changed",
    [
        arrays(4),
        {"weight": arrays()["weight"]},
        arrays() | {"more": np.zeros(1, np.float32)},
        arrays() | {"bias": np.zeros(2, np.int64)},
    ],
)
def test_other_names_shapes_and_types_are_told(changed: dict[str, np.ndarray]) -> None:
    with pytest.raises(ValueError, match="of shape"):
        with_tensors(lambda: nn.Linear(3, 2), changed)


def test_a_network_beyond_all_sizes_takes_no_memory() -> None:
    with pytest.raises(ValueError, match="1000000000000"):
        with_tensors(lambda: nn.Linear(10**12, 2), arrays())


def test_a_seal_tells_every_change(tmp_path: Path) -> None:
    about = sealed({"a": 1}, arrays())
    check_seal(about, arrays())
    for description, content in (
        ({**about, "a": 2}, arrays()),
        (about, arrays() | {"bias": np.array([0, 1e-30], np.float32)}),
        (about, {"weight": arrays()["weight"]}),
    ):
        with pytest.raises(ValueError, match="other bytes"):
            check_seal(description, content)


def test_files_with_numbers_that_are_none_and_other_files_are_refused(tmp_path: Path) -> None:
    save_file(arrays() | {"bias": np.array([np.nan, 0], np.float32)}, tmp_path / "a.safetensors")
    (tmp_path / "b.safetensors").write_bytes(b"\xff" * 100)
    for name, found in (("a", "'bias' with numbers that are none"), ("b", "wanted a network")):
        with pytest.raises(DataError, match=found):
            read_tensors(tmp_path / f"{name}.safetensors", wanted="a network", extra="neural")


def test_what_damage_raises_becomes_one_line() -> None:
    told = pytest.raises(DataError, match=r"wanted a model, found a damaged one \(first line\)")
    with told, reading_saved(Path("m"), wanted="a model"):
        raise RuntimeError("first line\nsecond line")
