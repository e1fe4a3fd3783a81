"""A pass over a pool by Ray Data: blocks go to the workers of a cluster, and what comes back is put in order.

Scheduling, spilling, and doing again what a lost worker had are Ray's. A pool whose shards can be opened alone is read
by the workers themselves; batches of any other are read here and sent.
"""

import functools
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import pyarrow as pa

from seedcorn.corpus.parallel import Sharded
from seedcorn.errors import DataError, SeedcornError

if TYPE_CHECKING:
    from ray import ObjectRef

Item = TypeVar("Item")
Result = TypeVar("Result")

_ITEMS_PER_ROUND = 64  # that are read here and sent together: what bounds the memory of a pool without shards


@dataclass(frozen=True)
class RayMapper:
    """Carries out passes on the cluster of this process; see ``corpus.parallel.Mapper``."""

    n_workers: int

    @staticmethod
    def start(address: str = "", *, n_workers: int = 1) -> "RayMapper":
        """Join the cluster at ``address``, or without one start a cluster of ``n_workers`` here, unless one is joined.

        Raises DataError when no cluster answers.
        """
        import ray

        if not ray.is_initialized():
            where = {"address": address} if address else {"num_cpus": n_workers, "include_dashboard": False}
            try:
                ray.init(log_to_driver=False, logging_level=logging.ERROR, **where)
            except (ConnectionError, RuntimeError) as error:
                raise DataError(
                    wanted="a Ray cluster", found=str(error), where=address, fix="Start it with 'ray start --head'."
                ) from error
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.execution_options.preserve_order = True
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        return RayMapper(n_workers)

    def __call__(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Yield ``function`` of each of ``items``, in their order."""
        import ray
        from ray import cloudpickle

        # As bytes: arrays that Ray shares itself are read-only, and kernels would be compiled for those anew.
        shared = ray.put(cloudpickle.dumps(function))
        if isinstance(items, Sharded):
            yield from _over_shards(shared, items)
            return
        held: list[Item] = []
        for item in items:
            held.append(item)
            if len(held) == _ITEMS_PER_ROUND:
                yield from _over_items(shared, held)
                held = []
        yield from _over_items(shared, held)


def _over_items(function: "ObjectRef", items: list[Item]) -> Iterator[Result]:
    return _over_shards(function, Sharded(tuple(_One(item) for item in items)))


@dataclass(frozen=True)
class _One:
    item: object

    def __call__(self) -> Iterator[object]:
        yield self.item


def _over_shards(function: "ObjectRef", items: Sharded[Item]) -> Iterator[Result]:
    """Yield the results of all shards, in the order of the shards, as they come from the workers."""
    import ray
    from ray import cloudpickle

    if not items.shards:
        return
    rows = pa.table(
        {
            "shard": pa.array(range(len(items.shards)), pa.int64()),
            "opened": pa.array([cloudpickle.dumps(shard) for shard in items.shards], pa.large_binary()),
        }
    )
    blocks = [rows.slice(i, 1) for i in range(len(rows))]
    results = ray.data.from_arrow(blocks).map_batches(
        _results_of_shard, batch_size=1, batch_format="pyarrow", fn_args=(function,)
    )
    for block in results.iter_batches(batch_size=None, batch_format="pyarrow"):
        for row in block.column("result"):
            result = cloudpickle.loads(row.as_py())
            if isinstance(result, SeedcornError):
                raise result
            yield result


def _results_of_shard(rows: pa.Table, function: "ObjectRef") -> Iterator[pa.Table]:
    """Yield one row for every item of the shards in ``rows``: the result, or the refusal of bad input, as bytes."""
    from ray import cloudpickle

    try:
        apply = _loaded(function)
        shards = [cloudpickle.loads(opened.as_py()) for opened in rows.column("opened")]
        for shard in shards:
            for item in shard():
                yield _row(apply(item))
    except SeedcornError as error:  # raised again by who asked, with what it says untouched
        yield _row(error)
    except ImportError as error:
        yield _row(DataError(wanted="the packages of this process on every node of the cluster", found=str(error)))


@functools.lru_cache(maxsize=1)
def _loaded(function: "ObjectRef") -> Callable[[Item], Result]:
    import ray
    from ray import cloudpickle

    loaded: Callable[[Item], Result] = cloudpickle.loads(ray.get(function))
    return loaded


def _row(result: object) -> pa.Table:
    from ray import cloudpickle

    return pa.table({"result": pa.array([cloudpickle.dumps(result)], pa.large_binary())})
