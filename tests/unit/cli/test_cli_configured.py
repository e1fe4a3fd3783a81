"""The commands with a configuration: where their runs are, what is saved there, and what is printed."""

import json
from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import pytest
import yaml

from seedcorn.cli import run
from seedcorn.cli.demo import DemoPart, make_part
from seedcorn.config import Settings
from seedcorn.progress import ProgressMode, say
from seedcorn.runs import Run


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Settings, Path]]:
    """All pipelines replaced by one that notes its configuration and its run folder, and leaves a training set."""
    seen: list[tuple[Settings, Path]] = []

    def pipeline(config: Settings, *, run: Run) -> Path:
        seen.append((config, run.folder))
        say("at work")
        (run.folder / "training").mkdir(exist_ok=True)
        (run.folder / "training" / "training-set.jsonl").write_text('{"text": "wake me", "set": "seed"}\n', "utf-8")
        return run.folder / "report.html"

    monkeypatch.setattr("seedcorn.intent.run.run_and_report", pipeline)
    monkeypatch.setattr("seedcorn.language.run.run_and_report", pipeline)
    monkeypatch.setattr("seedcorn.growth.report.run_and_report", pipeline)
    return seen


@pytest.mark.parametrize("command", ["intent", "language"])
def test_a_run_saves_its_resolved_configuration_and_prints_where_it_is(
    command: str,
    seen: list[tuple[Settings, Path]],
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    config = repository / "configs" / f"{command}-builtin.yaml"
    assert run([command, str(config), "--set", "name=mine", "--set", "random_seed=7", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"run": "runs/mine", "report": "runs/mine/report.html"}
    saved = yaml.safe_load((tmp_path / "runs" / "mine" / "config.yaml").read_text("utf-8"))
    assert (saved["name"], saved["random_seed"]) == ("mine", 7)
    assert seen[0][0].model_dump(mode="json") == saved


def test_the_demo_runs_all_pipelines_and_ends_with_their_reports(
    seen: list[tuple[Settings, Path]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 1)  # the pipelines are replaced in this process alone
    assert run(["demo", "--run-dir", str(tmp_path / "demo"), "--json"]) == 0
    reports = {
        f"{name}_report": str(tmp_path / "demo" / name / "report.html") for name in ("intent", "language", "growth")
    }
    assert json.loads(capsys.readouterr().out) == reports
    assert [type(config).__name__ for config, _ in seen] == ["LanguageConfig", "IntentConfig", "GrowthConfig"]


def test_a_part_of_the_demo_can_be_sent_to_a_process_and_names_the_lines_of_its_pipelines(
    seen: list[tuple[Settings, Path]], repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    part = DemoPart("intent", repository / "src" / "seedcorn" / "configs", tmp_path, ProgressMode.LINES)
    make, sent = ForkingPickler.loads(ForkingPickler.dumps((make_part, part)))
    assert set(make(sent)) == {"intent_report", "growth_report"}
    assert capsys.readouterr().err.splitlines() == ["intent: at work", "growth: at work"]
