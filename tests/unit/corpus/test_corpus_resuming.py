from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from seedcorn.corpus.parallel import Mapper, Sharded, map_in_order
from seedcorn.corpus.resuming import AsArrays, map_resumable

SQUARES = AsArrays[int](lambda square: {"square": np.asarray(square)}, lambda arrays: int(arrays["square"]))


def numbers(start: int) -> Iterator[int]:
    return iter(range(start, start + 3))


ITEMS = Sharded(tuple(partial(numbers, 3 * i) for i in range(4)))


def square(number: int, *, seen: Path, dies_at: int | None = None) -> int:
    if number == dies_at:
        raise KeyboardInterrupt
    (seen / str(number)).touch()
    return number * number


def test_a_pass_that_was_interrupted_is_made_of_the_other_shards_alone(tmp_path: Path) -> None:
    check(map_in_order, tmp_path)


def check(mapper: Mapper, tmp_path: Path) -> None:
    whole, kept = [n * n for n in range(12)], tmp_path / "kept"
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    dies = partial(square, seen=first, dies_at=7)
    found: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        found.extend(map_resumable(map_in_order, dies, ITEMS, folder=kept, as_arrays=SQUARES))
    assert {path.name for path in kept.iterdir()} == {"0.npz", "1.npz"}
    again = list(map_resumable(mapper, partial(square, seen=second), ITEMS, folder=kept, as_arrays=SQUARES))
    assert again == whole
    assert {int(path.name) for path in second.iterdir()} == set(range(6, 12))


def test_without_a_folder_or_shards_nothing_is_kept(tmp_path: Path) -> None:
    work = partial(square, seen=tmp_path)
    assert list(map_resumable(map_in_order, work, ITEMS, folder=None, as_arrays=SQUARES)) == [n * n for n in range(12)]
    found = map_resumable(map_in_order, work, iter(range(3)), folder=tmp_path / "kept", as_arrays=SQUARES)
    assert list(found) == [0, 1, 4]
    assert not (tmp_path / "kept").exists()


def test_a_shard_may_be_empty(tmp_path: Path) -> None:
    items = Sharded((partial(numbers, 0), partial(iter, ()), partial(numbers, 3)))
    for _ in range(2):
        found = map_resumable(map_in_order, abs, items, folder=tmp_path, as_arrays=SQUARES)
        assert list(found) == [0, 1, 2, 3, 4, 5]
