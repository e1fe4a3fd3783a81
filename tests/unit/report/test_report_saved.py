"""A saved report that was damaged is refused, whatever stands where a table should."""

import json
from pathlib import Path

import pytest

from seedcorn.errors import DataError
from seedcorn.report.page import Page, Section, Table
from seedcorn.report.saved import CONTENT_NAME, read_page, write_page


@pytest.mark.parametrize("contents", [[True], [[]], ["x"], 3, None, [{"Unknown": {}}]])
def test_contents_of_no_kind_are_refused(tmp_path: Path, contents: object) -> None:
    section = {"title": "s", "text": "x", "contents": contents}
    page = {"title": "t", "lead": "l", "summary": [], "sections": [section], "signatures": []}
    (tmp_path / CONTENT_NAME).write_text(json.dumps(page), "utf-8")
    with pytest.raises(DataError, match="finished run"):
        read_page(tmp_path)


def test_a_table_is_read_as_it_was_written_and_from_versions_without_edits(tmp_path: Path) -> None:
    table = Table(caption="c", columns=("a",), rows=(("[-x-]",),), percent_columns=("b",), edited_columns=("a",))
    page = Page(title="t", summary=(), sections=(Section(title="s", contents=(table,)),), signatures=())
    write_page(page, tmp_path)
    assert read_page(tmp_path) == page
    saved = (tmp_path / CONTENT_NAME).read_text("utf-8")
    (tmp_path / CONTENT_NAME).write_text(saved.replace(', "edited_columns": ["a"]', ""), "utf-8")
    (section,) = read_page(tmp_path).sections
    assert [t.edited_columns for t in section.contents if isinstance(t, Table)] == [()]


def test_a_page_nested_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / CONTENT_NAME).write_text("[" * 100_000, "utf-8")
    with pytest.raises(DataError, match="no readable report.json"):
        read_page(tmp_path)
