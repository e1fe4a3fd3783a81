"""Stages as settings plus a call: what is in a fingerprint, what is shared, what is made again."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import pytest

from seedcorn.input_files import InputFile
from seedcorn.runs import Context, Run, Stage


@dataclass(frozen=True)
class Text:
    text: str

    @property
    def counts(self) -> dict[str, int]:
        return {"n_characters": len(self.text)}

    def save(self, folder: Path) -> None:
        (folder / "text.txt").write_text(self.text, "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        return cls((folder / "text.txt").read_text("utf-8"))


MADE: list[str] = []


class Read(Stage[Text]):
    """Read a file."""

    stage_name: ClassVar[str] = "read"
    is_random: ClassVar[bool] = False
    file: InputFile

    def __call__(self, *, context: Context) -> Text:
        MADE.append("read")
        return Text(self.file.path.read_text("utf-8"))


class Repeat(Stage[Text]):
    """Repeat a text."""

    stage_name: ClassVar[str] = "repeat"
    n_times: int = 2

    def __call__(self, text: Text, *, context: Context) -> Text:
        MADE.append("repeat")
        return Text(text.text * self.n_times)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    MADE.clear()
    path = tmp_path / "source.txt"
    path.write_text("one", "utf-8")
    return path


def done(run: Run, source: Path, **settings: int) -> str:
    return run.do(Repeat(**settings), run.do(Read(file=InputFile.at(source)))).value.text


def test_a_stage_is_made_once_and_again_when_its_settings_or_the_content_of_its_files_change(
    source: Path, tmp_path: Path
) -> None:
    run = Run(folder=tmp_path / "run", random_seed=1)
    run.folder.mkdir()
    assert [done(run, source), done(run, source)] == ["oneone", "oneone"]
    assert MADE == ["read", "repeat"]
    assert done(run, source, n_times=3) == "oneoneone"
    assert MADE == ["read", "repeat", "repeat"]
    source.write_text("two", "utf-8")
    assert done(run, source, n_times=3) == "twotwotwo"
    assert MADE[3:] == ["read", "repeat"]


def test_a_file_elsewhere_of_equal_content_is_the_same(source: Path, tmp_path: Path) -> None:
    run = Run(folder=tmp_path / "run", random_seed=1)
    run.folder.mkdir()
    done(run, source)
    moved = tmp_path / "moved.txt"
    source.rename(moved)
    assert done(run, moved) == "oneone"
    assert MADE == ["read", "repeat"]


def test_runs_with_a_store_share_what_is_equal_and_random_stages_only_with_their_seed(
    source: Path, tmp_path: Path
) -> None:
    for number, random_seed in enumerate((1, 1, 2)):
        run = Run(folder=tmp_path / str(number), random_seed=random_seed, store=tmp_path / "store")
        run.folder.mkdir()
        done(run, source)
    assert MADE == ["read", "repeat", "repeat"]


def test_what_will_be_made_again_is_told_before(source: Path, tmp_path: Path) -> None:
    run = Run(folder=tmp_path / "run", random_seed=1)
    run.folder.mkdir()
    done(run, source)
    read = Read(file=InputFile.at(source))
    assert run.to_be_redone({"read": read, "repeat": Repeat()}) == []
    assert run.to_be_redone({"read": read, "repeat": Repeat(n_times=5)}) == ["repeat"]
    source.write_text("two", "utf-8")
    assert run.to_be_redone({"read": read, "repeat": Repeat()}) == ["read", "repeat"]


def test_a_stage_alone_is_the_python_api() -> None:
    assert Repeat(n_times=3)(Text("a"), context=Context()).text == "aaa"
