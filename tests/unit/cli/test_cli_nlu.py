import io
import json
import shutil
import sys
from pathlib import Path

import pytest

from seedcorn import NluModel, load_nlu
from seedcorn.cli import run
from seedcorn.corpus.builtin import builtin_requests
from seedcorn.corpus.formats import write_corpus
from seedcorn.corpus.utterances import Corpus
from seedcorn.errors import DataError
from seedcorn.nlu.saved_model import model_folder


def test_train_predict_evaluate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = builtin_requests(250, lang="en", random_seed=1).utterances()
    write_corpus(Corpus.from_utterances(rows), tmp_path / "train.jsonl")
    model = tmp_path / "run" / "model"
    assert run(["nlu", "train", str(tmp_path / "train.jsonl"), "-o", str(model), "--quiet", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["n_rows"] == 250
    assert run(["nlu", "train", str(tmp_path / "train.jsonl"), "-o", str(model)]) == 2

    assert run(["nlu", "evaluate", str(tmp_path / "run"), str(tmp_path / "train.jsonl"), "--json", "--quiet"]) == 0
    measured = json.loads(capsys.readouterr().out)
    assert measured["intent_accuracy_low"] <= measured["intent_accuracy"] <= measured["intent_accuracy_high"]
    assert measured["intent_accuracy"] > 0.9

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((rows[0].text + "\n").encode()), encoding="utf-8"))
    assert run(["nlu", "predict", str(model), "--quiet"]) == 0
    found = json.loads(capsys.readouterr().out)
    (direct,) = load_nlu(model).predict([rows[0].text])
    assert NluModel.load(str(tmp_path / "run")).predict([rows[0].text]) == [direct]
    assert (found["text"], found["intent"]) == (rows[0].text, direct.intent)
    assert [slot["type"] for slot in found["slots"]] == [slot.type for slot in direct.slots]


@pytest.mark.parametrize("left", ["training/model", "current/model"])
def test_of_the_models_of_a_run_what_it_leaves_to_be_used_is_taken(tmp_path: Path, left: str) -> None:
    for place in ("data/agent/model", left, "teacher/model"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "linear.npz").touch()
    assert model_folder(tmp_path) == tmp_path / left
    shutil.rmtree(tmp_path / left)
    with pytest.raises(DataError, match=r"found data/agent/model, teacher/model\. Name the folder of the model"):
        model_folder(tmp_path)


def test_a_folder_without_a_model_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.txt").write_text("hello\n", encoding="utf-8")
    assert run(["nlu", "predict", str(tmp_path), str(tmp_path / "a.txt")]) == 2
    assert "wanted one saved NLU model, found none" in capsys.readouterr().err
