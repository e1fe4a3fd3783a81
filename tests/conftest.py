"""Where the real data are, and what every test may use."""

import os
from pathlib import Path

import hypothesis
import pytest

# The same examples in every run: a test that fails fails for everybody.
hypothesis.settings.register_profile("repeatable", derandomize=True)
hypothesis.settings.load_profile("repeatable")

REPOSITORY = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the real data sets; tests that ask for it skip where it is absent."""
    folder = Path(os.environ.get("SEEDCORN_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}: set SEEDCORN_DATA")
    return folder
