"""Rows as Python dictionaries on their way to Arrow: the Utterance columns, then whatever else a file holds."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa

from seedcorn.corpus.formats.bad_rows import BadRows
from seedcorn.corpus.formats.normal_form import Chunk
from seedcorn.corpus.utterances import ROWS_PER_BATCH, UTTERANCE_SCHEMA, Slot
from seedcorn.errors import DataError, at

Value: TypeAlias = "None | bool | int | float | str | Sequence[Value] | Mapping[str, Value]"
Row: TypeAlias = dict[str, Value]

UTTERANCE_NAMES = tuple(UTTERANCE_SCHEMA.names)
_STRING_NAMES = tuple(name for name in UTTERANCE_NAMES if name != "slots")
_UNFIT = (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError)


class NumberedRow(NamedTuple):
    """A row and the line it begins at."""

    line: int
    row: Row


def slots_value(slots: Iterable[Slot]) -> list[dict[str, Value]]:
    """Return ``slots`` as a row holds them."""
    return [{"start": slot.start, "end": slot.end, "type": slot.type} for slot in slots]


def core_row(row: Mapping[str, Value]) -> Row:
    """Return ``row`` with valid Utterance columns, absent ones empty, other columns as they are.

    Raises DataError for a value that cannot be what its column is.
    """
    core: Row = dict.fromkeys(UTTERANCE_NAMES, "")
    core.update(row)
    for name in _STRING_NAMES:
        core[name] = _string(core[name], name)
    if row.get("text") is None:
        core["text"] = None
    core["slots"] = checked_slots(core["slots"])
    return core


def _string(value: Value, name: str) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return _whole(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise DataError(wanted=f"a string as '{name}'", found=_shown(value))


def _whole(text: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise DataError(wanted="whole characters", found=f"half of a surrogate pair in {ascii(text)}") from error
    return text


def checked_slots(value: Value) -> list[Value]:
    """Return the slots of a row, none for null; raises DataError when the value is no list of slots."""
    if not value:
        return []
    if not isinstance(value, list):
        raise DataError(wanted="a list of slots", found=_shown(value))
    return [_slot(slot) for slot in value]


def _slot(slot: Value) -> Value:
    if isinstance(slot, dict):
        start, end, slot_type = slot.get("start"), slot.get("end"), slot.get("type")
        if type(start) is int and type(end) is int and isinstance(slot_type, str) and max(abs(start), abs(end)) < 2**31:
            return {"start": start, "end": end, "type": _whole(slot_type)}
    raise DataError(wanted='a slot as {"start": 3, "end": 7, "type": "time"}', found=_shown(slot))


def _shown(value: Value) -> str:
    shown = json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."


def chunks_of(
    rows: Iterable[NumberedRow], path: Path, bad_rows: BadRows, *, others: Sequence[str] | None = None
) -> Iterator[Chunk]:
    """Yield the rows in chunks of ROWS_PER_BATCH.

    ``others`` are the columns beside the Utterance ones; by default those of the first chunk, with the types that
    their values have there. A row with a column or a type that appears only later is bad.
    """
    schema: pa.Schema | None = None
    remaining = iter(rows)
    while numbered := list(islice(remaining, ROWS_PER_BATCH)):
        if schema is None:
            schema = _schema(numbered, others)
        yield _chunk(numbered, schema, path, bad_rows)


def _schema(numbered: list[NumberedRow], others: Sequence[str] | None) -> pa.Schema:
    if others is None:
        others = [name for name in dict.fromkeys(n for _, row in numbered for n in row) if name not in UTTERANCE_NAMES]
    return pa.schema([*UTTERANCE_SCHEMA, *(pa.field(name, _type_of(numbered, name)) for name in others)])


def _type_of(numbered: list[NumberedRow], name: str) -> pa.DataType:
    """Return the type of the values of a column, that of the first where they are of several."""
    values = [row[name] for _, row in numbered if row.get(name) is not None]
    try:
        found = pa.infer_type(values)
    except _UNFIT:
        found = pa.infer_type(values[:1])
    return pa.string() if pa.types.is_null(found) else found


def _chunk(numbered: list[NumberedRow], schema: pa.Schema, path: Path, bad_rows: BadRows) -> Chunk:
    try:
        columns = _columns(numbered, schema)
    except DataError:
        numbered = [row for row in numbered if _is_good(row, schema, path, bad_rows)]
        columns = _columns(numbered, schema)
    lines = np.fromiter((line for line, _ in numbered), dtype=np.int64, count=len(numbered))
    return Chunk(pa.RecordBatch.from_pydict(columns, schema=schema), lines)


def _is_good(numbered: NumberedRow, schema: pa.Schema, path: Path, bad_rows: BadRows) -> bool:
    try:
        _columns([numbered], schema)
    except DataError as error:
        bad_rows.report(error, json.dumps(numbered.row, ensure_ascii=False), where=at(path, numbered.line))
        return False
    return True


def _columns(numbered: list[NumberedRow], schema: pa.Schema) -> dict[str, pa.Array]:
    known = set(schema.names)
    late = next((name for _, row in numbered for name in row if name not in known), None)
    if late is not None:
        raise DataError(
            wanted=f"the columns of the first rows ({', '.join(schema.names)})",
            found=f"a new column '{late}'",
            fix="Give the column in the first row already, as null if need be.",
        )
    return {field.name: _column([row.get(field.name) for _, row in numbered], field) for field in schema}


def _column(values: list[Value], field: pa.Field) -> pa.Array:
    try:
        return pa.array(values, type=field.type)
    except _UNFIT as error:
        raise DataError(
            wanted=f"{field.type} in column '{field.name}', as in the first rows", found=_shown(values[0])
        ) from error
