"""The same function over many batches, results in order whatever the number of threads or of processes."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Generic, Protocol, TypeVar

Raw = TypeVar("Raw")
Item = TypeVar("Item")
Result = TypeVar("Result")


class Mapper(Protocol):
    """Carries out a pass over a pool: ``map_in_order`` on threads of this process, engines.ray on those of others."""

    def __call__(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Yield ``function`` of each of ``items``, in their order."""
        ...


class Pieces(ABC, Generic[Item]):
    """Items that a Mapper can share out: they are made, or begun, apart from each other."""

    @abstractmethod
    def __iter__(self) -> Iterator[Item]:
        """Start a fresh pass over all items."""

    def __call__(self) -> Iterator[Item]:
        """Start a fresh pass over all items."""
        return iter(self)

    @abstractmethod
    def map(self, function: Callable[[Item], Result]) -> "Pieces[Result]":
        """Return ``function`` of every item, computed where the item is made."""


def pieces_of(open_items: Callable[[], Iterator[Item]]) -> Iterable[Item]:
    """Return what ``open_items`` starts passes over, as pieces where it has such."""
    return open_items if isinstance(open_items, Pieces) else open_items()


def mapped(items: Iterable[Item], function: Callable[[Item], Result]) -> Iterable[Result]:
    """Return ``function`` of every item, in pieces where ``items`` are."""
    return items.map(function) if isinstance(items, Pieces) else map(function, items)


@dataclass(frozen=True)
class Sharded(Pieces[Item]):
    """The items of all ``shards``, one after the other; each shard can be opened alone, in another process too.

    ``are_small`` tells that what a function makes of a whole shard fits in memory, many times over.
    """

    shards: tuple[Callable[[], Iterator[Item]], ...]
    are_small: bool = False

    def __iter__(self) -> Iterator[Item]:
        return chain.from_iterable(shard() for shard in self.shards)

    def map(self, function: Callable[[Item], Result]) -> "Sharded[Result]":
        """Return ``function`` of every item, computed where the item is read."""
        return Sharded(tuple(_Mapped(shard, function) for shard in self.shards), self.are_small)


@dataclass(frozen=True)
class Staged(Pieces[Item], Generic[Raw, Item]):
    """Items made in two steps: ``start`` reads what they are made of, in order, and ``finish`` may run anywhere."""

    start: Callable[[], Iterator[Raw]]
    finish: Callable[[Raw], Item]

    def __iter__(self) -> Iterator[Item]:
        return map(self.finish, self.start())

    def map(self, function: Callable[[Item], Result]) -> "Staged[Raw, Result]":
        """Return ``function`` of every item, computed where the item is finished."""
        return Staged(self.start, partial(_after, self.finish, function))


def _after(finish: Callable[[Raw], Item], function: Callable[[Item], Result], raw: Raw) -> Result:
    return function(finish(raw))


@dataclass(frozen=True)
class _Mapped(Generic[Item, Result]):
    shard: Callable[[], Iterator[Item]]
    function: Callable[[Item], Result]

    def __call__(self) -> Iterator[Result]:
        return map(self.function, self.shard())


def _of_shard(function: Callable[[Item], Result], shard: Callable[[], Iterator[Item]]) -> list[Result]:
    return [function(item) for item in shard()]


_BATCHES_AHEAD_PER_THREAD = 2


def map_in_order(function: Callable[[Item], Result], items: Iterable[Item], *, n_threads: int = 1) -> Iterator[Result]:
    """Yield ``function`` of each of ``items``, in their order, computed by ``n_threads`` threads.

    Items are read as they are needed, at most two a thread ahead, so memory does not grow with their number. Small
    shards are read by the threads too, and staged items finished by them. Worth it for functions that leave the
    interpreter's lock (compiled kernels, Arrow).
    """
    if n_threads <= 1:
        yield from map(function, items)
        return
    if isinstance(items, Sharded) and items.are_small:
        parts = map_in_order(partial(_of_shard, function), items.shards, n_threads=n_threads)
        yield from chain.from_iterable(parts)
        return
    if isinstance(items, Staged):
        staged = items.map(function)
        yield from map_in_order(staged.finish, staged.start(), n_threads=n_threads)
        return
    with ThreadPoolExecutor(n_threads) as threads:
        under_way: deque[Future[Result]] = deque()
        try:
            for item in items:
                under_way.append(threads.submit(function, item))
                if len(under_way) >= _BATCHES_AHEAD_PER_THREAD * n_threads:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        finally:
            for future in under_way:
                future.cancel()
