"""The names that `import seedcorn` shows: there, documented, and loaded on first use only."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import seedcorn


@pytest.mark.parametrize("name", [name for name in dir(seedcorn) if not name.startswith("_")])
def test_every_public_name_is_there_and_says_what_it_is(name: str) -> None:
    assert inspect.getdoc(getattr(seedcorn, name))


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        seedcorn.nothing  # noqa: B018  (the access is what is tested)


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import seedcorn, sys; print(sorted({'numpy', 'torch', 'pyarrow', 'numba'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, encoding="utf-8")
    assert found.stdout.strip() == "[]"


def test_type_checkers_see_the_same_names() -> None:
    stub = (Path(seedcorn.__file__).with_suffix(".pyi")).read_text("utf-8")
    seen = set(re.findall(r"^from (\S+) import (\w+) as \2$", stub, re.MULTILINE))
    assert seen == {(home, name) for name, home in seedcorn._HOMES.items()}
