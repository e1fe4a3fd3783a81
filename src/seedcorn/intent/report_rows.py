"""Rows and tables of the page of an intent run."""

from collections.abc import Sequence
from typing import TypeAlias

import pyarrow as pa

from seedcorn.report.figures import CurvePoint
from seedcorn.report.page import Table

MOST_EXAMPLES = 2_000
_PERCENT = (
    *("semantic error", "intent error", "slot f1", "intent f1", "false alarm rate", "reduction", "low", "high"),
    *("probability", "missed before", "missed after", "change", "standard error"),
)

Row: TypeAlias = dict[str, str | int | float]


def rows_of(table: pa.Table) -> list[Row]:
    """Return the rows of ``table``."""
    rows: list[Row] = table.to_pylist()
    return rows


def json_rows(values: object) -> list[Row]:
    """Return the rows that were saved as JSON."""
    rows: list[Row] = [dict(value) for value in values] if isinstance(values, Sequence) else []
    return rows


def table_of(caption: str, rows: Sequence[Row], columns: Sequence[str], *, filter_column: str = "") -> Table:
    """Return a searchable table of the first ``MOST_EXAMPLES`` of ``rows``, which says how many there are."""
    shown = rows[:MOST_EXAMPLES]
    cut = f" The first {MOST_EXAMPLES:,} of {len(rows):,}." if len(rows) > MOST_EXAMPLES else ""
    return Table(
        caption=caption + cut,
        columns=tuple(column.replace("_", " ") for column in columns),
        rows=tuple(tuple(row[column] for column in columns) for row in shown),
        searchable=True,
        filter_column=filter_column.replace("_", " "),
        percent_columns=_PERCENT,
    )


def point(x: float | str, y: float | str, series: str) -> CurvePoint:
    """Return a point of a curve without an interval."""
    return CurvePoint(x=float(x), y=float(y), low=float(y), high=float(y), series=series)
