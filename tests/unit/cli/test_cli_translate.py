"""seedcorn translate train, run and rescore, file to file."""

import json
from pathlib import Path

import pytest

pytest.importorskip("ctranslate2")

from seedcorn.cli import run
from seedcorn.corpus.builtin import builtin_pairs, builtin_requests
from seedcorn.corpus.formats import read_corpus, write_corpus
from seedcorn.corpus.formats.pairs import write_pairs
from seedcorn.corpus.pair_cleaning import swapped

LANGS = ["--source-lang", "en", "--target-lang", "hi"]


def result_of(capsys, *arguments: object) -> dict:
    assert run(["translate", *map(str, arguments), "--quiet", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def message_of(capsys, *arguments: object) -> str:
    assert run(["translate", *map(str, arguments), "--quiet"]) == 2
    return capsys.readouterr().err


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("translate")
    write_pairs(builtin_pairs(300, random_seed=0), path / "pairs.tsv")
    write_pairs(builtin_pairs(20, random_seed=1), path / "dev.tsv")
    write_pairs(swapped(builtin_pairs(20, random_seed=1)), path / "swapped.tsv")
    write_corpus(builtin_requests(50, lang="hi", random_seed=0), path / "hindi.jsonl")
    write_corpus(builtin_requests(12, lang="en", random_seed=0), path / "english.jsonl")
    return path


def train_arguments(folder: Path) -> list[object]:
    return [
        "train",
        folder / "pairs.tsv",
        "-o",
        folder / "model",
        *LANGS,
        "--dev",
        folder / "dev.tsv",
        "--in-domain",
        folder / "hindi.jsonl",
        "--fraction",
        "0.5",
        "--preset",
        "tiny",
        "--target-tokens",
        "3000",
        "--threads",
        "1",
    ]


def test_train_run_rescore(folder: Path, capsys) -> None:
    trained = result_of(capsys, *train_arguments(folder))
    assert (trained["n_clean"], trained["n_kept"]) == (300, 150)
    assert trained["n_target_tokens"] == pytest.approx(3000, rel=0.2)
    ran = result_of(
        capsys,
        "run",
        folder / "model",
        folder / "english.jsonl",
        "-o",
        folder / "out.jsonl",
        "--lang",
        "hi",
        "--n-best",
        "3",
        "--entities",
        "catalogue",
        "--catalogue",
        folder / "hindi.jsonl",
        "--nbest-output",
        folder / "nbest.txt",
        "--rejects",
        folder / "rejects.jsonl",
        "--threads",
        "1",
    )
    assert ran["n_translated"] + ran["n_rejected"] == 12
    rejects = [json.loads(line) for line in (folder / "rejects.jsonl").read_text("utf-8").splitlines()]
    assert len(rejects) == ran["n_rejected"]
    assert all(reject["reason"] for reject in rejects)
    english = {u.id: u for u in read_corpus(folder / "english.jsonl").utterances()}
    for utterance in read_corpus(folder / "out.jsonl").utterances():
        original = english[utterance.id]
        assert (utterance.lang, utterance.intent) == ("hi", original.intent)
        assert sorted(s.type for s in utterance.slots) == sorted(s.type for s in original.slots)


def test_rescore_tunes_keeps_and_rejects(folder: Path, tmp_path: Path, capsys) -> None:
    hindi = [u.text for u in builtin_requests(1_000, lang="hi", random_seed=0).utterances()]
    (tmp_path / "hindi.txt").write_text("\n".join(hindi), encoding="utf-8")
    assert (
        run(
            [
                "lm",
                "estimate",
                str(tmp_path / "hindi.txt"),
                "-o",
                str(tmp_path / "hi.arpa"),
                "--tokens",
                "words",
                "--order",
                "2",
                "-q",
            ]
        )
        == 0
    )
    lines = [
        f"{i} ||| क ख ग घ ||| translation_logp= -1 ||| -1\n{i} ||| {t} ||| translation_logp= -2 ||| -2"
        for i, t in enumerate(hindi[:5])
    ]
    (tmp_path / "nbest.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "source.txt").write_text("x\n" * 5, encoding="utf-8")
    (tmp_path / "references.txt").write_text("\n".join(hindi[:5]), encoding="utf-8")
    capsys.readouterr()
    files = [
        tmp_path / "nbest.txt",
        tmp_path / "source.txt",
        "-o",
        tmp_path / "out.jsonl",
        "--lm",
        tmp_path / "hi.arpa",
    ]
    tuned = result_of(capsys, "rescore", *files, "--references", tmp_path / "references.txt", "--curve")
    assert tuned["lm_weight"] > 0
    assert [u.text for u in read_corpus(tmp_path / "out.jsonl").utterances()] == hindi[:5]
    assert tuned["curve"][-1]["n_kept"] == 5
    cut_off = tuned["curve"][3]["logp_per_word"]
    assert run(["translate", "rescore", *map(str, files), "--curve", "--quiet"]) == 0
    shown = [line for line in capsys.readouterr().out.splitlines() if line.startswith("--keep-above")]
    assert len(shown) == len(tuned["curve"])
    assert shown[-1].endswith("keeps 5 lists (100%)")
    kept = result_of(
        capsys,
        "rescore",
        *files,
        "--lm-weight",
        tuned["lm_weight"],
        "--keep-above",
        cut_off,
        "--rejects",
        tmp_path / "rejects.jsonl",
    )
    assert kept["n_kept"] + kept["n_rejected"] == 5
    assert kept["n_rejected"] == len((tmp_path / "rejects.jsonl").read_text("utf-8").splitlines()) > 0


def test_bad_input_gives_one_message_and_no_output(folder: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "out.jsonl"
    swap = [str(a).replace("pairs.tsv", "swapped.tsv") for a in train_arguments(folder)]
    assert "swapped.tsv: wanted pairs from en to hi, found the other direction" in message_of(capsys, *swap)
    (tmp_path / "wordless.txt").write_text("?!\n", encoding="utf-8")
    assert "in-domain text" in message_of(capsys, *train_arguments(folder), "--in-domain", tmp_path / "wordless.txt")
    (tmp_path / "lines.hi").write_text("एक\n", encoding="utf-8")
    (tmp_path / "lines.en").write_text("one\ntwo\n", encoding="utf-8")
    moses = ["train", tmp_path / "lines.en", "--target", tmp_path / "lines.hi", *train_arguments(folder)[2:]]
    assert "found 2 lines, and 1 in" in message_of(capsys, *moses)
    assert "Did you mean 'tiny'" in message_of(capsys, *train_arguments(folder), "--preset", "tinny")
    assert "config.json" in message_of(capsys, "run", tmp_path, folder / "english.jsonl", "-o", out)
    (tmp_path / "nbest.txt").write_text("0 ||| a ||| f= 1\n", encoding="utf-8")
    (tmp_path / "source.txt").write_text("x\n", encoding="utf-8")
    rescore = ["rescore", tmp_path / "nbest.txt", tmp_path / "source.txt", "-o", out]
    assert "translation_logp" in message_of(capsys, *rescore)
    assert "a language model (--lm)" in message_of(capsys, *rescore, "--curve")
    assert not out.exists()
