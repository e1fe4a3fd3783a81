"""Parts of a corpus by the values of a column: the test partition, one language, some intents."""

from collections.abc import Collection, Iterator
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from seedcorn.corpus.utterances import Corpus
from seedcorn.errors import DataError, nearest

_MOST_KNOWN_VALUES = 20


def rows_where(corpus: Corpus, column: str, values: Collection[str], *, where: str = "") -> Corpus:
    """Return the rows whose ``column`` is one of ``values``, in order; ``where`` names the corpus in errors.

    Raises DataError without that column, and at the end of a pass that has found no such row.
    """
    if column not in corpus.schema.names:
        known = nearest(column, corpus.schema.names)
        raise DataError(wanted="a column of the corpus", found=f"'{column}'", where=where, fix=known)
    wanted = pa.array(sorted(values), pa.string())

    def open_batches() -> Iterator[pa.RecordBatch]:
        n_found, others = 0, set[str]()
        for batch in corpus.batches():
            found = batch.column(column).cast(pa.string())
            chosen = batch.filter(pc.is_in(found, wanted))
            n_found += chosen.num_rows
            if not n_found and len(others) < _MOST_KNOWN_VALUES:
                others.update(pc.unique(found.drop_null()).to_pylist()[:_MOST_KNOWN_VALUES])
            if chosen.num_rows:
                yield chosen
        if not n_found:
            raise _none_found(column, values, others, where)

    return replace(corpus, open_batches=open_batches)


def _none_found(column: str, values: Collection[str], others: Collection[str], where: str) -> DataError:
    return DataError(
        wanted=f"rows with {column} {' or '.join(sorted(values))}",
        found="none",
        where=where,
        fix=nearest(min(values), sorted(others)) if others else "",
    )
