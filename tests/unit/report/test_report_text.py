"""Tables as plain text."""

from seedcorn.report.page import Table
from seedcorn.report.text import table_in_text


def test_columns_are_aligned_numbers_to_the_right_and_fractions_are_percentages() -> None:
    table = Table(
        caption="",
        columns=("system", "error", "rows"),
        rows=(("seed only", 0.1234, 1200), ("क्या", 0.05, 7)),
        percent_columns=("error",),
    )
    assert table_in_text(table).splitlines() == [
        "system     error   rows",
        "---------  -----  -----",
        "seed only  12.3%  1,200",
        "क्या          5.0%      7",
    ]


def test_the_decimals_of_a_column_are_as_many_in_every_row() -> None:
    table = Table(
        caption="", columns=("text", "score", "n"), rows=(("a", 0.8, 12.5), ("b", 0.12345, 3), ("c", "", 7.25))
    )
    assert [[table.shown(row, column) for column in (1, 2)] for row in table.rows] == [
        ["0.8000", "12.50"],
        ["0.1235", "3"],
        ["", "7.25"],
    ]
    assert [table.is_of_numbers(column) for column in range(3)] == [False, True, True]


def test_a_table_without_rows_is_its_heading() -> None:
    assert table_in_text(Table(caption="", columns=("a", "bc"), rows=())).splitlines() == ["a  bc", "-  --"]
