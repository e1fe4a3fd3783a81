"""Parquet: the Utterance columns and any others, streamed batch by batch."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from seedcorn.corpus.formats.bad_rows import BadRows
from seedcorn.corpus.formats.normal_form import Chunk
from seedcorn.corpus.formats.tables import huggingface_features, table_chunks
from seedcorn.corpus.utterances import ROWS_PER_BATCH, Corpus
from seedcorn.errors import DataError


def read_parquet(path: Path, bad_rows: BadRows) -> Iterator[Chunk]:
    """Yield the rows of a Parquet file, "line" being the row's number; raises DataError when it is damaged."""
    with reading_arrow(path, "a Parquet file"), pq.ParquetFile(path, page_checksum_verification=True) as file:
        schema = file.schema_arrow
        features = huggingface_features(schema.metadata)
        yield from table_chunks(_tables(file), schema, path, bad_rows, features=features)


def _tables(file: pq.ParquetFile) -> Iterator[pa.Table]:
    # One row group at a time: read together, their bytes all stay in memory until the end.
    for row_group in range(file.num_row_groups):
        for batch in file.iter_batches(batch_size=ROWS_PER_BATCH, row_groups=[row_group]):
            batch.validate(full=True)  # also that texts are UTF-8
            yield pa.Table.from_batches([batch])
    if not file.metadata.num_rows:
        yield file.schema_arrow.empty_table()


@contextmanager
def reading_arrow(path: Path, what: str) -> Iterator[None]:
    """Say of an error that Arrow raises in the block that the file at ``path`` is damaged."""
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise DataError(wanted=what, found=f"one that cannot be read ({error})", where=path) from error


def write_parquet(corpus: Corpus, path: Path) -> int:
    """Write every row, zstd-compressed, and return their number."""
    n_rows = 0
    with pq.ParquetWriter(path, corpus.schema, compression="zstd", write_page_checksum=True) as writer:
        for batch in corpus.batches():
            writer.write_batch(batch)
            n_rows += batch.num_rows
    return n_rows
