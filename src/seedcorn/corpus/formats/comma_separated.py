"""CSV: quoted fields, a header with the column names, slots as JSON in theirs; without a header: text and origin.

The delimiter is told from the first lines or a line ``sep=;``: comma, semicolon, tab or bar.
"""

import csv
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from seedcorn.corpus.columns import ColumnChoice, is_header
from seedcorn.corpus.formats.bad_rows import BadRows
from seedcorn.corpus.formats.lines import first_bytes, line_blocks, open_text_sink
from seedcorn.corpus.formats.normal_form import Chunk
from seedcorn.corpus.formats.tab_separated import chunk_of_fields, field_of, header_of, wrong_length
from seedcorn.corpus.utterances import ROWS_PER_BATCH, Corpus
from seedcorn.errors import DataError, at

# The reader's own limit, 131,072 characters a field, would refuse what every other format takes.
csv.field_size_limit(2**31 - 1)
_DELIMITERS = (",", ";", "\t", "|")
_N_LINES_TO_SNIFF = 20


def read_csv(path: Path, bad_rows: BadRows) -> Iterator[Chunk]:
    """Yield the rows of a CSV file; a row with another number of fields than the first is bad."""
    start = first_bytes(path).decode("utf-8", "replace")
    records = _records(path, bad_rows, bad_rows.columns.delimiter or delimiter_of(start, bad_rows.columns))
    first = next(records, None)
    if first is not None and first.fields and first.fields[0].startswith("sep=") and len(start.split("\n")[0]) <= 6:
        first = next(records, None)
    if first is None:
        return
    _refuse_other_delimiter(first.fields, bad_rows.columns.delimiter, where=at(path, first.line))
    header = header_of(first.fields, bad_rows, where=at(path, first.line))
    names = header.names
    records = records if header.is_written else chain([first], records)
    complete = (record for record in records if _is_complete(record, names, path, bad_rows))
    while batch := list(islice(complete, ROWS_PER_BATCH)):
        columns = {name: pa.array([r.fields[i] for r in batch], pa.string()) for i, name in enumerate(names)}
        lines = np.fromiter((record.line for record in batch), dtype=np.int64, count=len(batch))
        yield chunk_of_fields(columns, lines, path, bad_rows)


def _refuse_other_delimiter(first: list[str], delimiter: str, *, where: str) -> None:
    if delimiter and len(first) == 1:
        raise DataError(
            wanted=f"fields with {delimiter!r} between them, the delimiter that was named", found=first[0], where=where
        )


def delimiter_of(start: str, choice: ColumnChoice) -> str:
    """Return the delimiter of a CSV file that begins with ``start``.

    It is the one that a line "sep=" names, that makes the first line a header, or that splits the first lines into the
    same number of fields, more than one; else the comma.
    """
    lines = [line for line in start.splitlines()[:_N_LINES_TO_SNIFF] if line.strip()]
    if lines and lines[0].startswith("sep=") and len(lines[0]) == len("sep=;"):
        return lines[0][-1]
    by_header = [d for d in _DELIMITERS if is_header(rows := _split(lines[:1], d)[0], choice) and len(rows) > 1]
    if by_header:
        return by_header[0]
    counts = {delimiter: {len(fields) for fields in _split(lines, delimiter)} for delimiter in _DELIMITERS}
    return next((d for d, n_fields in counts.items() if len(n_fields) == 1 and n_fields != {1}), ",")


def _split(lines: list[str], delimiter: str) -> list[list[str]]:
    try:
        return list(csv.reader(lines, delimiter=delimiter)) or [[]]
    except csv.Error:
        return [[]]


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


def _records(path: Path, bad_rows: BadRows, delimiter: str) -> Iterator[_Record]:
    """Yield the first line and the fields of each record that is not blank, empty fields alone being blank."""
    lines = _CountedLines(path, bad_rows)
    reader = csv.reader(lines, strict=True, delimiter=delimiter)
    while True:
        line = lines.number + 1
        try:
            fields = next(reader, None)
        except csv.Error as error:
            bad_rows.report(DataError(wanted="fields quoted as in CSV", found=str(error)), "", where=at(path, line))
            continue
        if fields is None:
            return
        if any(field.strip() for field in fields):
            yield _Record(line, fields)


def _is_complete(record: _Record, names: list[str], path: Path, bad_rows: BadRows) -> bool:
    if len(record.fields) > len(names) and not any(record.fields[len(names) :]):
        del record.fields[len(names) :]  # empty fields at the end, as spreadsheets leave them
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
