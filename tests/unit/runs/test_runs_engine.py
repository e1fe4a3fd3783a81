import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from seedcorn.errors import DataError
from seedcorn.files import digest_of_folder, writing_whole
from seedcorn.runs import Run, StageFolder, open_run, read_record

TWO_STAGES = """
import os, sys, time
from pathlib import Path
from seedcorn.runs import open_run

pause_in = sys.argv[2]

def write(folders, name):
    for i in range(3):
        (folders.output / f"{name}{i}.txt").write_text(name * 1000)
        if pause_in == f"{name}{i}":
            print("paused", flush=True)
            time.sleep(60)
    return {"n_in": 3, "n_kept": 3, "n_rejected": 0}

with open_run(Path(sys.argv[1]), random_seed=1, resolved_config="a: 1\\n") as run:
    first = run.stage("first", lambda f: write(f, "a"), settings={}, inputs={})
    run.stage("second", lambda f: write(f, "b"), settings={}, inputs={"first": first.output_digest})
"""


def run_two_stages(folder: Path, pause_in: str = "") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", TWO_STAGES, str(folder), pause_in], stdout=subprocess.PIPE, text=True
    )


def stage_bytes(folder: Path) -> dict[str, bytes]:
    files = (p for p in folder.rglob("*") if p.is_file() and p.name not in ("seconds.json", ".lock"))
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}


def test_a_run_killed_in_any_stage_ends_with_the_same_bytes(tmp_path: Path) -> None:
    assert run_two_stages(tmp_path / "straight").wait() == 0
    for pause_in in ("a1", "b0", "b2"):
        folder = tmp_path / pause_in
        process = run_two_stages(folder, pause_in)
        assert process.stdout is not None
        assert process.stdout.readline() == "paused\n"
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert run_two_stages(folder).wait() == 0
        assert stage_bytes(folder) == stage_bytes(tmp_path / "straight")


@pytest.fixture
def counting_run(tmp_path: Path) -> tuple[Run, list[str]]:
    return Run(folder=tmp_path, random_seed=1), []


def run_stage(counting: tuple[Run, list[str]], *, setting: int) -> str:
    run, calls = counting

    def work(folders: StageFolder) -> dict[str, int]:
        calls.append(f"{setting}")
        (folders.output / "out").write_text(f"{setting}")
        return {"n_in": 1}

    return run.stage("s", work, settings={"setting": setting}, inputs={}).fingerprint


def test_a_stage_runs_again_only_when_its_fingerprint_changes(counting_run: tuple[Run, list[str]]) -> None:
    run_stage(counting_run, setting=1)
    run_stage(counting_run, setting=1)
    run_stage(counting_run, setting=2)
    run, calls = counting_run
    assert calls == ["1", "2"]
    assert (run.folder / "s" / "out").read_text() == "2"


def test_a_file_that_merely_exists_does_not_count_as_done(counting_run: tuple[Run, list[str]]) -> None:
    run, calls = counting_run
    (run.folder / "s").mkdir()
    (run.folder / "s" / "out").write_text("half of it")
    run_stage(counting_run, setting=1)
    assert calls == ["1"]
    assert (run.folder / "s" / "out").read_text() == "1"


def test_a_failing_stage_leaves_no_folder(tmp_path: Path) -> None:
    def fail(folders: StageFolder) -> dict[str, int]:
        (folders.output / "out").write_text("x")
        raise OSError(28, "Error writing bytes to file")

    with pytest.raises(OSError, match="No space left on device") as raised:
        Run(folder=tmp_path, random_seed=1).stage("s", fail, settings={}, inputs={})
    assert raised.value.filename == str(tmp_path / "s")
    assert read_record(tmp_path / "s") is None
    assert not (tmp_path / "s").exists()


def test_checkpoints_survive_an_interruption_and_vanish_when_done(tmp_path: Path) -> None:
    run = Run(folder=tmp_path, random_seed=1)

    def interrupted(folders: StageFolder) -> dict[str, int]:
        (folders.checkpoints / "step1").write_text("x")
        raise KeyboardInterrupt

    def resumed(folders: StageFolder) -> dict[str, int]:
        return {"n_found": len(list(folders.checkpoints.iterdir()))}

    with pytest.raises(KeyboardInterrupt):
        run.stage("s", interrupted, settings={}, inputs={})
    assert run.stage("s", resumed, settings={}, inputs={}).counts == {"n_found": 1}
    assert run.stage("s", resumed, settings={"other": 1}, inputs={}).counts == {"n_found": 0}


def test_a_folder_with_other_things_is_never_taken_for_a_run(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    with (
        pytest.raises(DataError, match="something else there"),
        open_run(tmp_path, random_seed=1, resolved_config=""),
    ):
        pass


def test_two_processes_cannot_use_one_run_folder(tmp_path: Path) -> None:
    with (
        open_run(tmp_path / "r", random_seed=1, resolved_config=""),
        pytest.raises(DataError, match="another seedcorn process"),
        open_run(tmp_path / "r", random_seed=1, resolved_config=""),
    ):
        pass


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    with pytest.raises(OSError, match="No space left on device: .*a.txt"), writing_whole(target) as partial:
        write_half(partial)
    assert list(tmp_path.iterdir()) == []


def test_the_digest_of_a_folder_depends_on_names_and_bytes_only(tmp_path: Path) -> None:
    for name, order in (("one", "ab"), ("two", "ba")):
        (tmp_path / name).mkdir()
        for file in order:
            (tmp_path / name / file).write_text(file)
    assert digest_of_folder(tmp_path / "one") == digest_of_folder(tmp_path / "two")
    (tmp_path / "two" / "a").write_text("changed")
    assert digest_of_folder(tmp_path / "one") != digest_of_folder(tmp_path / "two")


def write_half(path: Path) -> None:
    path.write_text("half")
    raise OSError(28, "Error writing bytes to file")
