"""Progress in lines: what is said, and that silence is broken."""

import time

import pytest

from seedcorn import progress
from seedcorn.progress import ProgressMode, say, showing_progress, track


def test_nothing_is_shown_unless_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    say("one")
    assert list(track([1, 2], "items")) == [1, 2]
    with showing_progress(ProgressMode.SILENT):
        say("two")
    assert capsys.readouterr().err == ""


def test_work_in_silence_is_seen_to_go_on(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "SECONDS_OF_SILENCE", 0.05)
    with showing_progress(ProgressMode.LINES):
        say("training: running")
        shown = ""
        for _ in range(1000):
            time.sleep(0.01)
            shown += capsys.readouterr().err
            if shown.count("still running") >= 2:
                break
    said, *others = shown.splitlines()
    assert said == "training: running"
    assert all(line.startswith("still running after ") and line.endswith("(training: running)") for line in others)
    assert len(others) >= 2
    time.sleep(0.2)
    assert "still running" not in capsys.readouterr().err.removeprefix(shown)
