"""Parts of a corpus by the values of a column: the test partition, one language, some intents."""

from collections.abc import Collection, Iterator
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from seedcorn.corpus.utterances import Corpus
from seedcorn.errors import DataError, nearest


def rows_where(corpus: Corpus, column: str, values: Collection[str]) -> Corpus:
    """Return the rows whose ``column`` is one of ``values``, in order; raises DataError without that column."""
    if column not in corpus.schema.names:
        raise DataError(wanted="a column of the corpus", found=f"'{column}'", fix=nearest(column, corpus.schema.names))
    wanted = pa.array(sorted(values), pa.string())

    def open_batches() -> Iterator[pa.RecordBatch]:
        for batch in corpus.batches():
            yield batch.filter(pc.is_in(batch.column(column).cast(pa.string()), wanted))

    return replace(corpus, open_batches=open_batches)
