"""Pages on disk: the HTML that people open, and beside it the content that page and figures can be made from again."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TypedDict

from seedcorn.errors import DataError
from seedcorn.files import Json, write_text_whole
from seedcorn.report.figures import save_figure
from seedcorn.report.page import Figure, LinkedMap, Page, Section, Table, render

PAGE_NAME = "report.html"
CONTENT_NAME = "report.json"


class _SavedSection(TypedDict):
    title: str
    text: str
    contents: list[dict[str, dict[str, Json]]]


def write_page(page: Page, folder: Path) -> Path:
    """Write ``page`` as report.html with its content as report.json, and return the path of the HTML."""
    html = render(page)
    write_text_whole(folder / CONTENT_NAME, json.dumps(_as_json(page), ensure_ascii=False) + "\n")
    write_text_whole(folder / PAGE_NAME, html)
    return folder / PAGE_NAME


def read_page(folder: Path) -> Page:
    """Return the page that ``write_page`` wrote into ``folder``. Raises DataError when there is none."""
    path = folder / CONTENT_NAME
    try:
        saved = json.loads(path.read_text("utf-8"))
        return Page(
            title=saved["title"],
            lead=saved["lead"],
            summary=tuple((str(name), str(value)) for name, value in saved["summary"]),
            sections=tuple(_section(section) for section in saved["sections"]),
            signatures=tuple(saved["signatures"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(
            wanted="the folder of a finished run or study",
            found=f"no readable {CONTENT_NAME} ({error})",
            where=folder,
            fix="Run the same seedcorn command again: it goes on where it stopped.",
        ) from error


def save_figures(page: Page, folder: Path, *, ending: str) -> list[Path]:
    """Write every figure of ``page`` as ``figure-1.svg`` and so on (or .png), in page order; return the paths."""
    contents = [content for section in page.sections for content in section.contents]
    figures = [c.figure if isinstance(c, LinkedMap) else c for c in contents if not isinstance(c, Table)]
    paths = [folder / f"figure-{number}.{ending}" for number in range(1, len(figures) + 1)]
    for figure, path in zip(figures, paths, strict=True):
        save_figure(figure, path)
    return paths


def _as_json(page: Page) -> dict[str, Json]:
    sections: list[Json] = [
        {
            "title": section.title,
            "text": section.text,
            "contents": [{type(content).__name__: asdict(content)} for content in section.contents],
        }
        for section in page.sections
    ]
    return {
        "title": page.title,
        "lead": page.lead,
        "summary": [list(entry) for entry in page.summary],
        "sections": sections,
        "signatures": list(page.signatures),
    }


def _section(saved: _SavedSection) -> Section:
    contents = [_content(kind, value) for entry in saved["contents"] for kind, value in entry.items()]
    return Section(title=saved["title"], text=saved["text"], contents=tuple(contents))


def _content(kind: str, saved: dict[str, Json]) -> Table | Figure | LinkedMap:
    match kind, saved:
        case "Table", _:
            return _table(saved)
        case "Figure", {"caption": str(caption), "spec": dict(spec)}:
            return Figure(caption=caption, spec=spec)
        case "LinkedMap", {"figure": dict(figure), "table": dict(table), "points": list(points)}:
            made = _content("Figure", figure)
            if isinstance(made, Figure):
                return LinkedMap(figure=made, table=_table(table), points=tuple((x, y) for x, y in points))
    raise ValueError(f"unknown content {kind}")


def _table(saved: dict[str, Json]) -> Table:
    match saved:
        case {
            "caption": str(caption),
            "columns": list(columns),
            "rows": list(rows),
            "searchable": bool(searchable),
            "filter_column": str(filter_column),
            "percent_columns": list(percent_columns),
        } if _is_grid(columns, rows):
            return Table(
                caption=caption,
                columns=tuple(columns),
                rows=tuple(tuple(row) for row in rows),
                searchable=searchable,
                filter_column=filter_column,
                percent_columns=tuple(percent_columns),
                edited_columns=_names(saved.get("edited_columns")),
            )
    raise ValueError("a table without its parts")


def _names(saved: Json) -> tuple[str, ...]:
    """Return a list of names, none where a version before wrote none."""
    return tuple(map(str, saved)) if isinstance(saved, list) else ()


def _is_grid(columns: list[Json], rows: list[Json]) -> bool:
    """Tell whether every column has a name, and every row a text or a number in each."""
    return all(isinstance(name, str) for name in columns) and all(
        isinstance(row, list)
        and len(row) == len(columns)
        and all(isinstance(value, str | int | float) for value in row)
        for row in rows
    )
