"""``seedcorn data``: what each command prints and writes."""

import json
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from seedcorn.cli import run
from seedcorn.corpus.builtin import builtin_requests
from seedcorn.corpus.formats import read_corpus, write_corpus
from seedcorn.corpus.utterances import Corpus, Utterance


@pytest.fixture(autouse=True)
def notes_are_printed() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        yield


@pytest.fixture
def requests(tmp_path: Path) -> Path:
    path = tmp_path / "requests.jsonl"
    write_corpus(builtin_requests(200, lang="hi", random_seed=1), path)
    return path


def printed(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    result: dict[str, object] = json.loads(capsys.readouterr().out)
    return result


def test_convert_there_and_back(requests: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert run(["data", "convert", str(requests), "-o", str(tmp_path / "a.conll"), "--json"]) == 0
    assert printed(capsys)["n_rows"] == 200
    assert run(["data", "convert", str(tmp_path / "a.conll"), "-o", str(tmp_path / "b.jsonl.gz")]) == 0
    assert read_corpus(tmp_path / "b.jsonl.gz").utterances() == read_corpus(requests).utterances()


@pytest.mark.parametrize(
    ("name", "start", "is_said"),
    [("a.csv", "play,x\n", True), ("a.csv", '"text","intent"\r\n', False), ("a.tsv", "play\tx\n", True)],
)
def test_a_table_without_header_is_told(tmp_path: Path, capsys, name: str, start: str, is_said: bool):
    (tmp_path / name).write_text(start + start.replace("text", "play").replace("intent", "x"), "utf-8", newline="")
    assert run(["data", "convert", str(tmp_path / name), "-o", str(tmp_path / "a.jsonl"), "-q"]) == 0
    assert ("no header" in capsys.readouterr().err) == is_said


def test_convert_only_some_rows(requests: Path, tmp_path: Path):
    arguments = ["data", "convert", str(requests), "-o", str(tmp_path / "a.txt"), "-q"]
    assert run([*arguments, "--only", "domain=music", "--only", "domain=home", "--only", "lang=hi"]) == 0
    n_rows = sum(u.domain in ("music", "home") for u in read_corpus(requests).utterances())
    assert read_corpus(tmp_path / "a.txt").count() == n_rows > 0
    assert run([*arguments, "--only", "domain"]) == 2


def test_convert_of_rows_that_are_not_there_writes_nothing(
    requests: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    arguments = ["data", "convert", str(requests), "-o", str(tmp_path / "a.txt"), "-q"]
    assert run([*arguments, "--only", "domain=musik"]) == 2
    assert "wanted rows with domain musik, found none. Did you mean 'music'?" in capsys.readouterr().err
    assert not (tmp_path / "a.txt").exists()


def test_convert_skips_bad_rows_into_the_rejects(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    source, rejects = tmp_path / "a.jsonl", tmp_path / "rejects.jsonl"
    source.write_text('{"text": "a"}\n{}\n', encoding="utf-8")
    arguments = ["data", "convert", str(source), "-o", str(tmp_path / "a.txt"), "--rejects", str(rejects)]
    assert run(arguments) == 2
    assert "wanted --on-error skip" in capsys.readouterr().err
    assert run([*arguments, "--on-error", "skip", "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["n_rows"] == 1
    assert "seedcorn: note: 1 bad rows skipped, all written to" in captured.err
    assert f"{source}:2" in rejects.read_text("utf-8")


def test_convert_stops_at_a_bad_row_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    source = tmp_path / "a.jsonl"
    source.write_text('{"text": "a"}\n{}\n', encoding="utf-8")
    assert run(["data", "convert", str(source), "-o", str(tmp_path / "a.txt")]) == 2
    assert capsys.readouterr().err == f"seedcorn: {source}:2: wanted a text, found none\n"
    assert not (tmp_path / "a.txt").exists()


def test_a_note_is_shown_once_however_often_the_file_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "a.txt").write_bytes(b"good\n\xff\n")
    for _ in range(2):
        assert run(["data", "check", str(tmp_path / "a.txt"), "--on-error", "skip"]) == 0
        assert capsys.readouterr().err.count("1 bad rows skipped") == 1


def test_a_full_disk_is_named_and_leaves_nothing(
    tmp_path: Path, requests: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def full(*_: object) -> None:
        raise OSError(28, "Error writing bytes to file. Detail: [errno 28] No space left on device")

    monkeypatch.setattr("seedcorn.corpus.formats.lines._EncodedSink.write", full)
    before = sorted(tmp_path.iterdir())
    assert run(["data", "convert", str(requests), "-o", str(tmp_path / "a.csv")]) == 1
    message = f"seedcorn: {tmp_path}/a.csv: No space left on device; make room and run the same command again\n"
    assert capsys.readouterr().err == message
    assert sorted(tmp_path.iterdir()) == before


def test_check_counts_and_lists_problems(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    rows = [Utterance(id="1", text="hi", intent="a"), Utterance(id="1", text="hi", intent="b")]
    write_corpus(Corpus.from_utterances(rows), tmp_path / "a.parquet")
    assert run(["data", "check", str(tmp_path / "a.parquet"), "--json"]) == 0
    result = printed(capsys)
    assert (result["n_rows"], result["n_repeated_texts"], result["intents"]) == (2, 1, {"a": 1, "b": 1})
    assert len(result["problems"]) == 2  # type: ignore[arg-type]
    assert run(["data", "check", str(tmp_path / "a.parquet")]) == 0
    assert "intents: 2 (a 1, b 1)" in capsys.readouterr().out


def test_contamination_writes_the_usable_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "pool.txt").write_text(
        "play some jazz\nPlay some jazz!\nwhat is the time\nhello you\n", encoding="utf-8"
    )
    (tmp_path / "test.tsv").write_text("text\tpartition\nwhat is the time\ttest\nhello you\ttrain\n", encoding="utf-8")
    arguments = ["data", "contamination", str(tmp_path / "pool.txt"), "--evaluation", str(tmp_path / "test.tsv")]
    assert run([*arguments, "--only", "partition=test", "-o", str(tmp_path / "clean.txt"), "--json"]) == 0
    assert (result := printed(capsys))["n_kept"] == 2
    assert result["equal to an evaluation text"] == result["repeats an earlier row"] == 1
    assert (tmp_path / "clean.txt").read_text("utf-8") == "play some jazz\nhello you\n"


@pytest.mark.parametrize("command", ["convert", "contamination"])
def test_a_file_that_is_read_is_never_written(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "pool.txt").write_text("play jazz\nplay jazz\n", encoding="utf-8")
    (tmp_path / "test.txt").write_text("stop\n", encoding="utf-8")
    evaluation = ["--evaluation", str(tmp_path / "test.txt")] if command == "contamination" else []
    path = str(tmp_path / "pool.txt")
    assert run(["data", command, path, *evaluation, "-o", path]) == 2
    assert "wanted another file to write than those that are read" in capsys.readouterr().err
    assert (tmp_path / "pool.txt").read_text("utf-8") == "play jazz\nplay jazz\n"


def test_contamination_without_evaluation_text_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "pool.txt").write_text("play jazz\n", encoding="utf-8")
    (tmp_path / "test.tsv").write_text("text\torigin\n", encoding="utf-8")
    arguments = ["--evaluation", str(tmp_path / "test.tsv")]
    assert run(["data", "contamination", str(tmp_path / "pool.txt"), *arguments]) == 2
    assert "test.tsv: wanted evaluation text, found no rows" in capsys.readouterr().err


def test_templates(tmp_path: Path, requests: Path, capsys: pytest.CaptureFixture[str]):
    output = tmp_path / "templates.jsonl"
    assert run(["data", "templates", str(requests), "-o", str(output), "--top", "3", "--json"]) == 0
    result = printed(capsys)
    rows = [json.loads(line) for line in output.read_text("utf-8").splitlines()]
    assert len(rows) == result["n_templates"]
    assert sum(row["n_rows"] for row in rows) == 200
    assert len(result["most_frequent"]) == 3  # type: ignore[arg-type]
    assert run(["data", "templates", str(requests), "--top", "1"]) == 0
    assert "n templates" in capsys.readouterr().out


def test_fetch_finds_the_local_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "copies" / "snips").mkdir(parents=True)
    (tmp_path / "copies" / "snips" / "a.json").write_text("{}", "utf-8")
    monkeypatch.setenv("SEEDCORN_DATA", str(tmp_path / "copies"))
    assert run(["data", "fetch", "snips", "--folder", str(tmp_path / "data"), "--json"]) == 0
    assert printed(capsys)["found_as"] == "local copy"
    assert run(["data", "fetch", "snip", "--folder", str(tmp_path / "data")]) == 2
    assert "Did you mean 'snips'?" in capsys.readouterr().err
