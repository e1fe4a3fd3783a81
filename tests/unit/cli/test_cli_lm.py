import json
import sys
import warnings
from collections.abc import Callable
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from language_models import SENTENCES
from seedcorn.cli import run
from seedcorn.errors import SeedcornWarning
from seedcorn.lm.arpa import read_arpa
from seedcorn.lm.model_file import is_model_file, read_model

Run = Callable[..., tuple[int, str, str]]
# These texts are too small to estimate discounts from.
pytestmark = pytest.mark.filterwarnings("ignore::seedcorn.errors.SeedcornWarning")


@pytest.fixture
def lm(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    def call(*arguments: object, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(stdin.encode()), encoding="utf-8"))
        code = run(["lm", *map(str, arguments)])
        return code, *capfd.readouterr()

    return call


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text("\n".join(SENTENCES * 3) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def model(text: Path, lm: Run) -> Path:
    output = text.with_name("model.lm")
    assert lm("estimate", text, "-o", output)[0] == 0
    return output


def test_estimate_writes_the_format_of_the_name_and_describes_it(text: Path, lm: Run) -> None:
    for name, is_binary in (("m.lm", True), ("m.arpa", False), ("m.arpa.gz", False)):
        code, out, _ = lm("estimate", text, "--order", 2, "-o", text.with_name(name), "--json")
        assert code == 0
        assert json.loads(out)["order"] == 2
        assert is_model_file(text.with_name(name)) is is_binary


@pytest.mark.parametrize("memory", ["1K", "0.5m", "2G", "3GB", "700"])
def test_memory_changes_no_byte(memory: str, text: Path, lm: Run) -> None:
    bounded = text.with_name("bounded.arpa")
    assert lm("estimate", text, "--memory", memory, "-o", bounded)[0] == 0
    assert lm("estimate", text, "-o", text.with_name("whole.arpa"))[0] == 0
    assert bounded.read_bytes() == text.with_name("whole.arpa").read_bytes()


@pytest.mark.parametrize("memory", ["0", "-1G", "2X", "nan", "", "1 2", "G", "0.0001K", "1e3M", "٣G"])
def test_memory_that_is_no_size_is_refused(memory: str, text: Path, lm: Run) -> None:
    output = text.with_name("none.arpa")
    code, _, errors = lm("estimate", text, f"--memory={memory}", "-o", output)
    assert (code, output.exists()) == (2, False)
    assert "wanted a size such as 2G or 500M as --memory" in errors


def test_fallback_discounts_are_noted(lm: Run) -> None:
    warnings.simplefilter("always", SeedcornWarning)
    assert "seedcorn: note: the discounts of 2-grams" in lm("estimate", stdin="a b c\n")[2]


def test_pipes(lm: Run, tmp_path: Path) -> None:
    code, out, _ = lm("estimate", "--order", "2", "--prune", "0 1", stdin="a b\na b\nc\n")
    assert code == 0
    path = tmp_path / "piped.arpa"
    path.write_text(out, encoding="utf-8")
    assert read_arpa(path).n_ngrams[0] == 6
    code, out, _ = lm("score", path, "-", stdin="a b\nzebra\n")
    assert [line.split("\t")[1:] for line in out.splitlines()] == [["0", "a b"], ["1", "zebra"]]


def test_score_by_word_adds_up(model: Path, lm: Run) -> None:
    sentence = lm("score", model, stdin="play zebra\n")[1].split("\t")
    words = [line.split("\t") for line in lm("score", model, "--words", stdin="play zebra\n")[1].splitlines() if line]
    assert [word[2] for word in words] == ["play", "zebra", "</s>"]
    assert [word[1] for word in words] == ["0", "1", "0"]
    assert sum(float(word[0]) for word in words) == pytest.approx(float(sentence[0]), abs=2e-6)


def test_perplexity(model: Path, text: Path, lm: Run) -> None:
    code, out, _ = lm("perplexity", model, text, "--json")
    shown = json.loads(out)
    assert code == 0
    assert (shown["n_sentences"], shown["n_oov"]) == (36, 0)
    assert shown["perplexity"] == shown["perplexity_without_oov"] > 1


def test_words_are_folded_on_request(model: Path, lm: Run) -> None:
    assert lm("score", model, stdin="PLAY, please!\n")[1].split("\t")[1] == "2"
    assert lm("score", model, "--tokens", "words", stdin="PLAY, please!\n")[1].split("\t")[1] == "0"


def test_interpolate_and_prune(model: Path, text: Path, lm: Run) -> None:
    other = text.with_name("other.arpa")
    assert lm("estimate", "-o", other, "--order", 2, stdin="call the shop\nstop the car\n")[0] == 0
    mixed = text.with_name("mixed.lm")
    code, out, _ = lm("interpolate", model, other, "--dev", text, "-o", mixed, "--json")
    shown = json.loads(out)
    assert code == 0
    assert shown[f"weight of {model}"] > 0.9
    assert shown["dev_perplexity_of_static_model"] == pytest.approx(shown["dev_perplexity"], rel=0.005)
    assert set(read_model(mixed).words) > set(read_model(model).words)
    pruned = text.with_name("pruned.arpa")
    code, out, _ = lm("prune", mixed, "--size", 50, "-o", pruned, "--test", text, "--report-sizes", "60 40", "--json")
    assert code == 0
    assert json.loads(out)["n_ngrams"] == 50
    curve = [json.loads(out)[f"perplexity{what}"] for what in ("_before", " of 60 n-grams", "", " of 40 n-grams")]
    assert curve == sorted(curve)


def test_given_weights(model: Path, lm: Run) -> None:
    assert lm("interpolate", model, model, "--weight", 0.5, "--weight", 0.5)[0] == 0
    assert lm("interpolate", model, model, "--weight", 0.5)[0] == 2
    assert lm("interpolate", model, model)[0] == 2


def test_info(model: Path, lm: Run) -> None:
    code, out, _ = lm("info", model, "--json")
    assert code == 0
    assert json.loads(out)["format"] == "binary"
    assert json.loads(out)["n_words"] == len(read_model(model).words)


@pytest.mark.parametrize("command", ["estimate", "score", "perplexity"])
def test_models_given_as_text_are_refused(command: str, model: Path, lm: Run) -> None:
    arguments = [model] if command == "estimate" else [model, model]
    code, _, err = lm(command, *arguments)
    assert code == 2
    assert "found a language model" in err
    assert "Traceback" not in err


def test_text_given_as_model_is_refused(text: Path, lm: Run) -> None:
    code, _, err = lm("score", text, text)
    assert code == 2
    assert "text.txt:1: wanted an ARPA language model" in err


@pytest.mark.parametrize("prune", ["x", "1", "0 2 1"])
def test_impossible_pruning_is_refused_and_nothing_is_written(prune: str, text: Path, lm: Run) -> None:
    output = text.with_name("none.arpa")
    assert lm("estimate", text, "--prune", prune, "-o", output)[0] == 2
    assert not output.exists()
