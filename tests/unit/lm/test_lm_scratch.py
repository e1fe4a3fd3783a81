"""Arrays on disk: there for sure, or an error."""

import errno
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest

from seedcorn.lm import scratch
from seedcorn.lm.scratch import array_on_disk


def test_an_array_on_disk_is_like_any_other(tmp_path: Path) -> None:
    array = array_on_disk(5, np.int64, folder=tmp_path)
    array[:] = np.arange(5)
    assert (array.shape, array.dtype, array.tolist()) == ((5,), np.dtype(np.int64), [0, 1, 2, 3, 4])
    assert array_on_disk(0, np.float32, folder=tmp_path).shape == (0,)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "statvfs"), reason="no sizes of disks")
def test_more_than_the_disk_has_is_an_error_not_a_signal(tmp_path: Path) -> None:
    free = os.statvfs(tmp_path)
    too_much = 2 * free.f_blocks * free.f_frsize
    with pytest.raises(OSError, match=str(tmp_path)) as caught:
        array_on_disk(too_much, np.uint8, folder=tmp_path)
    assert caught.value.errno in (errno.ENOSPC, errno.EFBIG)


def test_space_is_reserved_where_the_system_cannot_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "posix_fallocate", raising=False)
    monkeypatch.setattr(scratch, "_BYTES_PER_WRITE", 7)
    with tempfile.TemporaryFile(dir=tmp_path) as file:
        scratch.reserve(file, 40)
        assert os.fstat(file.fileno()).st_size == 40
