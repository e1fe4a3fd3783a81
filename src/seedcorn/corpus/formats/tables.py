"""Arrow tables of other tools as chunks: column types a Corpus can keep, and names for the numbers of labels."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seedcorn.corpus.columns import column_names
from seedcorn.corpus.formats.bad_rows import BadRows
from seedcorn.corpus.formats.normal_form import Chunk
from seedcorn.corpus.formats.records import has_tagged_tokens, holds_text, utterance_row
from seedcorn.corpus.formats.rows import NumberedRow, chunks_of, core_row
from seedcorn.corpus.utterance_columns import UTTERANCE_SCHEMA, with_utterance_columns
from seedcorn.corpus.values import Value
from seedcorn.errors import DataError, at

_SHOWN_AS_TEXT = (pa.types.is_temporal, pa.types.is_decimal)
_KEPT = (pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating, pa.types.is_string, pa.types.is_null)
_UNCASTABLE = (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowKeyError)


def table_chunks(
    tables: Iterator[pa.Table], schema: pa.Schema, path: Path, bad_rows: BadRows, *, features: Mapping[str, Value]
) -> Iterator[Chunk]:
    """Yield the rows of ``tables``, "line" being the row's number.

    ``features`` are those of a Hugging Face data set, {} without: they name the numbers of labels. Columns that JSON
    could not hold are kept as text (times, decimals) or left out (bytes). Raises DataError without a text.
    """
    if len(set(schema.names)) < len(schema.names):
        raise DataError(wanted="columns of different names", found=", ".join(schema.names), where=path)
    names_of = {name: names for name, names in ((n, _class_names(f, path)) for n, f in features.items()) if names}
    if _has_plain_text(schema, bad_rows, path):
        yield from _plain_chunks(tables, path, bad_rows, names_of)
    else:
        if not holds_text(schema.names):
            raise DataError(
                wanted="a column 'text'",
                found=f"columns {', '.join(schema.names) or '(none)'}",
                where=path,
                fix="Name the column: --text-column.",
            )
        yield from chunks_of(_records(tables, path, bad_rows, names_of), path, bad_rows)


def _has_plain_text(schema: pa.Schema, bad_rows: BadRows, path: Path) -> bool:
    """Tell whether the columns are those of a Corpus by name and type, so that no row need be looked at."""
    if "annot_utt" in schema.names:
        return False
    try:
        names = dict(zip(column_names(tuple(schema.names), bad_rows.columns), schema.types, strict=True))
    except DataError as error:
        raise DataError(wanted=error.wanted, found=error.found, where=path) from error
    slots = names.get("slots", pa.null())
    is_slots = pa.types.is_null(slots) or (
        pa.types.is_list(slots)
        and pa.types.is_struct(slots.value_type)
        and {f.name for f in slots.value_type} == {"start", "end", "type"}
    )
    label = names.get("intent", pa.string())
    is_label = not (pa.types.is_nested(label) or pa.types.is_floating(label) or pa.types.is_boolean(label))
    return "text" in names and is_slots and is_label and not ("slots" not in names and has_tagged_tokens(schema.names))


def _plain_chunks(
    tables: Iterator[pa.Table], path: Path, bad_rows: BadRows, names_of: Mapping[str, list[str]]
) -> Iterator[Chunk]:
    n_before = 0
    for table in tables:
        named = readable(_with_class_names(table, names_of), bad_rows)
        renamed = named.rename_columns(list(column_names(tuple(named.column_names), bad_rows.columns)))
        yield _chunk(renamed, n_before, path)
        n_before += table.num_rows


def _records(
    tables: Iterator[pa.Table], path: Path, bad_rows: BadRows, names_of: Mapping[str, list[str]]
) -> Iterator[NumberedRow]:
    number = 0
    for table in tables:
        for record in readable(_with_class_names(table, names_of), bad_rows).to_pylist():
            number += 1
            try:
                row = utterance_row(record, bad_rows)
                if "text" not in row:
                    raise DataError(wanted="a column 'text'", found=f"columns {', '.join(record) or '(none)'}")
                yield NumberedRow(number, core_row(row))
            except DataError as error:
                bad_rows.report(error, json.dumps(record, ensure_ascii=False, default=str), where=at(path, number))


def readable(table: pa.Table, bad_rows: BadRows) -> pa.Table:
    """Return ``table`` with columns that JSON can hold: others become text, or are left out and counted."""
    columns = {}
    for name in table.column_names:
        column = _readable(table.column(name))
        if column is None:
            bad_rows.leave_out(f"column '{name}' of type {table.schema.field(name).type}"[:100])
        else:
            columns[name] = column
    return pa.table(columns)


def _readable(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    found = column.type
    try:
        if isinstance(found, pa.BaseExtensionType):
            column = pa.chunked_array([c.storage for c in column.chunks], found.storage_type)
        elif pa.types.is_dictionary(found):
            column = column.cast(found.value_type)
        if pa.types.is_large_string(column.type) or any(is_so(column.type) for is_so in _SHOWN_AS_TEXT):
            return column.cast(pa.string())
        if str(column.type) == "string_view":
            return column.cast(pa.string())
    except _UNCASTABLE:
        return None
    return column if _is_kept(column.type) else None


def _is_kept(found: pa.DataType) -> bool:
    if pa.types.is_struct(found):
        return all(_is_kept(field.type) for field in found)
    if pa.types.is_list(found) or pa.types.is_large_list(found) or pa.types.is_fixed_size_list(found):
        return _is_kept(found.value_type)
    return any(is_so(found) for is_so in _KEPT)


def _with_class_names(table: pa.Table, names_of: Mapping[str, list[str]]) -> pa.Table:
    for place, name in enumerate(table.column_names):
        names = names_of.get(name)
        if names and (mapped := _mapped(table.column(name), names)) is not None:
            table = table.set_column(place, name, mapped)
    return table


def _mapped(column: pa.ChunkedArray, names: list[str]) -> pa.ChunkedArray | pa.Array | None:
    """Return the names of numbers, or of lists of numbers; null where there is no such number (-1: not labelled)."""
    if pa.types.is_integer(column.type):
        known = pc.and_(pc.greater_equal(column, 0), pc.less(column, len(names)))
        return pc.take(pa.array(names, pa.string()), pc.if_else(known, column, None).cast(pa.int64()))
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        rows = column.to_pylist()
        if all(isinstance(n, int) and 0 <= n < len(names) for row in rows for n in row or ()):
            return pa.array([None if row is None else [names[n] for n in row] for row in rows], pa.list_(pa.string()))
    return None


def huggingface_features(metadata: Mapping[bytes, bytes] | None) -> Mapping[str, Value]:
    """Return the features that Hugging Face's ``datasets`` wrote into the metadata of a schema, {} without them."""
    try:
        info = json.loads((metadata or {}).get(b"huggingface", b"{}"))
        features: Value = info["info"]["features"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return features if isinstance(features, dict) else {}


def _class_names(feature: Value, path: Path) -> list[str]:
    """Return the names of a ClassLabel, or of a sequence of them; none for another feature."""
    if isinstance(feature, list):
        return _class_names(feature[0], path) if feature else []
    if not isinstance(feature, dict):
        return []
    names = feature.get("names")
    if feature.get("_type") == "ClassLabel" and isinstance(names, list):
        if any("\ud800" <= character <= "\udfff" for name in names for character in str(name)):
            raise DataError(wanted="names of classes in whole characters", found="half of a surrogate pair", where=path)
        return [str(name) for name in names]
    return _class_names(feature.get("feature"), path)


def _chunk(table: pa.Table, n_before: int, path: Path) -> Chunk:
    try:
        complete = with_utterance_columns(table)
    except DataError as error:
        raise DataError(wanted=error.wanted, found=error.found, where=path) from error
    columns = [_without_nulls(complete.column(field.name), field) for field in complete.schema]
    rows = pa.RecordBatch.from_arrays(columns, schema=complete.schema)
    return Chunk(rows, np.arange(n_before + 1, n_before + len(table) + 1))


def _without_nulls(column: pa.ChunkedArray, field: pa.Field) -> pa.Array:
    """Return an Utterance column with null as the empty string, any other column, and the texts, as they are."""
    values = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], field.type)
    if field.name in UTTERANCE_SCHEMA.names and field.name not in ("text", "slots"):
        return values.fill_null("")
    return values
