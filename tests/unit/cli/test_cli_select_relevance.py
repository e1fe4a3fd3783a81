"""seedcorn select relevance, from file to file."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from seedcorn.cli import run
from seedcorn.corpus.builtin import builtin_general, builtin_requests
from seedcorn.corpus.formats import read_corpus, write_corpus
from seedcorn.corpus.utterances import Corpus


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files: seed.jsonl (two intents, 20 rows each), background.jsonl, pool.txt and pool.parquet (the same rows)."""
    folder = tmp_path_factory.mktemp("select")
    requests = builtin_requests(1200, lang="en", random_seed=1).utterances()
    intents = ("alarm_set", "music_play")
    train, rest = requests[:600], requests[600:]
    wanted = [[u for u in train if u.intent == intent][:20] for intent in intents]
    write_corpus(Corpus.from_utterances([*wanted[0], *wanted[1]]), folder / "seed.jsonl")
    write_corpus(Corpus.from_utterances([u for u in train if u.intent not in intents]), folder / "background.jsonl")
    pool = [*rest, *builtin_general(600, lang="en", random_seed=3).utterances()]
    write_corpus(Corpus.from_utterances(pool), folder / "pool.parquet")
    write_texts([u.text for u in pool], folder / "pool.txt")
    (folder / "empty.txt").write_text("", encoding="utf-8")
    (folder / "wordless.txt").write_text("...\n!?\n", encoding="utf-8")
    return folder


def write_texts(texts: list[str], path: Path) -> None:
    path.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")


def select(folder: Path, *arguments: str, pool: str = "pool.parquet", output: str = "kept.jsonl") -> int:
    files = ["--seed", str(folder / "seed.jsonl"), "--background", str(folder / "background.jsonl")]
    given = [] if "--seed" in arguments else files
    return run(
        ["select", "relevance", str(folder / pool), "--output", str(folder / output), "--quiet", *given, *arguments]
    )


def kept(folder: Path, output: str = "kept.jsonl") -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / output).read_text("utf-8").splitlines()]


def seed_intents(folder: Path) -> set[str]:
    return {u.intent for u in read_corpus(folder / "seed.jsonl").utterances()}


def test_what_is_kept_is_relevant_ranked_and_explained(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert select(folder, "--top", "20", "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["n_rows"], result["n_kept"], result["n_rejected"]) == (1200, 20, 1180)
    rows = kept(folder)
    scores = [float(str(row["score"])) for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert result["lowest_kept_score"] == scores[-1]
    pool = read_corpus(folder / "pool.parquet").utterances()
    assert all(pool[int(str(row["pool_row"]))].text == row["text"] for row in rows)
    wanted = seed_intents(folder)
    right = [row.get("intent") in wanted for row in rows]
    assert sum(right) >= 16
    assert all(row["strongest_ngrams"] and row["nearest_seed"] for row in rows)


@pytest.mark.parametrize(
    "cut_off",
    [("--threshold", "0.5"), ("--fraction", "0.02"), ("--words", "60"), ("--per-intent", "5"), ("--precision", "0.7")],
)
def test_every_cut_off_gives_the_same_for_text_and_parquet_and_any_threads(
    folder: Path, cut_off: Sequence[str]
) -> None:
    assert select(folder, *cut_off) == 0
    expected = [(row["pool_row"], row["score"]) for row in kept(folder)]
    assert 0 < len(expected) < 200
    assert select(folder, *cut_off, "--threads", "2", pool="pool.txt", output="other.jsonl") == 0
    assert [(row["pool_row"], row["score"]) for row in kept(folder, "other.jsonl")] == expected


@pytest.mark.parametrize("method", ["importance", "embedding", "cross_entropy"])
def test_other_methods_find_relevant_text_too(folder: Path, method: str) -> None:
    assert select(folder, "--top", "20", "--method", method, "--pool-sample", "300") == 0
    wanted = seed_intents(folder)
    n_relevant = sum(u.intent in wanted for u in read_corpus(folder / "pool.parquet").utterances())
    n_found = sum(row.get("intent") in wanted for row in kept(folder))
    assert n_found / 20 > 5 * n_relevant / 1200


def test_a_saved_model_scores_the_same(folder: Path) -> None:
    assert select(folder, "--top", "10", "--save-model", str(folder / "model.npz")) == 0
    expected = [(row["pool_row"], row["score"]) for row in kept(folder)]
    assert select(folder, "--top", "10", "--model", str(folder / "model.npz")) == 0
    assert [(row["pool_row"], row["score"]) for row in kept(folder)] == expected


def test_a_pool_without_one_relevant_line_gives_next_to_nothing(folder: Path) -> None:
    general = builtin_general(200, lang="en", random_seed=9).utterances()
    write_texts([u.text for u in general], folder / "general.txt")
    assert select(folder, "--precision", "0.7", pool="general.txt", output="none.jsonl") == 0
    assert len(kept(folder, "none.jsonl")) <= 2
    assert select(folder, "--threshold", "0.999999", pool="general.txt", output="none.jsonl") == 0
    assert kept(folder, "none.jsonl") == []


@pytest.mark.parametrize(
    ("arguments", "pool", "message"),
    [
        ([], "pool.txt", "wanted one cut-off, found none"),
        (["--top", "3", "--words", "9"], "pool.txt", "found --top and --words"),
        (["--top", "3"], "empty.txt", "an empty file"),
        (["--top", "3", "--method", "logistik"], "pool.txt", "Did you mean 'logistic'?"),
        (["--top", "3", "--aggregate", "median"], "pool.txt", "aggregate"),
        (["--precision", "0.9", "--method", "importance"], "pool.txt", "precision estimate"),
        (["--top", "3", "--method", "cross_entropy", "--save-model", "x.npz"], "pool.txt", "n-gram method"),
        (["--top", "3", "--seed", "WORDLESS"], "pool.txt", "seed examples with words"),
        (["--top", "3", "--model", "SEED"], "pool.txt", "a relevance model"),
    ],
)
def test_wrong_use_is_one_clear_message_and_no_file(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], pool: str, message: str
) -> None:
    named = {"WORDLESS": str(folder / "wordless.txt"), "SEED": str(folder / "seed.jsonl")}
    before = sorted(folder.iterdir())
    assert select(folder, *(named.get(a, a) for a in arguments), pool=pool, output="wrong.jsonl") == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert sorted(folder.iterdir()) == before


@pytest.mark.filterwarnings("always::seedcorn.errors.SeedcornWarning")
def test_a_seed_of_one_example_works_with_a_note(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = (folder / "seed.jsonl").read_text("utf-8").splitlines()[0]
    (folder / "one.jsonl").write_text(first + "\n", encoding="utf-8")
    background = str(folder / "background.jsonl")
    assert select(folder, "--top", "5", "--seed", str(folder / "one.jsonl"), "--background", background) == 0
    assert "not calibrated" in capsys.readouterr().err
    assert kept(folder)[0]["intent"] in seed_intents(folder)


def test_the_pool_is_never_written_over(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (folder / "pool.txt").read_bytes()
    assert select(folder, "--top", "5", pool="pool.txt", output="pool.txt") == 2
    assert "wanted another file to write" in capsys.readouterr().err
    assert (folder / "pool.txt").read_bytes() == before


def test_the_format_of_the_pool_can_be_given(folder: Path) -> None:
    (folder / "pool.odd").write_text('{"text": "wake me up at six"}\n', encoding="utf-8")
    assert select(folder, "--top", "1", "--format", "text", pool="pool.odd", output="odd.jsonl") == 0
    assert kept(folder, "odd.jsonl")[0]["text"] == '{"text": "wake me up at six"}'
