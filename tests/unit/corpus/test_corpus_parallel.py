"""Passes on threads: results in order, small shards read by the threads, errors where they belong."""

import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedcorn.corpus.formats.pool import read_pool
from seedcorn.corpus.parallel import Sharded, Staged, map_in_order
from seedcorn.corpus.tables import row_groups
from seedcorn.corpus.utterances import ROWS_PER_BATCH
from seedcorn.errors import DataError


def numbers(first: int, n: int) -> Iterator[int]:
    yield from range(first, first + n)


@given(st.lists(st.integers(0, 5), max_size=8), st.booleans(), st.integers(1, 4))
def test_results_come_in_order_whatever_the_threads(sizes: list[int], are_small: bool, n_threads: int) -> None:
    shards = tuple(partial(numbers, 10 * i, n) for i, n in enumerate(sizes))
    items = Sharded(shards, are_small=are_small)
    assert list(map_in_order(lambda x: x * x, items, n_threads=n_threads)) == [x * x for x in items]


def test_small_shards_are_read_by_the_threads() -> None:
    readers: set[int] = set()

    def shard(first: int) -> Iterator[int]:
        readers.add(threading.get_ident())
        yield first

    shards = tuple(partial(shard, i) for i in range(6))
    assert list(map_in_order(str, Sharded(shards, are_small=True), n_threads=2)) == list("012345")
    assert threading.get_ident() not in readers
    readers.clear()
    assert list(map_in_order(str, Sharded(shards), n_threads=2)) == list("012345")
    assert readers == {threading.get_ident()}


@given(st.integers(0, 9), st.integers(1, 4))
def test_staged_items_come_in_order_whatever_the_threads(n: int, n_threads: int) -> None:
    items = Staged(partial(numbers, 0, n), lambda x: x + 1)
    assert list(map_in_order(lambda x: x * x, items, n_threads=n_threads)) == [x * x for x in items]
    assert list(map_in_order(str, items.map(float), n_threads=n_threads)) == [str(float(x)) for x in items]


def test_staged_items_are_started_here_and_finished_by_the_threads() -> None:
    starters: set[int] = set()
    finishers: set[int] = set()

    def start() -> Iterator[int]:
        starters.add(threading.get_ident())
        yield from range(6)

    def finish(x: int) -> int:
        finishers.add(threading.get_ident())
        return x

    assert list(map_in_order(str, Staged(start, finish), n_threads=2)) == list("012345")
    assert starters == {threading.get_ident()}
    assert threading.get_ident() not in finishers


def test_lines_of_text_are_split_by_the_threads_and_errors_name_their_line(tmp_path: Path) -> None:
    path = tmp_path / "pool.txt"
    path.write_bytes(b"wake me\n\n  \xc2\xa0\nplay\r\nstop\rgo")
    corpus = read_pool(str(path))
    assert isinstance(corpus.pieces(), Staged)
    texts = map_in_order(lambda batch: batch.column("text").to_pylist(), corpus.pieces(), n_threads=2)
    assert [text for of_batch in texts for text in of_batch] == ["wake me", "play", "stop", "go"]
    path.write_bytes(b"wake me\npl\xffay\n")
    with pytest.raises(DataError, match=r"pool.txt:2\b"):
        read_pool(str(path))


def test_what_a_small_shard_is_made_of_stays_small() -> None:
    items = Sharded((partial(numbers, 0, 2),), are_small=True)
    assert items.map(str).are_small


@pytest.mark.parametrize(("n_rows", "are_small"), [(2 * ROWS_PER_BATCH, True), (2 * ROWS_PER_BATCH + 1, False)])
def test_row_groups_are_small_up_to_two_batches(n_rows: int, are_small: bool, tmp_path: Path) -> None:
    path = tmp_path / "pool.parquet"
    pq.write_table(pa.table({"text": ["a"] * (n_rows + 3)}), path, row_group_size=n_rows)
    assert row_groups(path).are_small == are_small
    pieces = read_pool(str(path)).pieces()
    assert isinstance(pieces, Sharded)
    assert pieces.are_small == are_small


def test_an_error_is_raised_after_what_comes_before_it() -> None:
    def refuse(x: int) -> int:
        if x == 11:
            raise ValueError("eleven")
        return x

    items = Sharded(tuple(partial(numbers, 10 * i, 2) for i in range(3)), are_small=True)
    found = map_in_order(refuse, items, n_threads=2)
    assert [next(found), next(found)] == [0, 1]
    with pytest.raises(ValueError, match="eleven"):
        next(found)
