"""The columns of utterances, and tables of any columns as these: what is there converted, what is not empty."""

import pyarrow as pa

from seedcorn.errors import DataError

SLOT_TYPE = pa.struct([("start", pa.int32()), ("end", pa.int32()), ("type", pa.string())])
UTTERANCE_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("text", pa.string()),
        ("lang", pa.string()),
        ("domain", pa.string()),
        ("intent", pa.string()),
        ("slots", pa.list_(SLOT_TYPE)),
        ("origin", pa.string()),
    ]
)


def with_utterance_columns(table: pa.Table) -> pa.Table:
    """Return ``table`` with the Utterance columns first, in schema order and type, absent ones empty, others after.

    Raises DataError when there is no text column or a column cannot be converted.
    """
    if "text" not in table.column_names:
        raise DataError(wanted="a column 'text'", found=f"columns {', '.join(table.column_names) or '(none)'}")
    columns: dict[str, pa.ChunkedArray | pa.Array] = {}
    for column in UTTERANCE_SCHEMA:
        columns[column.name] = (
            _converted(table.column(column.name), column)
            if column.name in table.column_names
            else empty_column(column, table.num_rows)
        )
    for name in table.column_names:
        columns.setdefault(name, table.column(name))
    return pa.table(columns)


def empty_column(column: pa.Field, n_rows: int) -> pa.Array:
    """Return the Utterance column ``column`` of rows of which it is not known: no text, no slots."""
    if pa.types.is_string(column.type):
        return pa.repeat("", n_rows)
    offsets = pa.repeat(pa.scalar(0, pa.int32()), n_rows + 1)
    return pa.ListArray.from_arrays(offsets, pa.array([], column.type.value_type), type=column.type)


def _converted(values: pa.ChunkedArray, column: pa.Field) -> pa.ChunkedArray:
    try:
        return values.cast(column.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise DataError(
            wanted=f"column '{column.name}' of type {column.type}", found=f"type {values.type} ({error})"
        ) from error
