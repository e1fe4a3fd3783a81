"""A round of growth from end to end on a few built-in requests, and what it says of wrong input."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
import yaml

from run_folders import unnamed_files
from seedcorn.cli import run
from seedcorn.corpus.builtin import builtin_requests
from seedcorn.corpus.formats import write_corpus
from seedcorn.corpus.utterances import Corpus, Utterance, table_of
from seedcorn.deployment.certificate import Certificate
from seedcorn.growth.agent import Agent, RunBefore
from seedcorn.nlu.linear import LinearSettings, train_linear
from seedcorn.nlu.saved_model import save_nlu


def write(rows: Sequence[Utterance], path: Path) -> None:
    write_corpus(Corpus.from_utterances(rows), path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three known intents and a new one: labelled, logs, dev, test, and a configuration."""
    folder = tmp_path_factory.mktemp("growth")
    rows = builtin_requests(4000, lang="en", random_seed=1).utterances()
    names = ("alarm_set", "weather_query", "music_play", "taxi_book")
    of = {name: [u for u in rows if u.intent == name] for name in names}
    old = names[:3]
    write([u for name in old for u in of[name][:16]], folder / "labelled.jsonl")
    logs = [replace(u, intent="", slots=(), domain="") for name in names for u in of[name][16:28]]
    write(logs, folder / "logs.jsonl")
    write(of["taxi_book"][:12], folder / "taxi.jsonl")
    write([u for name in names for u in of[name][28:34]], folder / "dev.jsonl")
    write([u for name in names for u in of[name][34:70]], folder / "test.jsonl")
    settings = {
        "name": "round",
        "data": {
            "labelled": {"path": "labelled.jsonl"},
            "intents": ["alarm_set", "weather_query"],
            "pool": [{"path": "logs.jsonl"}],
            "new_intents": {"path": "taxi.jsonl"},
            "dev": {"path": "dev.jsonl"},
            "test": {"path": "test.jsonl"},
            "first_model": {"n_rounds": 0, "n_crf_iterations": 15},
        },
        "drift": {"n_groups": 4},
        "model": {"n_crf_iterations": 15, "n_calibration_folds": 2},
        "annotation": {"batch_size": 4},
        "certificate": {"margin": 0.3},
    }
    (folder / "grow.yaml").write_text(yaml.safe_dump(settings), "utf-8")
    return folder


def grow(folder: Path, run_dir: Path, *overrides: str, options: Sequence[str] = ()) -> int:
    sets = [argument for override in overrides for argument in ("--set", override)]
    return run(["grow", str(folder / "grow.yaml"), "--run-dir", str(run_dir), "--json", "--quiet", *sets, *options])


@pytest.fixture(scope="module")
def first(folder: Path) -> Path:
    assert grow(folder, folder / "first") == 0
    return folder / "first"


def test_the_reference_names_every_file(first: Path) -> None:
    assert unnamed_files(first, section="Growth") == []


def test_a_round_that_passes_its_certificate_is_current(first: Path) -> None:
    certificate = Certificate.load(first / "certificate")
    assert certificate.passed, certificate.reasons
    agent = Agent.load(first / "current")
    assert agent.intents == ("alarm_set", "taxi_book", "weather_query")
    assert agent.round == 1
    assert "taxi_book" in agent.model.intents
    rows = {str(row["name"]): row for row in certificate.rows("comparisons")}
    assert rows["taxi_book"]["is_new"]
    assert rows["taxi_book"]["f1_after"] > rows["taxi_book"]["f1_before"]  # type: ignore[operator]
    assert "all other intents" in rows
    assert (first / "report.html").exists()
    assert (first / "annotation" / "annotate.html").exists()


