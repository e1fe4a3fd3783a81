"""seedcorn speech rescore and terms, file to file."""

import json
from pathlib import Path

import pytest

from seedcorn.cli import run

NBEST = {
    "u1": [("turn on the late", -1.0), ("turn on the light", -1.5)],
    "u2": [("play musik", -1.0), ("play music", -2.0)],
    "u3": [("good morning", -0.5), ("good mourning", -3.0)],
}
SAID = {"u1": "turn on the light", "u2": "play music", "u3": "good morning"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines = [
        json.dumps({"id": name, "hypotheses": [{"text": text, "score": score} for text, score in some]})
        for name, some in NBEST.items()
    ]
    (tmp_path / "nbest.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    (tmp_path / "said.trn").write_text("".join(f"{text} ({name})\n" for name, text in SAID.items()), "utf-8")
    (tmp_path / "domain.txt").write_text("turn on the light\nplay music\ngood morning\n" * 3, "utf-8")
    (tmp_path / "general.txt").write_text("the house is late\ngood mourning\nhe is on the way\n" * 3, "utf-8")
    for name in ("domain", "general"):
        assert (
            run(["lm", "estimate", str(tmp_path / f"{name}.txt"), "-o", str(tmp_path / f"{name}.arpa"), "--quiet"]) == 0
        )
    return tmp_path


def test_weights_are_tuned_on_dev_and_the_best_texts_written(folder: Path, capsys) -> None:
    capsys.readouterr()
    call = ["speech", "rescore", str(folder / "nbest.jsonl"), "-o", str(folder / "best.trn")]
    call += ["--lm", str(folder / "domain.arpa"), "--dev", str(folder / "nbest.jsonl")]
    assert run([*call, "--references", str(folder / "said.trn"), "--json", "--quiet"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["dev_word_error_rate_before"] == pytest.approx(2 / 8)
    assert found["dev_word_error_rate_after"] == 0
    assert found["n_changed"] == 2
    assert (folder / "best.trn").read_text("utf-8") == (folder / "said.trn").read_text("utf-8")


def test_given_weights_are_taken(folder: Path) -> None:
    for suffix, expected in (
        (".txt", "u1 turn on the late\n"),
        (".jsonl", '{"id": "u1", "text": "turn on the late"}\n'),
    ):
        output = folder / f"best{suffix}"
        call = [
            "speech",
            "rescore",
            str(folder / "nbest.jsonl"),
            "-o",
            str(output),
            "--lm",
            str(folder / "domain.arpa"),
        ]
        assert run([*call, "--lm-weight", "0", "--quiet"]) == 0
        assert output.read_text("utf-8").startswith(expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "--lm-weight for each --lm"),
        (["--lm-weight", "1", "--lm-weight", "2"], "2 for 1"),
        (["--dev", "nbest.jsonl"], "--references"),
    ],
)
def test_missing_weights_are_told(folder: Path, capsys, monkeypatch, options: list[str], message: str) -> None:
    monkeypatch.chdir(folder)
    assert run(["speech", "rescore", "nbest.jsonl", "-o", "best.txt", "--lm", "domain.arpa", *options]) == 2
    assert message in capsys.readouterr().err
    assert not (folder / "best.txt").exists()


def test_terms_are_written_for_other_recognisers(folder: Path, capsys) -> None:
    call = ["speech", "terms", str(folder / "domain.txt"), "-o", str(folder / "terms"), "--n-terms", "3"]
    call += ["--domain", str(folder / "domain.arpa"), "--general", str(folder / "general.arpa")]
    capsys.readouterr()
    assert run([*call, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["n_terms"] <= 3
    assert run([*call[:3], "-o", str(folder), *call[5:]]) == 0  # beside the inputs, none of which has such a name
    (folder / "domain.txt").rename(folder / "nemo.txt")
    assert run(["speech", "terms", str(folder / "nemo.txt"), "-o", str(folder), *call[5:]]) == 2
    terms = (folder / "terms" / "nemo.txt").read_text("utf-8").split("\n")
    assert terms[0] in {"turn on the", "play music", "on the light", "turn on", "the light", "good morning"}
