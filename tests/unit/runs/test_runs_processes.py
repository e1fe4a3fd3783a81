"""A stage made ahead: done when it is asked for, with the same bytes; what fails there fails again where it is seen."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import pytest

from seedcorn.errors import DataError
from seedcorn.input_files import digest_of_folder
from seedcorn.runs import Context, Run, Stage


@dataclass(frozen=True)
class Process:
    """The process that made it, and whether it had what it needs."""

    number: int

    @property
    def counts(self) -> dict[str, int]:
        return {}

    def save(self, folder: Path) -> None:
        (folder / "number").write_text(str(self.number), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        return cls(int((folder / "number").read_text("utf-8")))


class Zero(Stage[Process]):
    stage_name: ClassVar[str] = "zero"

    def __call__(self, *, context: Context) -> Process:
        return Process(0)


class OwnProcess(Stage[Process]):
    stage_name: ClassVar[str] = "own"

    add: int = 0

    def __call__(self, zero: Process, *, context: Context) -> Process:
        return Process(os.getpid() + zero.number + self.add)


class Refused(Stage[Process]):
    stage_name: ClassVar[str] = "refused"

    def __call__(self, *, context: Context) -> Process:
        raise DataError(wanted="anything", found="nothing")


class Endless(Stage[Process]):
    stage_name: ClassVar[str] = "endless"

    def __call__(self, *, context: Context) -> Process:
        time.sleep(600)
        return Process(0)


@pytest.fixture(autouse=True)
def _two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


def test_it_is_made_in_another_process_and_found_done(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run = Run(folder=tmp_path, random_seed=1, n_threads=2, starts_processes=True)
    zero = run.do(Zero())
    with run.ahead(OwnProcess(), zero):
        between = run.do(Zero(), name="between")
    made = run.do(OwnProcess(), zero)
    assert made.value.number != os.getpid()
    assert between.value.number == 0
    assert (tmp_path / "seconds.json").read_text("utf-8").count(":") == 3
    with run.ahead(OwnProcess(), zero):
        assert digest_of_folder(made.folder) == made.record.output_digest
    assert run.do(OwnProcess(), zero).value == made.value
    with run.ahead(OwnProcess(add=1), zero):
        pass
    assert run.do(OwnProcess(add=1), zero).value != made.value
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("n_threads", "starts_processes"), [(1, True), (2, False)])
def test_else_nothing_is_made_ahead(tmp_path: Path, n_threads: int, starts_processes: bool) -> None:
    run = Run(folder=tmp_path, random_seed=1, n_threads=n_threads, starts_processes=starts_processes)
    zero = run.do(Zero())
    with run.ahead(OwnProcess(), zero):
        pass
    assert run.do(OwnProcess(), zero).value.number == os.getpid()


def test_what_fails_ahead_fails_again_where_it_is_seen(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run = Run(folder=tmp_path, random_seed=1, n_threads=2, starts_processes=True)
    with run.ahead(Refused()):
        pass
    with pytest.raises(DataError, match="nothing"):
        run.do(Refused())
    assert capfd.readouterr().err == ""


def test_an_error_in_the_block_does_not_wait_for_it(tmp_path: Path) -> None:
    def fail(run: Run) -> None:
        with run.ahead(Endless()):
            run.do(Refused())

    with pytest.raises(DataError, match="nothing"):
        fail(Run(folder=tmp_path, random_seed=1, n_threads=2, starts_processes=True))
    assert not (tmp_path / "endless").exists()
