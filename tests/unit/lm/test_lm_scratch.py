"""Arrays on disk: there for sure, or an error."""

import errno
import io
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest

from seedcorn.lm import scratch
from seedcorn.lm.scratch import GrowingArray, array_on_disk, let_go, new_array


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


@pytest.mark.parametrize("most_in_memory", [0, 40, 1000])
def test_a_growing_array_holds_what_was_appended_in_memory_or_on_disk(
    most_in_memory: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scratch, "_MOST_BYTES_IN_MEMORY", most_in_memory)
    growing = GrowingArray(np.int32, folder=tmp_path)
    for end in range(1, 8):
        growing.append(np.arange(end))
        assert growing.array()[-end:].tolist() == list(range(end))
    assert len(growing) == 28
    assert growing.finished().tolist() == [i for end in range(1, 8) for i in range(end)]
    assert list(tmp_path.iterdir()) == []


def test_a_growing_array_without_a_folder_stays_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "_MOST_BYTES_IN_MEMORY", 0)
    monkeypatch.setattr(tempfile, "TemporaryFile", None)
    growing = GrowingArray(np.float32, folder=None)
    growing.append(np.ones(3))
    assert growing.array().tolist() == [1, 1, 1]
    assert new_array(3, np.int8, folder=None).shape == (3,)


def test_a_disk_that_fills_is_an_error_that_names_the_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class FullDisk(io.BytesIO):
        def write(self, _: object) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(scratch, "_MOST_BYTES_IN_MEMORY", 0)
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda dir: FullDisk())
    with pytest.raises(OSError, match=str(tmp_path)) as caught:
        GrowingArray(np.int32, folder=tmp_path).append(np.ones(3))
    assert caught.value.errno == errno.ENOSPC


def test_nothing_is_lost_of_arrays_let_go_of(tmp_path: Path) -> None:
    shared = array_on_disk(5000, np.int64, folder=tmp_path)
    shared[:] = np.arange(5000)
    path = tmp_path / "file"
    path.write_bytes(bytes(4000))
    private = np.memmap(path, np.uint8, "c")
    private[:] = 7
    alone = np.arange(10)
    let_go(shared, shared[1000:1010], shared[:0], private, np.asarray(private)[3:], alone)
    assert shared.tolist() == list(range(5000))
    assert (private == 7).all()
    assert alone.tolist() == list(range(10))


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="nothing tells what is in memory")
def test_arrays_let_go_of_take_no_memory(tmp_path: Path) -> None:
    def megabytes() -> int:
        lines = [line.split() for line in Path("/proc/self/status").read_text("utf-8").splitlines()]
        return sum(int(line[1]) for line in lines if line[0] in ("RssFile:", "RssShmem:")) >> 10

    array = array_on_disk(64 << 20, np.uint8, folder=tmp_path)
    array[:] = 1
    before = megabytes()
    let_go(array)
    assert megabytes() <= before - 60
    assert array.sum() == 64 << 20
