"""How the stages of a run hand over to each other: a finished stage is its record and its folder of whole files."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from seedcorn.corpus.utterances import Corpus, Utterance, table_of, utterances_of
from seedcorn.runs import Json, StageRecord
from seedcorn.selection import Scores

POSITION = "position"
"""The column that says which row of the pool as read an utterance was, counted from 0."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """A finished stage: what it was made from, and where its files are."""

    record: StageRecord
    folder: Path

    @property
    def digest(self) -> dict[str, str]:
        """The entry for the ``inputs`` of a stage that reads this one."""
        return {self.record.stage: self.record.output_digest}


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
    """Return the corpus in a Parquet file, streamed."""
    return Corpus(lambda: pq.ParquetFile(path).iter_batches(), pq.read_schema(path))


def rows_at(path: Path, rows: Sequence[int] | np.ndarray[tuple[int], np.dtype[np.int64]]) -> pa.Table:
    """Return rows of a Parquet file in the order of ``rows``, reading it batch by batch."""
    wanted = np.asarray(rows, dtype=np.int64)
    ascending = np.argsort(wanted, kind="stable")
    tables: list[pa.RecordBatch] = []
    start = 0
    for batch in pq.ParquetFile(path).iter_batches():
        inside = wanted[ascending][
            np.searchsorted(wanted[ascending], start) : np.searchsorted(wanted[ascending], start + batch.num_rows)
        ]
        tables.append(batch.take(pa.array(inside - start)))
        start += batch.num_rows
    back = np.argsort(ascending, kind="stable")
    return pa.Table.from_batches(tables, schema=pq.read_schema(path)).take(pa.array(back))


def write_scores(scores: Scores, path: Path) -> None:
    """Write the values of ``scores`` as .npz; missing ones are told by a mask."""
    missing = np.zeros(len(scores), np.bool_) if scores.missing is None else scores.missing
    np.savez_compressed(path, values=scores.values, missing=missing)


def write_json(value: Json, path: Path) -> None:
    """Write ``value`` as indented JSON."""
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n", "utf-8")


def read_json(path: Path) -> Json:
    """Return the JSON value in ``path``."""
    value: Json = json.loads(path.read_text("utf-8"))
    return value
