"""TSV: one utterance a line, a header with the column names, slots as JSON in theirs; read at Arrow speed.

There is no quoting: a field holds neither a tab nor a line end, and a quotation mark is a character like any other.
Without a header the columns are text and origin, or what the options say.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seedcorn.corpus.columns import ColumnChoice, column_names, is_header
from seedcorn.corpus.formats.bad_rows import BadRows
from seedcorn.corpus.formats.lines import LineBlock, LineNumbers, first_bytes, line_blocks, open_text_sink
from seedcorn.corpus.formats.massive_markup import COLUMN_OF_KEY, bracketed_slots
from seedcorn.corpus.formats.normal_form import Chunk
from seedcorn.corpus.formats.plain_text import unlabelled, without_blank_lines
from seedcorn.corpus.formats.rows import UTTERANCE_NAMES, Row, checked_slots, slots_value
from seedcorn.corpus.utterance_columns import SLOT_TYPE, UTTERANCE_SCHEMA
from seedcorn.corpus.utterances import Corpus
from seedcorn.corpus.values import Value
from seedcorn.errors import DataError, at

_NAMES_WITHOUT_HEADER = ("text", "origin")


def read_tsv(path: Path, bad_rows: BadRows) -> Iterator[Chunk]:
    """Yield the rows of a TSV file; a line with another number of fields than the first is bad."""
    blocks = (block for block in map(without_blank_lines, line_blocks(path, bad_rows)) if len(block.lines))
    first = next(blocks, None)
    if first is None:
        return
    first_line: list[str] = first.lines[0].as_py().split("\t")
    header = header_of(first_line, bad_rows, where=at(path, int(first.numbers[0])))
    if header.is_written:
        first = LineBlock(first.lines.slice(1), first.numbers[1:])
    for block in chain([first], blocks):
        yield _chunk(block, header.names, path, bad_rows)


class Header(NamedTuple):
    """The names of a table's columns, and whether its first row holds them."""

    names: list[str]
    is_written: bool


def header_of(first: Sequence[str], bad_rows: BadRows, *, where: str) -> Header:
    """Return the names of the columns of a table that begins with ``first``, which may be its header.

    Raises DataError when no column can be meant.
    """
    choice = bad_rows.columns
    is_written = is_header(first, choice)
    if not is_written and any(name and not name.isdecimal() for name in (choice.text, choice.intent, choice.slots)):
        found = [*first]  # columns are named, but by no name that is there
    else:
        found = _without_empty(first) if is_written else _names_without_header(len(first))
    try:
        names = list(column_names(tuple(found), choice))
    except DataError as error:
        raise DataError(wanted=error.wanted, found=error.found, where=where) from error
    differ = len(set(found)) == len(found)
    if "text" in names and differ and (is_written or len(names) <= 2 or choice.text):
        return Header(names, is_written)
    raise DataError(
        wanted="a first line with column names that differ, one of them 'text'",
        found=f"{len(first)} fields: {', '.join(first)[:60]}",
        where=where,
        fix="Name the columns: --text-column, --intent-column, --slots-column, or columns in a configuration.",
    )


def is_headerless(path: Path, choice: ColumnChoice, *, is_quoted: bool) -> bool:
    """Tell whether the table at ``path`` begins with a row of two fields instead of names, and nobody named them.

    ``is_quoted`` says whether quotation marks may stand around a field, as in CSV.
    """
    first = first_bytes(path).decode("utf-8", "replace").split("\n", 1)[0].rstrip("\r")
    fields = next((f for f in (first.split(d) for d in "\t,;|") if len(f) == 2), [])
    fields = [field.strip('"') for field in fields] if is_quoted else fields
    is_named = bool(choice.text or choice.intent or choice.slots)
    return bool(fields) and fields[0] != "sep=" and not is_named and not is_header(fields, choice)


def _without_empty(first: Sequence[str]) -> list[str]:
    """Return a header whose empty names, as spreadsheets leave them, are numbers."""
    return [name.strip() or str(place) for place, name in enumerate(first, start=1)]


def _names_without_header(n_columns: int) -> list[str]:
    return [*_NAMES_WITHOUT_HEADER, *map(str, range(3, n_columns + 1))][:n_columns]


