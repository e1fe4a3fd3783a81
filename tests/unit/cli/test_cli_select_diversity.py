"""``seedcorn select diversity`` from file to file, and what it says of wrong input."""

import json
from pathlib import Path

import pytest

from seedcorn.cli import run
from seedcorn.corpus.builtin import builtin_requests
from seedcorn.corpus.formats import read_corpus, write_corpus
from seedcorn.corpus.utterances import Corpus, Utterance


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    requests = builtin_requests(120, lang="en", random_seed=0).utterances()
    write_corpus(Corpus.from_utterances([*requests[:100], requests[3], requests[4]]), tmp_path / "pool.jsonl")
    write_corpus(Corpus.from_utterances(requests[100:]), tmp_path / "seed.jsonl")
    return tmp_path


def diversity(folder: Path, *options: str) -> int:
    pool, kept, seed = (str(folder / name) for name in ("pool.jsonl", "kept.jsonl", "seed.jsonl"))
    return run(["select", "diversity", pool, "-o", kept, "--seed", seed, "--quiet", "--json", *options])


def kept_rows(folder: Path) -> list[dict[str, object]]:
    return read_corpus(folder / "kept.jsonl").table().to_pylist()


@pytest.mark.parametrize("method", ["feature", "facility", "kcentre", "random"])
def test_each_kept_row_says_why(folder: Path, method: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert diversity(folder, "--method", method, "--count", "12") == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["n_rows"], shown["n_kept"], shown["n_repeated"], shown["n_rejected"]) == (102, 12, 2, 88)
    pool = read_corpus(folder / "pool.jsonl").table().column("text").to_pylist()
    rows = kept_rows(folder)
    assert [row["round"] for row in rows] == list(range(1, 13))
    assert all(row["text"] == pool[row["pool_row"]] for row in rows)  # type: ignore[call-overload]
    assert all(row["neighbour_from"] in ("seed", "kept") and row["neighbour"] for row in rows)
    kept_before: list[object] = []
    for row in rows:
        assert row["neighbour_from"] == "seed" or row["neighbour"] in kept_before
        kept_before.append(row["text"])


def test_streaming_writes_the_same_columns(folder: Path) -> None:
    assert diversity(folder, "--optimiser", "stream", "--words", "80") == 0
    rows = kept_rows(folder)
    pool = read_corpus(folder / "pool.jsonl").table().column("text").to_pylist()
    assert all(row["text"] == pool[row["pool_row"]] for row in rows)  # type: ignore[call-overload]
    assert 0 < sum(len(str(row["text"]).split()) for row in rows) <= 80
    assert {"round", "gain", "neighbour", "neighbour_from", "neighbour_similarity"} <= set(rows[0])


def test_relevance_comes_from_the_score_column(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert diversity(folder, "--method", "relevance", "--count", "3") == 2
    assert "a column 'score'" in capsys.readouterr().err
    scored = [json.loads(line) for line in (folder / "pool.jsonl").read_text("utf-8").splitlines()]
    lines = [json.dumps(row | {"score": float(number % 50)}) for number, row in enumerate(scored)]
    (folder / "pool.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    assert diversity(folder, "--method", "relevance", "--count", "3") == 0
    assert [row["pool_row"] for row in kept_rows(folder)] == [49, 99, 48]


def test_a_trained_network_is_saved_and_used_again(folder: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    network, background = folder / "network", ("--background", str(folder / "pool.jsonl"))
    assert diversity(folder, "--method", "paraphrase", "--count", "8", *background, "--save-network", str(network)) == 0
    first = kept_rows(folder)
    assert diversity(folder, "--method", "paraphrase", "--count", "8", "--network", str(network)) == 0
    assert kept_rows(folder) == first
    assert len(first) == 8


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "one budget"),
        (("--count", "3", "--words", "9"), "one budget"),
        (("--count", "101"), "a budget from 1 to 100"),
        (("--optimiser", "stream", "--fraction", "0.5"), "a fraction"),
        (("--optimiser", "stream", "--method", "facility", "--count", "3"), "--method feature"),
        (("--relevance-share", "1", "--count", "3"), "a column 'score'"),
    ],
)
def test_wrong_settings_say_what_to_do(
    folder: Path, options: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert diversity(folder, *options) == 2
    assert message in capsys.readouterr().err
    assert not (folder / "kept.jsonl").exists()


def test_a_seed_without_slots_cannot_train_the_network(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_corpus(Corpus.from_utterances([Utterance(text="stop", intent="stop")] * 5), folder / "seed.jsonl")
    assert diversity(folder, "--method", "paraphrase", "--count", "3") == 2
    assert "several intents, with slots" in capsys.readouterr().err


def test_an_empty_pool_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "pool.txt").write_text("", "utf-8")
    pool, kept = str(folder / "pool.txt"), str(folder / "kept.jsonl")
    assert run(["select", "diversity", pool, "-o", kept, "--count", "1", "-q"]) == 2
    assert "at least one utterance" in capsys.readouterr().err


def test_a_pool_of_repetitions_is_one_row(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "same.txt").write_text("play adele\nPlay Adele!\nplay adele\n", "utf-8")
    pool, kept = str(folder / "same.txt"), str(folder / "kept.jsonl")
    assert run(["select", "diversity", pool, "-o", kept, "--count", "2", "-q"]) == 2
    assert "a budget from 1 to 1" in capsys.readouterr().err
    assert run(["select", "diversity", pool, "-o", kept, "--count", "1", "-q", "--json"]) == 0
    row = kept_rows(folder)[0]
    assert (row["text"], row["pool_row"], row["neighbour"] or None) == ("play adele", 0, None)
