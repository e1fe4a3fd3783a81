"""The tables of the README are those of the committed results, and every result says where it comes from."""

import json
import runpy
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
RESULTS = sorted((REPOSITORY / "benchmarks" / "results").glob("*.json"))


def checked(script: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return what ``script --check`` returns, run in this process: what it imports is there already."""
    monkeypatch.setattr(sys, "argv", [script, "--check"])
    monkeypatch.syspath_prepend(str((REPOSITORY / script).parent))  # where scripts find each other
    return int(runpy.run_path(str(REPOSITORY / script))["main"]())


def test_the_tables_of_the_readme_are_made_from_the_results(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checked("benchmarks/readme_tables.py", monkeypatch) == 0


def test_the_reference_pages_are_what_the_code_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checked("docs/reference_pages.py", monkeypatch) == 0


@pytest.mark.parametrize("path", RESULTS, ids=lambda p: p.stem)
def test_every_result_has_signature_command_machine_rows_and_summary(path: Path) -> None:
    result = json.loads(path.read_text("utf-8"))
    assert {"signature", "command", "machine", "rows", "summary"} <= set(result)
    assert result["rows"]
    assert result["summary"]
    script = result["command"].split()[1]
    if script.endswith(".py"):
        assert (REPOSITORY / script).exists()
