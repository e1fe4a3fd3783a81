"""The same function over many batches on several threads, results in order whatever the number of threads."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_BATCHES_AHEAD_PER_THREAD = 2


def map_in_order(function: Callable[[Item], Result], items: Iterable[Item], *, n_threads: int = 1) -> Iterator[Result]:
    """Yield ``function`` of each of ``items``, in their order, computed by ``n_threads`` threads.

    Items are read as they are needed, at most two a thread ahead, so memory does not grow with their number. Worth it
    for functions that leave the interpreter's lock (compiled kernels, Arrow).
    """
    if n_threads <= 1:
        yield from map(function, items)
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
