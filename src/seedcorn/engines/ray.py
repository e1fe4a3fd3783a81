"""A pass over a pool by Ray Data: blocks go to the workers of a cluster, and what comes back is put in order.

Scheduling, spilling, and doing again what a lost worker had are Ray's. A pool whose shards can be opened alone is read
by the workers themselves; batches of any other are read here and sent.
"""

import functools
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
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
    """Carries out passes on the cluster of this process; see ``corpus.parallel.Mapper``.

    The first pass joins the cluster at ``address``, or without one starts a cluster of ``n_workers`` processors here,
    unless this process has joined one. Raises DataError when no cluster answers.
    """

    address: str = ""
    n_workers: int = 1

    def join(self) -> None:
        """See to it that this process is part of a cluster."""
        import ray

        if not ray.is_initialized():
            where = {"address": self.address} if self.address else {"num_cpus": self.n_workers}
            try:
                ray.init(log_to_driver=False, logging_level=logging.ERROR, include_dashboard=False, **where)
            except (ConnectionError, RuntimeError) as error:
                raise DataError(
                    wanted="a Ray cluster",
                    found=str(error),
                    where=self.address,
                    fix="Start it with 'ray start --head'.",
                ) from error
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.execution_options.preserve_order = True
        logging.getLogger("ray.data").setLevel(logging.ERROR)

    def __call__(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Yield ``function`` of each of ``items``, in their order."""
        import ray
        from ray import cloudpickle

        self.join()
        # As bytes: arrays that Ray shares itself are read-only, and kernels would be compiled for those anew.
        shared = ray.put(cloudpickle.dumps(function))
        if isinstance(items, Sharded):
            yield from _over_shards(shared, items.shards)
            return
        held: list[_One] = []
        for item in items:
            held.append(_One(item))
            if len(held) == _ITEMS_PER_ROUND:
                yield from _over_shards(shared, held)
                held = []
        yield from _over_shards(shared, held)


@dataclass(frozen=True)
class _One:
    item: object

    def __call__(self) -> Iterator[object]:
        yield self.item


def _over_shards(function: "ObjectRef", shards: Sequence[Callable[[], Iterator[Item]]]) -> Iterator[Result]:
    """Yield the results of all shards, in the order of the shards, as they come from the workers."""
    import ray
    from ray import cloudpickle

    if not shards:
        return
    opened = [ray.put(cloudpickle.dumps(shard)) for shard in shards]
    results = ray.data.range(len(opened), override_num_blocks=len(opened)).map_batches(
        _results_of_shard, batch_size=1, batch_format="pyarrow", fn_args=(function, opened)
    )
    for block in results.iter_batches(batch_size=None, batch_format="pyarrow"):
        for row in block.column("result"):
            result = cloudpickle.loads(row.as_py())
            if isinstance(result, SeedcornError):
                raise result
            yield result


def _results_of_shard(numbers: pa.Table, function: "ObjectRef", opened: "Sequence[ObjectRef]") -> Iterator[pa.Table]:
    """Yield one row for every item of the shards ``numbers``: the result, or the refusal of bad input, as bytes."""
    import ray
    from ray import cloudpickle

    try:
        apply = _loaded(function)
        for number in numbers.column("id").to_pylist():
            for item in cloudpickle.loads(ray.get(opened[number]))():
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
