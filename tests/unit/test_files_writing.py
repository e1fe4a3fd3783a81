import os
import stat
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from seedcorn.corpus.formats import write_corpus
from seedcorn.corpus.utterances import Corpus, Utterance
from seedcorn.errors import DataError
from seedcorn.files import write_text_whole, writing_whole, writing_whole_folder

needs_posix = pytest.mark.skipif(os.name == "nt", reason="POSIX files")


def test_a_link_is_followed_and_a_mode_is_kept(tmp_path: Path):
    target, link = tmp_path / "target.txt", tmp_path / "link.txt"
    target.write_text("before", encoding="utf-8")
    target.chmod(0o600)
    link.symlink_to(target)
    write_text_whole(link, "after")
    assert link.is_symlink()
    assert target.read_text("utf-8") == "after"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


@needs_posix
def test_devices_and_pipes_are_written_through(tmp_path: Path):
    null = Path(os.devnull)
    write_text_whole(null, "gone")
    assert null.is_char_device()
    pipe = tmp_path / "pipe.jsonl"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text("utf-8")))
    reader.start()
    write_corpus(Corpus.from_utterances([Utterance(text="a")]), pipe)
    reader.join(timeout=10)
    assert read == ['{"text": "a"}\n']
    assert pipe.is_fifo()


@needs_posix
def test_leftovers_of_dead_processes_are_swept_and_those_of_living_ones_not(tmp_path: Path):
    dead, living = tmp_path / ".999999999.partial.a.txt", tmp_path / ".1.partial.a.txt"
    for path in (dead, living):
        path.write_text("half", encoding="utf-8")
    write_text_whole(tmp_path / "a.txt", "whole")
    assert (dead.exists(), living.exists()) == (False, True)


def test_nothing_appears_when_the_block_fails(tmp_path: Path):
    def fail_half_way() -> None:
        with writing_whole(tmp_path / "a.txt") as partial:
            partial.write_text("half", encoding="utf-8")
            raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        fail_half_way()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_appears_whole_or_not_at_all_and_never_over_another(tmp_path: Path):
    leftover = tmp_path / ".999999999.partial.model"
    leftover.mkdir()

    def fail() -> None:
        with writing_whole_folder(tmp_path / "model") as partial:
            partial.mkdir()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []
    with writing_whole_folder(tmp_path / "model") as partial:
        partial.mkdir()
        (partial / "a").write_text("a", encoding="utf-8")
    assert [path.name for path in tmp_path.rglob("*")] == ["model", "a"]
    with pytest.raises(DataError, match="there already"), writing_whole_folder(tmp_path / "model"):
        pass


@needs_posix
@pytest.mark.parametrize("name", ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_standard_output_is_written_on_from_where_it_is(name: str, capfd: pytest.CaptureFixture[str]):
    if name != "-" and not Path(name).exists():
        pytest.skip("no such name here")
    os.write(1, b"before\n")
    assert write_corpus(Corpus.from_utterances([Utterance(text="a")]), name) == 1
    os.write(1, b"after\n")
    assert capfd.readouterr().out == 'before\n{"text": "a"}\nafter\n'
    assert not Path("-").exists()


@needs_posix
def test_a_folder_is_not_written_to_a_stream():
    with pytest.raises(DataError, match="a stream"):
        write_corpus(Corpus.from_utterances([Utterance(text="a")]), "-", format="slot-folder")


def test_a_folder_is_not_written_over(tmp_path: Path):
    with pytest.raises(DataError, match="wanted a file to write, found a folder"):
        write_text_whole(tmp_path, "text")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("writing", [writing_whole, writing_whole_folder])
def test_where_nothing_can_be_made_the_file_is_named_before_anything_is_written(
    tmp_path: Path, writing: Callable[[Path], AbstractContextManager[Path]]
) -> None:
    path = tmp_path / ("a" * 250)  # the temporary name is longer than any
    with pytest.raises(OSError, match="too long") as caught, writing(path):
        pytest.fail("the block was entered")
    assert caught.value.filename == str(path)
    assert list(tmp_path.iterdir()) == []
