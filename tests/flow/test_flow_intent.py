"""The intent pipeline from file to report: whole, killed and resumed, wrong input, and the study over it."""

import copy
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml

from run_folders import run_bytes, unnamed_files
from seedcorn.cli import run
from seedcorn.nlu.saved_model import model_folder
from seedcorn.report.page import Table
from seedcorn.report.saved import read_page
from small_runs import INTENT, requests

SMALL = {
    "name": "small",
    "data": {
        "intents": ["alarm_set"],
        "annotated": {
            "train": {"path": "builtin:requests", "n_rows": 1000, "where": {"partition": "train"}},
            "dev": {"path": "builtin:requests", "n_rows": 1000, "where": {"partition": "dev"}},
            "test": {"path": "builtin:requests", "n_rows": 1000, "where": {"partition": "test"}},
            "n_seed": 10,
        },
        "pool": [{"path": "builtin:general", "n_rows": 500}],
    },
    "relevance": {"cutoff": {"n_kept": 100}},
    "diversity": {"method": "feature", "fraction": 0.5, "cleaned": True},
    "self_training": {"n_rounds": 1, "n_folds": 2, "n_crf_iterations": 15, "n_word_texts": 1000},
}


def written(folder: Path, config: object, name: str = "config.yaml") -> Path:
    path = folder / name
    path.write_text(yaml.safe_dump(config), "utf-8")
    return path


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("intent")
    config = written(folder, SMALL)
    assert run(["intent", str(config), "--run-dir", str(folder / "run"), "--quiet"]) == 0
    return folder


def test_a_run_holds_every_stage_the_report_and_the_map(finished: Path) -> None:
    stages = {p.parent.name for p in (finished / "run").glob("*/record.json")}
    first, last = {"data", "contamination", "relevance"}, {"self-training", "measures", "training"}
    assert stages == {*first, "teacher", "diversity", *last, "annotation", "certificate"}
    report = (finished / "run" / "report.html").read_text("utf-8")
    parts = ("What it brought", "Contamination", "Diversity", "The map", "Learning curve", "Errors before and after")
    for words in (*parts, "the cut-off keeps 100", "self-training#"):
        assert words in report
    assert (finished / "run" / "map.svg").read_text("utf-8").startswith("<svg")
    assert model_folder(finished / "run") == finished / "run" / "training" / "model"
    systems = json.loads((finished / "run" / "measures" / "measures.json").read_text("utf-8"))["systems"]
    assert [s["system"] for s in systems] == ["seed only", "without pool", "with pool"]


def test_the_run_says_what_to_annotate_next_and_what_must_not_have_got_worse(finished: Path) -> None:
    tables = tables_of(finished / "run")
    relevant = {row["text"] for row in tables["Relevant utterances, best first."]}
    asked = tables["Utterances whose labels are worth most"]
    assert len(asked) == 25
    assert {row["text"] for row in asked} <= relevant
    assert (finished / "run" / "annotation" / "annotate.html").exists()
    (foretold,) = [rows for caption, rows in tables.items() if caption.startswith("... after more labels")]
    assert [row["n more"] for row in foretold] == [25, 50, 100, 200]
    compared = tables["Before and after, each intent and slot type"]
    assert {"alarm_set", "all other intents"} <= {row["name"] for row in compared}


