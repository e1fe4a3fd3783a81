"""Passes that go on where they stopped: what each shard gave is kept on disk until the stage is done."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from seedcorn.array_files import read_arrays
from seedcorn.corpus.parallel import Mapper, Sharded
from seedcorn.files import writing_whole

Item = TypeVar("Item")
Result = TypeVar("Result")
Arrays = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True)
class AsArrays(Generic[Result]):
    """How a result is written as named arrays, and read back."""

    write: Callable[[Result], Arrays]
    read: Callable[[Arrays], Result]


def map_resumable(
    mapper: Mapper,
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    folder: Path | None,
    as_arrays: AsArrays[Result],
) -> Iterator[Result]:
    """Yield ``function`` of each of ``items``, in order, as ``mapper`` does; finished shards are kept in ``folder``.

    The same pass, begun again with the same folder, is made of the other shards alone. Items that are no shards have to
    be read again anyway: nothing of them is kept.
    """
    if folder is None or not isinstance(items, Sharded):
        return mapper(function, items)
    return _resumed(mapper, function, items, folder, as_arrays)


def _resumed(
    mapper: Mapper,
    function: Callable[[Item], Result],
    items: Sharded[Item],
    folder: Path,
    as_arrays: AsArrays[Result],
) -> Iterator[Result]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number}.npz" for number in range(len(items.shards))]
    left = [shard for shard, path in zip(items.shards, paths, strict=True) if not path.exists()]
    made = mapper(partial(_of_shard, function), Sharded(tuple(partial(_one, shard) for shard in left)))
    for path in paths:
        if not path.exists():
            _keep([as_arrays.write(result) for result in next(made)], path)
        yield from map(as_arrays.read, _kept(path))


def _one(shard: Callable[[], Iterator[Item]]) -> Iterator[Callable[[], Iterator[Item]]]:
    yield shard


def _of_shard(function: Callable[[Item], Result], shard: Callable[[], Iterator[Item]]) -> list[Result]:
    return [function(item) for item in shard()]


def _keep(results: list[Arrays], path: Path) -> None:
    arrays = {f"{number}/{name}": array for number, result in enumerate(results) for name, array in result.items()}
    with writing_whole(path) as partial_file, partial_file.open("wb") as stream:
        np.savez(stream, allow_pickle=False, **arrays)


def _kept(path: Path) -> list[Arrays]:
    results: dict[str, dict[str, NDArray[np.generic]]] = {}
    for key, array in read_arrays(path, wanted="what a shard of a pool gave").items():
        number, _, name = key.partition("/")
        results.setdefault(number, {})[name] = array
    return list(results.values())
