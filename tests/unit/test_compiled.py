"""Compiled functions: what numba cached of one version is not taken for the next."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numba
import numpy as np
import pytest
from numba.typed import List

import seedcorn
from seedcorn.compiled import borrowed, code_digest, njit

PACKAGE = Path(seedcorn.__file__).parent
TABLES = """
from typing import NamedTuple
from seedcorn.compiled import njit

class Tables(NamedTuple):
    offset: int

@njit(cache=True)
def shifted(tables, x):
    return x + tables.offset * {factor}
"""
KERNEL = """
from seedcorn.compiled import njit
from seedcorn.{module} import Tables, shifted

@njit(cache=True)
def kernel(tables, x):
    return shifted(tables, x)

print(kernel(Tables(10), 1), kernel.stats.cache_hits.total())
"""


def write(package: Path, *, module: str, factor: int) -> None:
    (package / f"{module}.py").write_text(TABLES.format(factor=factor), "utf-8")
    (package / "kernel.py").write_text(KERNEL.format(module=module), "utf-8")


def run(package: Path) -> str:
    command = [sys.executable, "-c", "import seedcorn.kernel"]
    done = subprocess.run(command, cwd=package.parent, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_an_upgrade_in_place_takes_nothing_from_the_cache_of_the_version_before(tmp_path: Path) -> None:
    package = tmp_path / "seedcorn"
    package.mkdir()
    (package / "__init__.py").touch()
    shutil.copy(PACKAGE / "compiled.py", package)
    write(package, module="folding", factor=1)
    assert run(package) == "11 0"
    assert run(package) == "11 1"  # the cache is used as long as nothing changes
    (package / "folding.py").write_text(TABLES.format(factor=2), "utf-8")
    assert run(package).startswith("21 ")  # the function beside it is another now
    (package / "folding.py").unlink()
    write(package, module="normalising", factor=3)
    assert run(package).startswith("31 ")  # the type's module is gone


def test_every_compiled_function_is_of_the_package_s_own_decorator() -> None:
    files = [path for path in PACKAGE.rglob("*.py") if path.name != "compiled.py"]
    own = [path for path in files if "njit" in (code := path.read_text("utf-8")) and "from seedcorn.compiled" in code]
    assert [path.name for path in files if "njit" in path.read_text("utf-8") and path not in own] == []
    assert len(own) > 20
    assert len(code_digest()) == 12


def test_a_borrowed_array_is_the_same_memory_without_counting_references() -> None:
    @njit
    def set_first(array):  # type: ignore[no-untyped-def]
        mine = borrowed(array)
        mine[0] = 7.0
        return mine[1:].sum()

    array = np.arange(4.0)
    before = sys.getrefcount(array)
    assert [set_first(array) for _ in range(100)] == [6.0] * 100
    assert array.tolist() == [7.0, 1.0, 2.0, 3.0]
    assert sys.getrefcount(array) == before


def test_only_arrays_are_borrowed() -> None:
    @njit
    def borrow(number):  # type: ignore[no-untyped-def]
        return borrowed(number)

    with pytest.raises(numba.core.errors.TypingError):
        borrow(3)


def test_a_tuple_is_borrowed_with_the_arrays_in_it() -> None:
    class Inner(NamedTuple):
        weights: np.ndarray
        words: List

    class Outer(NamedTuple):
        numbers: np.ndarray
        inner: Inner
        factor: float

    @njit
    def total(outer):  # type: ignore[no-untyped-def]
        mine = borrowed(outer)
        mine.numbers[0] = 1.0
        return mine.factor * (mine.numbers.sum() + mine.inner.weights.sum()) + len(mine.inner.words)

    outer = Outer(np.zeros(3), Inner(np.ones(2), List([np.zeros(1), np.zeros(1)])), 2.0)
    before = sys.getrefcount(outer.numbers), sys.getrefcount(outer.inner.weights)
    assert [total(outer) for _ in range(50)] == [8.0] * 50
    assert (sys.getrefcount(outer.numbers), sys.getrefcount(outer.inner.weights)) == before
    assert [row.tolist() for row in outer.inner.words] == [[0.0], [0.0]]