def test_a_certificate_that_is_required_decides_the_exit_code(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No margin can be shown with the few utterances of this test."""
    copy_of_run = shutil.copytree(finished / "run", tmp_path / "run")
    again = ["intent", str(finished / "config.yaml"), "--run-dir", str(copy_of_run), "--quiet", "--json"]
    assert run([*again, "--require", "certificate", "--set", "certificate.margin=0.001"]) == 1
    shown = json.loads(capsys.readouterr().out)
    assert shown["promoted"] is False
    assert "alarm_set" in shown["against"]
    assert run([*again, "--set", "certificate.margin=0.9", "--require", "certificate"]) == 0
    assert json.loads(capsys.readouterr().out)["promoted"] is True


def tables_of(folder: Path) -> dict[str, list[dict[str, str | int | float]]]:
    """Return the rows of every table of a report, by its caption."""
    contents = [content for section in read_page(folder).sections for content in section.contents]
    tables = [content for content in contents if isinstance(content, Table)]
    return {table.caption: [dict(zip(table.columns, row, strict=True)) for row in table.rows] for table in tables}


def test_the_report_tells_what_came_in(finished: Path) -> None:
    tables = tables_of(finished / "run")
    seed, background, dev, test = tables["Annotated utterances."]
    assert (seed["set"], seed["utterances"], seed["of the functionality"], seed["intents"]) == ("seed", 10, 10, 1)
    assert background["of the functionality"] == 0
    assert min(int(dev["of the functionality"]), int(test["of the functionality"])) > 0
    counts = json.loads((finished / "run" / "data" / "record.json").read_text("utf-8"))["counts"]
    assert sum(int(row["utterances"]) for row in tables["The pool as read, by origin."]) == counts["n_pool"]


def test_the_report_shows_what_was_rejected_and_why(finished: Path) -> None:
    tables = tables_of(finished / "run")
    relevant = tables["Relevant utterances, best first."]
    (rejects,) = [rows for caption, rows in tables.items() if caption.startswith("The best of the")]
    left_out = tables["Relevant, and left out because the selected ones add more."]
    selected = tables["Selected, in the order of selection."]
    assert len(relevant) == 100
    assert {row["why"] for row in rejects} <= {"outside the cut-off (kept 100)", "no score"}
    assert float(str(relevant[-1]["relevance"])) >= float(str(rejects[0]["relevance"]))
    assert not {row["position"] for row in rejects} & {row["position"] for row in relevant}
    assert len(selected) == len(left_out) == 50
    assert {row["position"] for row in [*selected, *left_out]} == {row["position"] for row in relevant}
    decisions = tables["Decisions."]
    assert decisions
    assert all(row["why"] or row["decision"] == "no round of self-training was kept" for row in decisions)


def test_the_errors_before_and_after_are_all_listed(finished: Path) -> None:
    errors = tables_of(finished / "run")["Mended, broken and still wrong."]
    n_test, *by_change = json.loads((finished / "run" / "measures" / "record.json").read_text("utf-8"))[
        "counts"
    ].values()
    assert sum(by_change) == len(errors) <= n_test
    assert {row["change"] for row in errors} <= {"mended", "broken", "still wrong"}
    assert all(row["wanted"] != row["before"] for row in errors if row["change"] != "broken")


def test_the_page_and_its_figures_are_made_again_from_the_folder(finished: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    folder.mkdir()
    (folder / "report.json").write_bytes((finished / "run" / "report.json").read_bytes())
    assert run(["report", str(folder), "--figures", "svg"]) == 0
    assert (folder / "report.html").read_bytes() == (finished / "run" / "report.html").read_bytes()
    assert (folder / "figure-1.svg").read_text("utf-8").startswith("<svg")


def test_a_folder_without_a_finished_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", str(tmp_path)]) == 2
    assert "wanted the folder of a finished run or study" in capsys.readouterr().err


def test_every_selected_utterance_has_position_and_reason(finished: Path) -> None:
    import pyarrow.parquet as pq

    pool = pq.read_table(finished / "run" / "data" / "pool.parquet").column("text").to_pylist()
    rows = pq.read_table(finished / "run" / "self-training" / "decisions.parquet").to_pylist()
    assert len(rows) == 50
    for row in rows:
        assert pool[row["position"]] == row["text"]
        assert row["strongest_ngrams"] or row["nearest_seed"]
        assert row["decision"]


def test_a_run_killed_at_any_stage_ends_with_the_same_bytes(finished: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    command = ["intent", str(finished / "config.yaml"), "--run-dir", str(folder), "--quiet"]
    for stage in ("contamination", "self-training"):
        process = subprocess.Popen([sys.executable, "-m", "seedcorn", *command], stdout=subprocess.DEVNULL)
        while process.poll() is None and not (folder / f".{stage}.partial").exists():
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert run(command) == 0
    assert run_bytes(folder) == run_bytes(finished / "run")


def with_test(**changes: object) -> dict[str, object]:
    data = copy.deepcopy(SMALL["data"])
    data["annotated"]["test"].update(changes)
    return {"data": data}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"data": {**SMALL["data"], "intents": ["alarm_sett"]}},
            "wanted an intent that the seed has examples of, found 'alarm_sett'. Did you mean",
        ),
        ({"data": {**SMALL["data"], "intnts": ["alarm_set"]}}, "Did you mean 'intents'?"),
        ({"relevance": {"cutoff": {"precision": 0.5, "n_kept": 5}}}, "give exactly one of"),
        ({"relevance": {"cutoff": {"threshold": 2.0}}}, "wanted at least one relevant utterance in the pool"),
        ({"data": {"intents": ["a"], "pool": []}}, "give 'seed', 'background', 'dev' and 'test'"),
        (
            {"data": {**SMALL["data"], "pool": [{"path": "no-such-file.txt"}]}},
            "wanted 'data.pool.0.path': the file or folder 'no-such-file.txt', found nothing there",
        ),
        (with_test(where={"partition": "tset"}), "wanted rows with partition tset, found none. Did you mean 'test'?"),
        (with_test(where={"partion": "test"}), "found 'partion'. Did you mean 'partition'?"),
        (with_test(path=__file__), "n_rows says how much is made of the built-in corpus"),
    ],
)
def test_wrong_configurations_are_named_and_leave_exit_code_2(
    change: dict[str, object], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = written(tmp_path, {**SMALL, **change})
    assert run(["intent", str(config), "--run-dir", str(tmp_path / "run"), "--quiet"]) == 2
    shown = capsys.readouterr().err
    assert message in shown
    assert "Traceback" not in shown


def jsonl(path: Path, rows: list[dict[str, object]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return str(path)


def files_config(folder: Path, *, seed: list[dict[str, object]], pool: str) -> dict[str, object]:
    others = [{"text": f"what is the weather in town {i}", "intent": "weather"} for i in range(30)]
    (folder / "pool.txt").write_text(pool, "utf-8")
    named = {"background": others, "dev": [*seed[:2], *others[:5]], "test": [*seed[:2], *others[5:10]]}
    files = {name: {"path": jsonl(folder / f"{name}.jsonl", rows)} for name, rows in {"seed": seed, **named}.items()}
    return {
        "name": "files",
        "data": {"intents": ["alarm_set"], **files, "pool": [{"path": str(folder / "pool.txt")}]},
        "relevance": {"cutoff": {"n_kept": 5}},
        "diversity": {"method": "all"},
        "self_training": {"n_rounds": 1},
    }


def seed_rows(n_rows: int) -> list[dict[str, object]]:
    return [{"text": f"wake me up at {i} o'clock", "intent": "alarm_set"} for i in range(n_rows)]


POOL = "\ufeffset the alarm for nine\r\nwake me up early\nhow are you\n\nwake me at noon\n"


def test_files_with_a_bom_mixed_line_ends_and_an_intent_without_slots_run(tmp_path: Path) -> None:
    config = written(tmp_path, files_config(tmp_path, seed=seed_rows(5), pool=POOL))
    assert run(["intent", str(config), "--run-dir", str(tmp_path / "run"), "--quiet"]) == 0


def test_a_seed_of_one_example_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = written(tmp_path, files_config(tmp_path, seed=seed_rows(1), pool=POOL))
    assert run(["intent", str(config), "--run-dir", str(tmp_path / "run"), "--quiet"]) == 2
    assert "at least two utterances of the functionality and two others, found 1 and 30" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "rows", "message"),
    [
        ("background", [{"text": "wake me", "intent": "alarm_set"}], "wanted background utterances of other intents"),
        ("dev", [{"text": "hello", "intent": "greet"}], "wanted utterances of alarm_set in dev, to measure on"),
        ("test", [{"text": "hello", "intent": "greet"}], "wanted utterances of alarm_set in test, to measure on"),
        ("seed", [{"text": "wake me"}], "None of its utterances has an intent."),
        (
            "seed",
            [{"text": "a", "intent": "alarm_set", "slots": [{"start": 0, "end": 9, "type": "t"}]}],
            "seed.jsonl:1",
        ),
        (
            "pool",
            [{"text": text} for text in ("wake me up at 0 o'clock", "Wake me up at 1 o'clock!")],
            "all 2 are equal",
        ),
    ],
)
def test_sets_that_cannot_be_used_are_named(
    name: str, rows: list[dict[str, object]], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = files_config(tmp_path, seed=seed_rows(5), pool=POOL)
    if name == "pool":
        (tmp_path / "pool.txt").write_text("".join(f"{row['text']}\n" for row in rows), "utf-8")
    else:
        jsonl(tmp_path / f"{name}.jsonl", rows)
    assert run(["intent", str(written(tmp_path, config)), "--run-dir", str(tmp_path / "run"), "--quiet"]) == 2
    shown = capsys.readouterr().err
    assert message in shown
    assert "Traceback" not in shown


def test_a_pool_of_one_line_over_and_over_runs(tmp_path: Path) -> None:
    config = written(tmp_path, files_config(tmp_path, seed=seed_rows(5), pool="wake me at noon\n" * 50))
    assert run(["intent", str(config), "--run-dir", str(tmp_path / "run"), "--quiet"]) == 0
    record = json.loads((tmp_path / "run" / "contamination" / "record.json").read_text("utf-8"))
    assert (record["counts"]["n_in"], record["counts"]["n_kept"]) == (50, 1)


def test_a_pool_without_a_relevant_line_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = files_config(tmp_path, seed=seed_rows(5), pool="abc def\nghi jkl\n")
    config["relevance"] = {"cutoff": {"threshold": 0.9}}
    assert run(["intent", str(written(tmp_path, config)), "--run-dir", str(tmp_path / "run"), "--quiet"]) == 2
    assert "found none of 2 passes" in capsys.readouterr().err


def test_a_full_disk_is_named_and_the_run_goes_on_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = written(tmp_path, files_config(tmp_path, seed=seed_rows(5), pool=POOL))
    command = ["intent", str(config), "--run-dir", str(tmp_path / "run"), "--quiet"]

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "Error writing bytes to file")

    with monkeypatch.context() as patch:
        patch.setattr("seedcorn.intent.relevance.write_scores", full)
        assert run(command) == 1
    assert f"{tmp_path}/run/relevance: No space left on device; make room" in capsys.readouterr().err
    assert not (tmp_path / "run" / "relevance").exists()
    assert run(command) == 0


def test_an_empty_pool_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = written(tmp_path, files_config(tmp_path, seed=seed_rows(5), pool=""))
    assert run(["intent", str(config), "--run-dir", str(tmp_path / "run"), "--quiet"]) == 2
    assert "pool" in capsys.readouterr().err


FASTER = {"n_rounds": 1, "n_folds": 2, "n_crf_iterations": 10, "n_word_texts": 0}
STUDY_DATA = {
    "annotated": {**INTENT["data"]["annotated"], "test": requests("test", n_rows=2000)},
    "pool": INTENT["data"]["pool"],
}
STUDY = {
    "study": "intent",
    "name": "small-study",
    "random_seeds": [1, 2],
    "seed_sizes": [10],
    "functionalities": {"alarm": ["alarm_set"]},
    "reported": ["alarm"],
    "corpora": {"built-in": {"data": STUDY_DATA}},
    "run": {
        "relevance": {"cutoff": {"n_kept": 40}},
        "diversity": {"method": "all"},
        "self_training": FASTER,
    },
    "systems": {
        "all": {},
        "random half": {"diversity": {"method": "random", "fraction": 0.5}},
        "clean half": {"diversity": {"method": "feature", "fraction": 0.5, "cleaned": True}},
    },
}


def test_a_run_with_a_pretrained_encoder_is_repeatable(tmp_path: Path, encoder_checkpoint: Path) -> None:
    config = {**INTENT, "annotation": None, "certificate": None}
    config["self_training"] = {**FASTER, "encoder": str(encoder_checkpoint)}
    path = written(tmp_path, config)
    for name in ("once", "again"):
        assert run(["intent", str(path), "--run-dir", str(tmp_path / name), "--quiet"]) == 0
    assert run_bytes(tmp_path / "once") == run_bytes(tmp_path / "again")
    with np.load(tmp_path / "once" / "self-training" / "model" / "linear.npz", allow_pickle=False) as model:
        assert {"view/directions", "token_view/directions"} <= set(model)


def run_study(folder: Path, *, n_workers: int) -> dict[str, object]:
    """Run STUDY in ``folder`` / run, and return its results."""
    command = ["study", str(written(folder, STUDY)), "--run-dir", str(folder / "run"), "--workers", str(n_workers)]
    assert run([*command, "--quiet"]) == 0
    assert "Relative reduction" in (folder / "run" / "report.html").read_text("utf-8")
    return found_in(folder / "run")


def found_in(folder: Path) -> dict[str, object]:
    """Return what the study in ``folder`` found, whatever the command was."""
    results = json.loads((folder / "small-study.json").read_text("utf-8"))
    return {name: value for name, value in results.items() if name != "command"}


@pytest.fixture(scope="module")
def studied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    run_study(folder, n_workers=1)
    return folder / "run"


def test_a_study_says_the_same_whatever_the_number_of_workers(
    studied: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = run_study(tmp_path, n_workers=2)
    assert found == found_in(studied)
    assert capsys.readouterr().out.splitlines()[-1].startswith("built-in  ")  # a row of a table
    summary = found["summary"]
    assert {"pool_reduction", "pool_reduction_low", "share_of_oracle", "n_worse", "reported"} <= set(summary)
    assert set(summary["gain_kept"]) == {"random half", "clean half"}
    assert set(summary["by_locale"]["built-in"]) == {"mean", "low", "high"}
    systems = [row["system"] for row in found["rows"] if row["kind"] == "mean"]
    assert systems == ["seed only", "without pool", "all", "true labels", "clean half", "random half"]


def test_systems_of_a_study_make_what_they_have_in_common_once(studied: Path) -> None:
    made = [path.name.rsplit("-", 1)[0] for path in (studied / "store").iterdir() if path.is_dir()]
    shared = ("data", "teacher", "relevance", "oracle")
    n_seeds, n_systems = len(STUDY["random_seeds"]), len(STUDY["systems"])
    assert {name: made.count(name) for name in shared} == dict.fromkeys(shared, n_seeds)
    assert made.count("self-training") == n_seeds * n_systems


def test_the_training_set_is_written_with_label_confidence_weight_origin_and_reason(finished: Path) -> None:
    lines = (finished / "run" / "training" / "training-set.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    counts = json.loads((finished / "run" / "data" / "record.json").read_text("utf-8"))["counts"]
    assert {"text", "intent", "slots", "origin", "set", "confidence", "weight", "reason"} <= set(rows[0])
    assert [row["set"] for row in rows].count("seed") == counts["n_seed"]
    assert [row["set"] for row in rows].count("background") == counts["n_background"]


def test_the_reference_names_every_file(finished: Path) -> None:
    assert unnamed_files(finished / "run", section="Intent") == []


def test_a_dry_run_lists_the_stages_and_makes_nothing(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = str(finished / "config.yaml")
    assert run(["intent", config, "--run-dir", str(tmp_path / "new"), "--dry-run", "--json"]) == 0
    planned = json.loads(capsys.readouterr().out)
    assert set(planned.values()) == {str(tmp_path / "new"), "to be run"}
    assert not (tmp_path / "new").exists()
    changed = ["--set", "relevance.cutoff.n_kept=50", "--dry-run", "--json"]
    assert run(["intent", config, "--run-dir", str(finished / "run"), *changed]) == 0
    planned = json.loads(capsys.readouterr().out)
    again = {name for name, state in planned.items() if state == "to be made again"}
    assert again == {"relevance", "diversity", "self-training", "measures", "training", "annotation", "certificate"}
