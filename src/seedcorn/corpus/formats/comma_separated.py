"""CSV: quoted fields, a header with the column names, slots as JSON in theirs; without a header: text and origin."""

import csv
from collections.abc import Iterator
from pathlib import Path

from seedcorn.corpus.formats.bad_rows import BadRows
from seedcorn.corpus.formats.lines import line_blocks, open_text_sink
from seedcorn.corpus.formats.normal_form import Chunk
from seedcorn.corpus.formats.rows import UTTERANCE_NAMES, NumberedRow, Row, chunks_of
from seedcorn.corpus.formats.tab_separated import column_names, field_of, slots_in
from seedcorn.corpus.utterances import Corpus
from seedcorn.errors import DataError, at


def read_csv(path: Path, bad_rows: BadRows) -> Iterator[Chunk]:
    """Yield the rows of a CSV file; a row with another number of fields than the first is bad."""
    records = _records(path, bad_rows)
    line, fields = next(records, (1, []))
    if not fields:
        return iter(())
    names = column_names(fields, where=at(path, line))
    if "text" not in fields:
        records = _records(path, bad_rows)
    others = [name for name in names if name not in UTTERANCE_NAMES]
    return chunks_of(_rows(records, names, path, bad_rows), others=others)


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


def _records(path: Path, bad_rows: BadRows) -> Iterator[tuple[int, list[str]]]:
    """Yield the first line and the fields of each record that is not blank."""
    lines = _CountedLines(path, bad_rows)
    reader = csv.reader(lines, strict=True)
    while True:
        line = lines.number + 1
        try:
            fields = next(reader, None)
        except csv.Error as error:
            bad_rows.report(DataError(wanted="fields quoted as in CSV", found=str(error), where=at(path, line)), "")
            continue
        if fields is None:
            return
        if fields:
            yield line, fields


def _rows(
    records: Iterator[tuple[int, list[str]]], names: list[str], path: Path, bad_rows: BadRows
) -> Iterator[NumberedRow]:
    for line, fields in records:
        try:
            yield NumberedRow(line, _row(fields, names, at(path, line)))
        except DataError as error:
            bad_rows.report(error, ",".join(fields))


def _row(fields: list[str], names: list[str], where: str) -> Row:
    if len(fields) != len(names):
        wanted = f"{len(names)} fields ({', '.join(names)})"
        raise DataError(wanted=wanted, found=f"{len(fields)} in '{','.join(fields)[:60]}'", where=where)
    given = dict.fromkeys(UTTERANCE_NAMES, "") | dict(zip(names, fields, strict=True))
    return {**given, "slots": slots_in(given["slots"], where=where)}


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
