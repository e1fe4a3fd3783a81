"""What is kept from run to run of a machine."""

from pathlib import Path

import pytest

from seedcorn.user_cache import cache_folder, kept_text


def test_the_folder_is_that_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SEEDCORN_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.setenv("SEEDCORN_CACHE", "")
    assert cache_folder() is None
    monkeypatch.delenv("SEEDCORN_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "seedcorn"


def test_a_text_is_made_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SEEDCORN_CACHE", str(tmp_path / "cache"))
    made: list[str] = []

    def make() -> str:
        made.append("x")
        return "न\n"

    assert [kept_text("a.js", make), kept_text("a.js", make)] == ["न\n", "न\n"]
    assert kept_text("b.js", make) == "न\n"
    assert len(made) == 2


def test_without_a_cache_or_with_one_that_cannot_be_written_a_text_is_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SEEDCORN_CACHE", "")
    assert kept_text("a.js", lambda: "1") == "1"
    (tmp_path / "file").write_text("no folder", "utf-8")
    monkeypatch.setenv("SEEDCORN_CACHE", str(tmp_path / "file"))
    assert kept_text("a.js", lambda: "2") == "2"
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "a.js").write_bytes(b"\xff")
    monkeypatch.setenv("SEEDCORN_CACHE", str(tmp_path / "damaged"))
    assert kept_text("a.js", lambda: "3") == "3"
