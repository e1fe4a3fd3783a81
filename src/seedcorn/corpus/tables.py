"""Utterances and record batches as Parquet files, as one stage of a run leaves them to the next."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from seedcorn.corpus.parallel import Sharded
from seedcorn.corpus.utterances import ROWS_PER_BATCH, Corpus, Utterance, table_of, utterances_of

_MOST_ROWS_OF_SMALL = 2 * ROWS_PER_BATCH

POSITION = "position"
"""The column that says which row of the pool as read an utterance was, counted from 0."""


def write_utterances(utterances: Sequence[Utterance], path: Path) -> int:
    """Write ``utterances`` as Parquet and return their number."""
    pq.write_table(table_of(utterances), path)
    return len(utterances)


def read_utterances(path: Path) -> list[Utterance]:
    """Return the utterances of a Parquet file, in order."""
    return utterances_of(pq.read_table(path))


def write_batches(batches: Iterator[pa.RecordBatch], schema: pa.Schema, path: Path) -> int:
    """Write record batches as Parquet while they come, and return the number of rows."""
    n_rows = 0
    with pq.ParquetWriter(path, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
            n_rows += batch.num_rows
    return n_rows


def open_parquet(path: Path) -> Corpus:
    """Return the corpus in a Parquet file, streamed; its row groups can be read alone."""
    return Corpus(row_groups(path), pq.read_schema(path))


def row_groups(path: Path) -> Sharded[pa.RecordBatch]:
    """Return the record batches of a Parquet file, its row groups as shards."""
    metadata = pq.read_metadata(path)
    numbers = range(metadata.num_row_groups)
    n_rows = [metadata.row_group(number).num_rows for number in numbers]
    return Sharded(tuple(_RowGroup(path, number) for number in numbers), are_small(n_rows))


def are_small(n_rows: Iterable[int]) -> bool:
    """Return whether row groups of ``n_rows`` are of so few batches that a thread may take each as a whole."""
    return max(n_rows, default=0) <= _MOST_ROWS_OF_SMALL


@dataclass(frozen=True)
class _RowGroup:
    path: Path
    number: int

    def __call__(self) -> Iterator[pa.RecordBatch]:
        with pq.ParquetFile(self.path) as file:
            yield from file.iter_batches(row_groups=[self.number])


def rows_at(corpus: Corpus, rows: Sequence[int] | np.ndarray[tuple[int], np.dtype[np.int64]]) -> pa.Table:
    """Return rows of ``corpus`` in the order of ``rows``, in one pass over it."""
    wanted = np.asarray(rows, dtype=np.int64)
    ascending = np.argsort(wanted, kind="stable")
    tables: list[pa.RecordBatch] = []
    start = 0
    for batch in corpus.batches():
        first, end = np.searchsorted(wanted[ascending], [start, start + batch.num_rows])
        tables.append(batch.take(pa.array(wanted[ascending][first:end] - start)))
        start += batch.num_rows
    back = np.argsort(ascending, kind="stable")
    return pa.Table.from_batches(tables, schema=corpus.schema).take(pa.array(back))


def write_texts(texts: Sequence[str], path: Path) -> int:
    """Write ``texts`` as Parquet with the one column ``text`` and return their number."""
    pq.write_table(pa.table({"text": pa.array(texts, pa.string())}), path)
    return len(texts)


def read_texts(path: Path) -> list[str]:
    """Return the texts of a Parquet file, in order."""
    texts: list[str] = pq.read_table(path, columns=["text"]).column("text").to_pylist()
    return texts