def test_a_round_that_fails_leaves_the_agent_of_before_current(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A margin that few utterances cannot prove, and no new intent that would help."""
    strict = ("certificate.margin=0.001", "data.new_intents=null")
    assert grow(folder, tmp_path / "run", *strict) == 0
    assert json.loads(capsys.readouterr().out)["promoted"] is False
    assert Agent.load(tmp_path / "run" / "current").round == 0
    assert Agent.load(tmp_path / "run" / "current").intents == ("alarm_set", "weather_query")
    assert grow(folder, tmp_path / "run", *strict, options=["--require", "certificate"]) == 1


def test_the_next_round_starts_from_the_run_before_with_the_answers_of_people(
    folder: Path, first: Path, tmp_path: Path
) -> None:
    tasks = [json.loads(line) for line in (first / "annotation" / "tasks.jsonl").read_text("utf-8").splitlines()]
    answer = {k: tasks[0][k] for k in ("id", "text")} | {"intent": "alarm_set", "annotator": "ada"}
    again = {k: tasks[1][k] for k in ("id", "text")} | {"intent": "alarm_set", "annotator": "ada"}
    other = again | {"intent": "weather_query", "annotator": "bob"}
    (tmp_path / "answers.jsonl").write_text("".join(json.dumps(r) + "\n" for r in (answer, again, other)), "utf-8")
    overrides = (
        f"data.before={first}",
        "data.labelled=null",
        "data.new_intents=null",
        "data.dev=null",
    )
    answers = ["--labels", str(tmp_path / "answers.jsonl")]
    assert grow(folder, tmp_path / "second", *overrides, options=answers) == 0
    made = Agent.load(tmp_path / "second" / "model")
    assert made.round == 2
    assert [u.text for u in made.labelled if u.origin == "annotated"] == [answer["text"]]
    (conflict,) = json.loads((tmp_path / "second" / "data" / "conflicts.json").read_text("utf-8"))
    assert conflict["text"] == again["text"]
    assert [label["annotators"] for label in conflict["labels"]] == [["ada"], ["bob"]]
    assert str(again["text"]) in (tmp_path / "second" / "report.json").read_text("utf-8")


def test_nothing_is_made_again_that_did_not_change(folder: Path, first: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in first.glob("*/record.json")}
    assert grow(folder, first) == 0
    assert {path: path.stat().st_mtime_ns for path in first.glob("*/record.json")} == before


def test_renamed_and_split_intents_follow_their_mapping(folder: Path, first: Path, tmp_path: Path) -> None:
    (tmp_path / "renames.yaml").write_text("alarm_set: alarm_create\ntaxi_book: [taxi_now, taxi_later]\n", "utf-8")
    test = (folder / "test.jsonl").read_text("utf-8").replace("alarm_set", "alarm_create")
    (tmp_path / "test.jsonl").write_text(test, "utf-8")
    overrides = (
        f"data.before={first}",
        "data.labelled=null",
        "data.new_intents=null",
        "data.dev=null",
        f"data.renames={tmp_path / 'renames.yaml'}",
        f"data.test={{path: {tmp_path / 'test.jsonl'}}}",
    )
    assert grow(folder, tmp_path / "run", *overrides) == 0
    made = Agent.load(tmp_path / "run" / "model")
    assert made.intents == ("alarm_create", "weather_query")
    assert not {"alarm_set", "taxi_book"} & {u.intent for u in made.labelled}
    tasks = (tmp_path / "run" / "annotation" / "tasks.jsonl").read_text("utf-8")
    assert "its label does not hold any more" in tasks


def test_an_intent_run_can_be_grown_on(tmp_path: Path, folder: Path) -> None:
    rows = [json.loads(line) for line in (folder / "labelled.jsonl").read_text("utf-8").splitlines()]
    ids = {row["id"] for row in rows}
    known = [u for u in builtin_requests(4000, lang="en", random_seed=1).utterances() if u.id in ids]
    sets = ["seed" if u.intent == "alarm_set" else "background" for u in known]
    sets[0] = "pool"
    table = table_of(known).append_column("set", pa.array(sets))
    write_corpus(Corpus.from_table(table), tmp_path / "run" / "training" / "training-set.jsonl")
    save_nlu(train_linear(known, settings=LinearSettings(n_crf_iterations=5)), tmp_path / "run" / "training" / "model")
    agent = RunBefore.at(tmp_path / "run").agent()
    assert agent.intents == ("alarm_set",)
    assert len(agent.labelled) == len(known) - 1
    assert [u.text for u in agent.self_labelled] == [known[0].text]


def refused(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], *overrides: str) -> str:
    assert grow(folder, tmp_path / "run", *overrides) == 2
    assert not (tmp_path / "run" / "current").exists()
    message = capsys.readouterr().err
    assert "Traceback" not in message
    return message


def test_labels_for_unknown_ids_are_refused(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "answers.jsonl").write_text('{"id": "zzz", "text": "hello", "intent": "alarm_set"}\n', "utf-8")
    message = refused(folder, tmp_path, capsys, f"data.labels=[{tmp_path / 'answers.jsonl'}]")
    assert "unknown id 'zzz'" in message
    assert "answers.jsonl, row 1" in message


def test_an_old_run_of_another_version_is_refused_and_stays_as_it_is(
    folder: Path, first: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    description = json.loads((first / "current" / "agent.json").read_text("utf-8"))
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "agent.json").write_text(json.dumps(description | {"format": 0, "seedcorn": "0.0.9"}), "utf-8")
    message = refused(folder, tmp_path, capsys, f"data.before={tmp_path / 'old'}", "data.labelled=null")
    assert "one of version 0.0.9" in message


def test_a_folder_that_is_no_run_is_refused(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    message = refused(folder, tmp_path, capsys, f"data.before={tmp_path / 'empty'}", "data.labelled=null")
    assert "a finished run" in message


def test_no_new_text_is_refused(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = refused(folder, tmp_path, capsys, f"data.pool=[{{path: {folder / 'labelled.jsonl'}}}]")
    assert "new text since the run before" in message


def test_an_empty_dev_is_refused(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "dev.jsonl").write_text("\n", "utf-8")
    assert "dev" in refused(folder, tmp_path, capsys, f"data.dev={{path: {tmp_path / 'dev.jsonl'}}}")


def test_a_test_without_the_agents_intents_is_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    message = refused(folder, tmp_path, capsys, f"data.test={{path: {folder / 'taxi.jsonl'}}}")
    assert "to certify that they did not get worse" in message


def test_an_intent_that_there_was_before_is_not_new(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    message = refused(folder, tmp_path, capsys, f"data.new_intents={{path: {folder / 'labelled.jsonl'}}}")
    assert "alarm_set, weather_query" in message


def test_one_start_is_given(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "either 'before'" in refused(folder, tmp_path, capsys, "data.labelled=null")
