"""Sentence pairs on their way from a file to Arrow: rows with the line that each came from."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from seedcorn.corpus.formats.lines import LineNumbers
from seedcorn.corpus.pairs import PAIR_SCHEMA
from seedcorn.corpus.utterances import ROWS_PER_BATCH


class PairChunk(NamedTuple):
    """Pairs as a reader found them and the line each came from."""

    rows: pa.RecordBatch
    lines: LineNumbers


class NumberedPair(NamedTuple):
    """The fields of a pair, absent ones left out, and the line it begins at."""

    line: int
    fields: Mapping[str, str]


def chunks_of(pairs: Iterable[NumberedPair]) -> Iterator[PairChunk]:
    """Yield ``pairs`` in chunks of ROWS_PER_BATCH rows."""
    remaining = iter(pairs)
    while numbered := list(islice(remaining, ROWS_PER_BATCH)):
        columns = {name: [pair.fields.get(name, "") for pair in numbered] for name in PAIR_SCHEMA.names}
        lines = np.fromiter((pair.line for pair in numbered), np.int64, count=len(numbered))
        yield PairChunk(pa.RecordBatch.from_pydict(columns, schema=PAIR_SCHEMA), lines)
