"""Tables as plain text, for the command line."""

from rich.cells import cell_len

from seedcorn.report.page import Table


def table_in_text(table: Table) -> str:
    """Return the table in aligned columns, numbers to the right."""
    rows = [[table.shown(row, column) for column in range(len(table.columns))] for row in table.rows]
    widths = [max(map(cell_len, column)) for column in zip(table.columns, *rows, strict=True)]
    to_the_right = [table.is_of_numbers(column) for column in range(len(table.columns))]

    def line(cells: list[str]) -> str:
        padding = [" " * (width - cell_len(cell)) for cell, width in zip(cells, widths, strict=True)]
        aligned = [
            space + cell if right else cell + space
            for cell, space, right in zip(cells, padding, to_the_right, strict=True)
        ]
        return "  ".join(aligned).rstrip()

    return "\n".join(map(line, [list(table.columns), ["-" * width for width in widths], *rows]))
