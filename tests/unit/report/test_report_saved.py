"""A saved report that was damaged is refused, whatever stands where a table should."""

import json
from pathlib import Path

import pytest

from seedcorn.errors import DataError
from seedcorn.report.saved import CONTENT_NAME, read_page


@pytest.mark.parametrize("contents", [[True], [[]], ["x"], 3, None, [{"Unknown": {}}]])
def test_contents_of_no_kind_are_refused(tmp_path: Path, contents: object) -> None:
    section = {"title": "s", "text": "x", "contents": contents}
    page = {"title": "t", "lead": "l", "summary": [], "sections": [section], "signatures": []}
    (tmp_path / CONTENT_NAME).write_text(json.dumps(page), "utf-8")
    with pytest.raises(DataError, match="finished run"):
        read_page(tmp_path)
