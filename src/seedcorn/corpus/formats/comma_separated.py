"""CSV: quoted fields, a header with the column names, slots as JSON in theirs; without a header: text and origin."""

import csv
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from seedcorn.corpus.formats.bad_rows import BadRows
from seedcorn.corpus.formats.lines import line_blocks, open_text_sink
from seedcorn.corpus.formats.normal_form import Chunk
from seedcorn.corpus.formats.tab_separated import chunk_of_fields, column_names, field_of, wrong_length
from seedcorn.corpus.utterances import ROWS_PER_BATCH, Corpus
from seedcorn.errors import DataError, at


def read_csv(path: Path, bad_rows: BadRows) -> Iterator[Chunk]:
    """Yield the rows of a CSV file; a row with another number of fields than the first is bad."""
    records = _records(path, bad_rows)
    first = next(records, None)
    if first is None:
        return
    names = column_names(first.fields, where=at(path, first.line))
    records = records if "text" in first.fields else chain([first], records)
    complete = (record for record in records if _is_complete(record, names, path, bad_rows))
    while batch := list(islice(complete, ROWS_PER_BATCH)):
        columns = {name: pa.array([r.fields[i] for r in batch], pa.string()) for i, name in enumerate(names)}
        lines = np.fromiter((record.line for record in batch), dtype=np.int64, count=len(batch))
        yield chunk_of_fields(columns, lines, path, bad_rows)


class _CountedLines:
    """The lines of a file for csv.reader, with the number of the one given last."""

    def __init__(self, path: Path, bad_rows: BadRows) -> None:
        self.number = 0
        self._lines = (line for block in line_blocks(path, bad_rows) for line in block)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        self.number, line = next(self._lines)
        return line + "\n"


class _Record(NamedTuple):
    line: int
    fields: list[str]


def _records(path: Path, bad_rows: BadRows) -> Iterator[_Record]:
    """Yield the first line and the fields of each record that is not blank."""
    lines = _CountedLines(path, bad_rows)
    reader = csv.reader(lines, strict=True)
    while True:
        line = lines.number + 1
        try:
            fields = next(reader, None)
        except csv.Error as error:
            bad_rows.report(DataError(wanted="fields quoted as in CSV", found=str(error)), "", where=at(path, line))
            continue
        if fields is None:
            return
        if fields:
            yield _Record(line, fields)


def _is_complete(record: _Record, names: list[str], path: Path, bad_rows: BadRows) -> bool:
    if len(record.fields) == len(names):
        return True
    row = ",".join(record.fields)
    bad_rows.report(wrong_length(record.fields, names), row, where=at(path, record.line))
    return False


def write_csv(corpus: Corpus, path: Path) -> int:
    """Write a header and every row, and return the number of rows."""
    n_rows = 0
    with open_text_sink(path) as sink:
        writer = csv.writer(sink, lineterminator="\n")
        writer.writerow(corpus.schema.names)
        for batch in corpus.batches():
            writer.writerows([field_of(value) for value in row.values()] for row in batch.to_pylist())
            n_rows += batch.num_rows
    return n_rows