def _chunk(block: LineBlock, names: list[str], path: Path, bad_rows: BadRows) -> Chunk:
    fields = pc.split_pattern(block.lines, "\t")
    complete = pc.equal(pc.list_value_length(fields), len(names))
    if not pc.all(complete).as_py():
        for line, row in block:
            if row.count("\t") + 1 != len(names):
                bad_rows.report(wrong_length(row.split("\t"), names), row, where=at(path, line))
        block = LineBlock(block.lines.filter(complete), block.numbers[complete.to_numpy(zero_copy_only=False)])
        fields = fields.filter(complete)
    flat, starts = pc.list_flatten(fields), np.arange(len(fields)) * len(names)
    columns = {name: flat.take(pa.array(starts + place)) for place, name in enumerate(names)}
    return chunk_of_fields(columns, block.numbers, path, bad_rows)


def wrong_length(fields: Sequence[str], names: Sequence[str]) -> DataError:
    """Return the error of a row that has not one field a name."""
    found = f"{len(fields)}: {', '.join(fields)[:60]}"
    return DataError(wanted=f"{len(names)} fields ({', '.join(names)})", found=found)


def chunk_of_fields(columns: dict[str, pa.Array], lines: LineNumbers, path: Path, bad_rows: BadRows) -> Chunk:
    """Return the rows of a table whose fields are strings, its slots read; a row with other slots is bad.

    A table of MASSIVE has its slots in "annot_utt".
    """
    read_slots: Callable[[str, str], Value] = _slots_in
    if "annot_utt" in columns and not bad_rows.columns.text:
        columns = {COLUMN_OF_KEY.get(name, name): column for name, column in columns.items()}
        columns["slots"], read_slots = columns.pop("annot_utt"), _bracketed_slots
    rows = dict(zip(UTTERANCE_NAMES, unlabelled(columns["text"]).columns, strict=True))
    is_good = np.ones(len(lines), dtype=np.bool_)
    if "slots" in columns:
        slots: list[Value] = [[]] * len(lines)
        for row, field in enumerate(columns["slots"].to_pylist()):
            try:
                slots[row] = read_slots(field, columns["text"][row].as_py()) if field else []
            except DataError as error:
                fields = [str(column[row]) for column in columns.values()]
                bad_rows.report(error, "\t".join(fields), where=at(path, int(lines[row])))
                is_good[row] = False
        columns = columns | {"slots": pa.array(slots, pa.list_(SLOT_TYPE))}
    others = [pa.field(name, pa.string()) for name in columns if name not in rows]
    table = pa.RecordBatch.from_pydict(rows | columns, schema=pa.schema([*UTTERANCE_SCHEMA, *others]))
    return Chunk(table.filter(pa.array(is_good)), lines[is_good])


def _slots_in(field: str, text: str) -> Value:
    try:
        slots: Value = json.loads(field)
    except (ValueError, RecursionError) as error:
        raise DataError(wanted="slots as a JSON list", found=f"'{field[:60]}'") from error
    return checked_slots(slots, text)


def _bracketed_slots(annotated: str, text: str) -> Value:
    return slots_value(bracketed_slots(annotated, text))


def field_of(value: Value) -> str:
    """Return a value as the text of a table's field: strings as they are, null and no slots as nothing, else JSON."""
    if value is None or value == []:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def write_tsv(corpus: Corpus, path: Path) -> int:
    """Write a header and every row, and return the number of rows.

    Raises DataError for a tab or a line end inside a field, which TSV cannot hold.
    """
    n_rows = 0
    with open_text_sink(path) as sink:
        sink.write("\t".join(corpus.schema.names) + "\n")
        for batch in corpus.batches():
            for row in batch.to_pylist():
                sink.write(_tsv_line(row, n_rows))
                n_rows += 1
    return n_rows


def _tsv_line(row: Row, position: int) -> str:
    fields = [field_of(value) for value in row.values()]
    broken = next((field for field in fields if any(end in field for end in "\t\n\r")), None)
    if broken is not None:
        raise DataError(
            wanted="fields without tabs and line ends",
            found=repr(broken[:60]),
            where=f"row {position}",
            fix="Write another format, for example csv.",
        )
    return "\t".join(fields) + "\n"
