import json
from dataclasses import replace
from pathlib import Path

import pytest

from seedcorn.cli import run
from seedcorn.corpus.builtin import builtin_requests
from seedcorn.corpus.formats import write_corpus
from seedcorn.corpus.utterances import Corpus, Utterance


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("annotate")
    rows = builtin_requests(1000, lang="en", random_seed=1).utterances()
    names = sorted({u.domain: u.intent for u in rows}.values())[:3]
    rows = [u for u in rows if u.intent in names]
    write_corpus(Corpus.from_utterances(rows[:40]), folder / "labelled.jsonl")
    unlabelled = [replace(u, intent="", slots=(), domain="") for u in rows[40:70]]
    write_corpus(Corpus.from_utterances(unlabelled), folder / "pool.jsonl")
    return folder


def annotate(files: Path, output: Path, *arguments: str) -> int:
    return run(
        [
            "select",
            "annotate",
            str(files / "pool.jsonl"),
            "--labelled",
            str(files / "labelled.jsonl"),
            "--batch-size",
            "5",
            "-o",
            str(output),
            *arguments,
        ]
    )


def test_answers_go_out_and_come_back_and_are_not_asked_again(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert annotate(files, tmp_path / "first.jsonl", "--json") == 0
    assert json.loads(capsys.readouterr().out)["n_tasks"] == 5
    tasks = [json.loads(line) for line in (tmp_path / "first.jsonl").read_text("utf-8").splitlines()]
    answers = tmp_path / "answers.jsonl"
    answers.write_text(
        "".join(json.dumps({k: t[k] for k in ("id", "text", "intent", "slots")}) + "\n" for t in tasks), "utf-8"
    )
    assert annotate(files, tmp_path / "second.html", "--labels", str(answers), "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert result["n_labels"] == 5
    assert result["conflicts"] == []
    page = (tmp_path / "second.html").read_text("utf-8")
    assert not [t["text"] for t in tasks if f'"text": "{t["text"]}"' in page]


def test_a_forecast_says_how_many_more_are_worth_it(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert annotate(files, tmp_path / "tasks.json", "--forecast", "--strategy", "random", "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert {f"error_after_{n}_more" for n in (25, 50, 100, 200)} <= set(result)
    assert (tmp_path / "tasks.xml").exists()


def test_labels_for_unknown_ids_are_refused_and_nothing_is_written(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = tmp_path / "answers.jsonl"
    answers.write_text('{"id": "zzz", "text": "hello", "intent": "alarm_set"}\n', "utf-8")
    assert annotate(files, tmp_path / "tasks.jsonl", "--labels", str(answers)) == 2
    assert "unknown id 'zzz'" in capsys.readouterr().err
    assert not (tmp_path / "tasks.jsonl").exists()


def test_a_pool_without_new_text_is_refused(files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labelled = str(files / "labelled.jsonl")
    assert run(["select", "annotate", labelled, "--labelled", labelled, "-o", str(tmp_path / "t.jsonl")]) == 2
    assert "none that is new" in capsys.readouterr().err


def test_audit_ranks_what_looks_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [Utterance(id=str(i), text=f"wake me at {i}", intent="alarm_set") for i in range(30)]
    rows += [Utterance(id=str(i + 30), text=f"play song {i}", intent="play_music") for i in range(30)]
    rows[7] = replace(rows[7], intent="play_music")
    write_corpus(Corpus.from_utterances(rows), tmp_path / "rows.jsonl")
    output = tmp_path / "suspicions.jsonl"
    assert run(["data", "audit", str(tmp_path / "rows.jsonl"), "-o", str(output), "--json"]) == 0
    first = json.loads(capsys.readouterr().out)["most_suspicious"][0]
    assert (first["id"], first["given"], first["found"]) == ("7", "play_music", "alarm_set")
    assert json.loads(output.read_text("utf-8").splitlines()[0]) == first


def test_audit_needs_annotated_utterances(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "rows.txt").write_text("wake me\nplay jazz\n", "utf-8")
    assert run(["data", "audit", str(tmp_path / "rows.txt")]) == 2
    assert "none with an intent" in capsys.readouterr().err
