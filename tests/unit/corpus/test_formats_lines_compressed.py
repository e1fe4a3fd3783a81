"""A file whose name says that it is compressed is, or is refused: what is left of a damaged one looks like nothing."""

from pathlib import Path

import pytest

from seedcorn.corpus.formats.lines import read_bytes
from seedcorn.errors import DataError


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.txt.GZ", "a.tsv.zst"])
@pytest.mark.parametrize("content", [b"", b"\x1f", b"\x1f\xe2\x80\xa8", b"plain text"])
def test_another_beginning_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match="as its name says"):
        read_bytes(tmp_path / name)
