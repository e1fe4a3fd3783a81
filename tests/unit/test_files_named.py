"""Files that settings name: one that cannot be there is not there."""

from pathlib import Path

import pytest

from seedcorn.errors import ConfigError
from seedcorn.input_files import InputFile


@pytest.mark.parametrize("name", ["none", "n" * 5_000])
def test_what_is_not_there_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="nothing there"):
        InputFile.at(name, relative_to=tmp_path)
