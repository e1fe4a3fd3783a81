"""The SentencePair columns and PairCorpus: sentences of two languages side by side, streamed like utterances."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass

import pyarrow as pa

from seedcorn.corpus.parallel import pieces_of
from seedcorn.corpus.utterances import ROWS_PER_BATCH

PAIR_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("source", pa.string()),
        ("target", pa.string()),
        ("source_lang", pa.string()),
        ("target_lang", pa.string()),
        ("origin", pa.string()),
    ]
)


@dataclass(frozen=True, kw_only=True)
class SentencePair:
    """One sentence and its translation."""

    source: str
    target: str
    id: str = ""
    source_lang: str = ""
    target_lang: str = ""
    origin: str = ""


@dataclass(frozen=True)
class PairCorpus:
    """Sentence pairs with the columns of PAIR_SCHEMA; ``open_batches`` starts a fresh pass each time it is called.

    One that is corpus.parallel.Sharded can be read in pieces, by other processes.
    """

    open_batches: Callable[[], Iterator[pa.RecordBatch]]

    @staticmethod
    def from_table(table: pa.Table) -> "PairCorpus":
        """Return a corpus over a table in memory that has the columns of PAIR_SCHEMA."""
        complete = table.select(PAIR_SCHEMA.names).cast(PAIR_SCHEMA)
        return PairCorpus(lambda: iter(complete.to_batches(max_chunksize=ROWS_PER_BATCH)))

    @staticmethod
    def from_pairs(pairs: Iterable[SentencePair]) -> "PairCorpus":
        """Return a corpus in memory of ``pairs``."""
        return PairCorpus.from_table(pa.Table.from_pylist([asdict(p) for p in pairs], schema=PAIR_SCHEMA))

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the record batches, in order, from the first row."""
        return self.open_batches()

    def pieces(self) -> Iterable[pa.RecordBatch]:
        """Return the record batches, in order, for a Mapper: as shards where they can be opened alone."""
        return pieces_of(self.open_batches)

    def table(self) -> pa.Table:
        """Return all rows in memory."""
        return pa.Table.from_batches(list(self.batches()), schema=PAIR_SCHEMA)

    def pairs(self) -> list[SentencePair]:
        """Return all rows as Python objects; only for corpora that fit in memory many times over."""
        return [SentencePair(**row) for batch in self.batches() for row in batch.to_pylist()]

    def count(self) -> int:
        """Return the number of rows, by one pass."""
        return sum(batch.num_rows for batch in self.batches())
