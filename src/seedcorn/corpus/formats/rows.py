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
from seedcorn.corpus.utterance_columns import UTTERANCE_SCHEMA
from seedcorn.corpus.utterances import ROWS_PER_BATCH, Slot
from seedcorn.corpus.values import Value
from seedcorn.errors import DataError

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
    text = core["text"]
    core["slots"] = checked_slots(core["slots"], text if isinstance(text, str) else None)
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


def checked_slots(value: Value, text: str | None = None) -> list[Value]:
    """Return the slots of a row, none for null; raises DataError when the value is no list of slots.

    A slot is {"start", "end", "type"}, with the names that other tools have for these, or [start, end, type]. Where it
    says what it covers ("value", "text" or "body"), offsets that cover other text are taken as counted in UTF-16 or in
    bytes, and refused when that is not so either.
    """
    if not value:
        return []
    if not isinstance(value, list):
        raise DataError(wanted="a list of slots", found=_shown(value))
    return [_slot(slot, text) for slot in value]


_STARTS, _ENDS = ("start", "start_offset", "start_char"), ("end", "end_offset", "end_char")
_TYPES = ("type", "entity", "entity_type", "label", "labels", "tag", "slot")


def _slot(slot: Value, text: str | None) -> Value:
    if isinstance(slot, list | tuple) and len(slot) == 3:
        slot = dict(zip(("start", "end", "type"), slot, strict=True))
    if isinstance(slot, dict):
        start, end, slot_type = (_first(slot, names) for names in (_STARTS, _ENDS, _TYPES))
        if isinstance(slot_type, list) and slot_type:
            slot_type = slot_type[0]
        if type(start) is int and type(end) is int and isinstance(slot_type, str) and max(abs(start), abs(end)) < 2**31:
            says = _first(slot, ("text", "body", "value"))
            if text is not None and isinstance(says, str):
                # Rasa's "entity" stands beside a value that may be another than the text: a synonym.
                is_synonym = "entity" in slot and says == slot.get("value")
                start, end = _covering(start, end, says, text, may_differ=is_synonym)
            return {"start": start, "end": end, "type": _whole(slot_type)}
    raise DataError(wanted='a slot as {"start": 3, "end": 7, "type": "time"}', found=_shown(slot))


def _first(slot: Mapping[str, Value], names: Sequence[str]) -> Value:
    return next((slot[name] for name in names if name in slot), None)


def _covering(start: int, end: int, says: str, text: str, *, may_differ: bool) -> tuple[int, int]:
    """Return the offsets, counted in characters, UTF-16 or bytes, under which ``text`` reads ``says``."""
    wanted = says.strip()
    covers = text[max(start, 0) : max(end, 0)]
    if covers.strip() == wanted:
        return start, end
    for encoding, unit in (("utf-16-le", 2), ("utf-8", 1)):
        encoded = text.encode(encoding)
        before, inside = encoded[: unit * max(start, 0)], encoded[unit * max(start, 0) : unit * max(end, 0)]
        if wanted and inside.decode(encoding, "replace").strip() == wanted:
            first = len(before.decode(encoding, "replace"))
            return first, first + len(inside.decode(encoding))
    if may_differ:
        return start, end
    raise DataError(wanted=f"a slot over '{says}'", found=f"'{covers}' at {start}..{end} of '{text}'")


def _shown(value: Value) -> str:
    shown = json.dumps(value, ensure_ascii=False, default=str)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."


def chunks_of(
    rows: Iterable[NumberedRow], path: Path, bad_rows: BadRows, *, others: Sequence[str] | None = None
) -> Iterator[Chunk]:
    """Yield the rows in chunks of ROWS_PER_BATCH.

    ``others`` are the columns beside the Utterance ones; by default those of the first chunk, with the types that
    their values have there, JSON text where they are of several. No such column makes a row bad: one that appears only
    later, and a value of another type than before, is left out and counted.
    """
    schema: pa.Schema | None = None
    remaining = iter(rows)
    while numbered := list(islice(remaining, ROWS_PER_BATCH)):
        if schema is None:
            schema = _schema(numbered, others)
        yield _chunk(numbered, schema, bad_rows)


def _schema(numbered: list[NumberedRow], others: Sequence[str] | None) -> pa.Schema:
    if others is None:
        others = [name for name in dict.fromkeys(n for _, row in numbered for n in row) if name not in UTTERANCE_NAMES]
    return pa.schema([*UTTERANCE_SCHEMA, *(pa.field(name, _type_of(numbered, name)) for name in others)])


def _type_of(numbered: list[NumberedRow], name: str) -> pa.DataType:
    """Return the type of the values of a column, text where they are of several."""
    values = [row[name] for _, row in numbered if row.get(name) is not None]
    try:
        found = pa.infer_type(values)
        pa.array(values, type=found)
    except _UNFIT:
        return pa.string()
    return pa.string() if _is_null(found) else found


def _is_null(found: pa.DataType) -> bool:
    return pa.types.is_null(found) or (pa.types.is_list(found) and _is_null(found.value_type))


def _chunk(numbered: list[NumberedRow], schema: pa.Schema, bad_rows: BadRows) -> Chunk:
    known = set(schema.names)
    for name in (name for _, row in numbered for name in row if name not in known):
        bad_rows.leave_out(f"values of the column '{name}', which the first rows lack")
    columns = {field.name: _column([row.get(field.name) for _, row in numbered], field, bad_rows) for field in schema}
    lines = np.fromiter((line for line, _ in numbered), dtype=np.int64, count=len(numbered))
    return Chunk(pa.RecordBatch.from_pydict(columns, schema=schema), lines)


def _column(values: list[Value], field: pa.Field, bad_rows: BadRows) -> pa.Array:
    try:
        return pa.array(values, type=field.type)
    except _UNFIT:
        if pa.types.is_string(field.type):
            return pa.array([_as_text(value) for value in values], type=field.type)
        fitting = [value if _fits(value, field.type) else None for value in values]
        n_left_out = sum(before is not after for before, after in zip(values, fitting, strict=True))
        bad_rows.leave_out(f"values of the column '{field.name}' that are not {field.type}", n_left_out)
        return pa.array(fitting, type=field.type)


def _fits(value: Value, wanted: pa.DataType) -> bool:
    try:
        pa.array([value], type=wanted)
    except _UNFIT:
        return False
    return True


def _as_text(value: Value) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
