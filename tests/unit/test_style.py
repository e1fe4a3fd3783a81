"""Sizes: what a reader can hold in mind. Functions, their parameters, and files."""

import ast
import functools
import math
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PACKAGE = REPOSITORY / "src" / "seedcorn"
MOST_LINES, MOST_LINES_OF_NINE_IN_TEN, MOST_PARAMETERS, MOST_LINES_OF_A_FILE = 60, 20, 8, 250

Function = ast.FunctionDef | ast.AsyncFunctionDef


@functools.cache
def functions() -> tuple[tuple[str, Function], ...]:
    return tuple(
        (f"{path.relative_to(PACKAGE).as_posix()} {node.name}", node)
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, Function)
    )


def n_lines(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def n_parameters(function: Function) -> int:
    given = function.args
    named = [a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return len([name for name in named if name not in ("self", "cls")]) + bool(given.vararg) + bool(given.kwarg)


def test_no_function_is_long_and_nine_in_ten_are_short() -> None:
    sizes = sorted((n_lines(function), name) for name, function in functions())
    assert [found for found in sizes if found[0] > MOST_LINES] == []
    assert sizes[math.ceil(0.9 * len(sizes)) - 1][0] <= MOST_LINES_OF_NINE_IN_TEN


def test_what_has_many_settings_takes_them_as_one() -> None:
    assert {name for name, function in functions() if n_parameters(function) > MOST_PARAMETERS} == set()


def test_files_are_short() -> None:
    lengths = {path.name: len(path.read_text("utf-8").splitlines()) for path in PACKAGE.rglob("*.py")}
    assert {name: n for name, n in lengths.items() if n > MOST_LINES_OF_A_FILE} == {}


def without_encoding(path: Path) -> Iterator[str]:
    """Yield the calls that read or write text as the locale says; ruff finds those of ``open``."""
    code = path.read_text("utf-8")
    if not any(word in code for word in ("read_text", "write_text", "text=")):
        return
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.Call) or any(k.arg in ("encoding", None) for k in node.keywords):
            continue
        n_before = {"read_text": 0, "write_text": 1}.get(node.func.attr if isinstance(node.func, ast.Attribute) else "")
        is_text = any(k.arg == "text" and isinstance(k.value, ast.Constant) and k.value.value for k in node.keywords)
        of_process = is_text and any(k.arg in ("stdout", "capture_output") for k in node.keywords)
        if (n_before is not None and len(node.args) <= n_before) or of_process:
            yield f"{path.relative_to(REPOSITORY).as_posix()}:{node.lineno}"


def test_no_text_depends_on_the_locale() -> None:
    folders = ("src", "tests", "benchmarks", "docs")
    files = [path for folder in folders for path in sorted((REPOSITORY / folder).rglob("*.py"))]
    assert [call for path in files for call in without_encoding(path)] == []
