"""Parquet: the Utterance columns and any others, streamed batch by batch."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from seedcorn.corpus.formats.bad_rows import BadRows
from seedcorn.corpus.formats.normal_form import Chunk
from seedcorn.corpus.utterances import ROWS_PER_BATCH, UTTERANCE_SCHEMA, Corpus, with_utterance_columns
from seedcorn.errors import DataError


def read_parquet(path: Path, bad_rows: BadRows) -> Iterator[Chunk]:
    """Yield the rows of a Parquet file, "line" being the row's number; raises DataError when it is damaged."""
    try:
        with pq.ParquetFile(path) as file:
            n_rows = 0
            # One row group at a time: read together, their bytes all stay in memory until the end.
            for row_group in range(file.num_row_groups):
                for batch in file.iter_batches(batch_size=ROWS_PER_BATCH, row_groups=[row_group]):
                    yield _chunk(pa.Table.from_batches([batch]), n_rows, path)
                    n_rows += batch.num_rows
            if n_rows == 0:
                yield _chunk(file.schema_arrow.empty_table(), 0, path)
    except (pa.ArrowInvalid, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise DataError(wanted="a Parquet file", found=f"one that cannot be read ({error})", where=path) from error


def _chunk(table: pa.Table, n_before: int, path: Path) -> Chunk:
    try:
        complete = with_utterance_columns(table)
    except DataError as error:
        raise DataError(wanted=error.wanted, found=error.found, where=path) from error
    columns = [_without_nulls(complete.column(field.name), field) for field in complete.schema]
    rows = pa.RecordBatch.from_arrays(columns, schema=complete.schema)
    return Chunk(rows, np.arange(n_before + 1, n_before + len(table) + 1))


def _without_nulls(column: pa.ChunkedArray, field: pa.Field) -> pa.Array:
    """Return an Utterance column with null as the empty string, any other column, and the texts, as they are."""
    values = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], field.type)
    if field.name in UTTERANCE_SCHEMA.names and field.name not in ("text", "slots"):
        return values.fill_null("")
    return values


def write_parquet(corpus: Corpus, path: Path) -> int:
    """Write every row, zstd-compressed, and return their number."""
    n_rows = 0
    with pq.ParquetWriter(path, corpus.schema, compression="zstd") as writer:
        for batch in corpus.batches():
            writer.write_batch(batch)
            n_rows += batch.num_rows
    return n_rows
