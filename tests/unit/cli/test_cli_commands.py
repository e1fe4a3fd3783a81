"""Commands that are declared as dataclasses: options by inheritance, no input written over, nothing heavy at start."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.core import TyperCommand, TyperGroup

import seedcorn.cli
from seedcorn.cli.commands import command_of, refuse_to_lose_inputs
from seedcorn.cli.options import InputFile, OutputFile, Shown
from seedcorn.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Options(Shown):
    source: InputFile
    output: OutputFile
    others: Annotated[list[Path] | None, typer.Option(exists=True)] = None
    rejects: Annotated[Path | None, typer.Option()] = None
    spill: Annotated[Path | None, typer.Option(exists=True, writable=True)] = None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("play\n", "utf-8")
    return tmp_path


def test_own_options_come_before_inherited_ones_and_reach_the_function(folder: Path) -> None:
    found: list[Options] = []

    def keep(options: Options) -> None:
        """Do nothing."""
        found.append(options)

    app = typer.Typer()
    app.command()(command_of(keep))
    app([str(folder / "a.txt"), "-o", str(folder / "c.txt"), "--quiet"], standalone_mode=False)
    assert found == [Options(source=folder / "a.txt", output=folder / "c.txt", quiet=True)]
    names = [option.name for option in typer.main.get_command(app).params]
    assert names[:3] == ["source", "output", "others"]
    assert names.index("quiet") > names.index("spill")


def test_no_path_that_is_read_or_written_already_is_written(folder: Path) -> None:
    a, b, new = folder / "a.txt", folder / "b.txt", folder / "new.txt"
    refuse_to_lose_inputs(Options(source=a, output=new, others=[b], spill=folder))
    for wrong in (
        Options(source=a, output=a),
        Options(source=a, output=b, others=[b]),
        Options(source=a, output=new, rejects=new),
        Options(source=a, output=new, rejects=a),
        Options(source=folder, output=b),
    ):
        with pytest.raises(ConfigError, match="another file to write"):
            refuse_to_lose_inputs(wrong)
    null = Path("/dev/null")
    refuse_to_lose_inputs(Options(source=a, output=null, rejects=null))
    refuse_to_lose_inputs(Options(source=Path("-"), output=Path("-")))


def test_the_command_line_starts_without_the_heavy_packages() -> None:
    code = (
        "import seedcorn.cli, sys; print(*sorted(set(sys.modules) & {'numpy', 'pyarrow', 'numba', 'sklearn', 'torch'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=True)
    assert done.stdout.strip() == ""


def test_every_command_takes_quiet_and_all_but_those_of_lines_json() -> None:
    def options(command: TyperCommand | TyperGroup, path: tuple[str, ...] = ()) -> Iterator[tuple[str, set[str]]]:
        if isinstance(command, TyperGroup):
            for name, below in command.commands.items():
                yield from options(below, (*path, name))
        else:
            yield " ".join(path), {option for parameter in command.params for option in parameter.opts}

    found = dict(options(typer.main.get_command(seedcorn.cli.app)))
    assert {"intent", "lm info", "speech terms"} <= set(found)
    assert [name for name, own in found.items() if "--quiet" not in own] == []
    assert sorted(name for name, own in found.items() if "--json" not in own) == ["lm score", "nlu predict"]
