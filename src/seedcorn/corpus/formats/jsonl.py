"""JSON lines: one utterance a line, named as the Utterance columns or as other tools do; other keys are kept."""

import json
import math
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from seedcorn.corpus.formats.bad_rows import BadRows
from seedcorn.corpus.formats.lines import line_blocks, open_text_sink
from seedcorn.corpus.formats.normal_form import Chunk
from seedcorn.corpus.formats.records import plain_row, utterance_row
from seedcorn.corpus.formats.rows import NumberedRow, Row, chunks_of, core_row
from seedcorn.corpus.utterance_columns import UTTERANCE_SCHEMA
from seedcorn.corpus.utterances import Corpus
from seedcorn.corpus.values import Value, json_object
from seedcorn.errors import DataError, at

_BOM = "\ufeff"
_AS_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


def read_jsonl(path: Path, bad_rows: BadRows) -> Iterator[Chunk]:
    """Yield the objects of ``path`` as rows; "text" is required, slots are [{"start", "end", "type"}, ...]."""
    return chunks_of(_rows(path, bad_rows), path, bad_rows)


def _rows(path: Path, bad_rows: BadRows) -> Iterator[NumberedRow]:
    for line, row in json_objects(path, bad_rows):
        try:
            yield NumberedRow(line, plain_row(row, bad_rows.columns) or core_row(utterance_row(row, bad_rows)))
        except DataError as error:
            bad_rows.report(error, json.dumps(row, ensure_ascii=False), where=at(path, line))


def json_objects(path: Path, bad_rows: BadRows) -> Iterator[NumberedRow]:
    """Yield the JSON object of each line that is not blank, as it is."""
    for block in line_blocks(path, bad_rows):
        for number, line in block:
            line = line.removeprefix(_BOM)  # files put one after the other have one inside
            if not line or line.isspace():
                continue
            try:
                yield NumberedRow(number, json_object(line, nan_is_null=True))
            except DataError as error:
                bad_rows.report(error, line, where=at(path, number))


def write_jsonl(corpus: Corpus, path: Path) -> int:
    """Write every row as a JSON object, empty Utterance columns left out, and return their number."""
    n_rows = 0
    with open_text_sink(path) as sink:
        for batch in corpus.batches():
            for row in batch.select(_columns_with_something(batch)).to_pylist():
                sink.write(as_json(without_empty_columns(row)) + "\n")
            n_rows += batch.num_rows
    return n_rows


def _columns_with_something(batch: pa.RecordBatch) -> list[str]:
    """Return the columns of ``batch`` that some row has something in; most Utterance columns of a pool are empty."""
    return [
        field.name
        for field, column in zip(batch.schema, batch.columns, strict=True)
        if field.name not in UTTERANCE_SCHEMA.names
        or column.null_count
        or pc.max(pc.binary_length(column) if pa.types.is_string(field.type) else pc.list_value_length(column)).as_py()
    ]


def without_empty_columns(row: Row) -> Row:
    """Return ``row`` without the Utterance columns that are empty."""
    return {name: value for name, value in row.items() if value not in ("", []) or name not in UTTERANCE_SCHEMA.names}


def as_json(row: Row) -> str:
    """Return ``row`` as JSON on one line; a number that JSON lacks (NaN, infinity) becomes null."""
    try:
        return _AS_JSON.encode(row)
    except ValueError:
        return _AS_JSON.encode(_finite(row))


def _finite(value: Value) -> Value:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    return [_finite(inner) for inner in value] if isinstance(value, list) else value
