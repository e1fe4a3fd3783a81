"""The language pipeline from text to report, tiny: interrupted and resumed, it ends with the same bytes."""

import json
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("ctranslate2")
pytest.importorskip("espeakng_loader")

from seedcorn.config import dump_config
from seedcorn.files import digest_of_folder
from seedcorn.pipelines import language_nbest, language_speech_stages
from seedcorn.pipelines.language import LanguageConfig, run_language
from seedcorn.runs import open_run


def requests(lang: str, partition: str) -> dict[str, object]:
    return {"path": "builtin:requests", "lang": lang, "n_rows": 60, "where": {"partition": partition}}


CONFIG = LanguageConfig.model_validate(
    {
        "name": "tiny",
        "data": {
            "source_lang": "en",
            "target_lang": "hi",
            "transcripts": requests("hi", "train"),
            "n_transcripts": 20,
            "source": [requests("en", "train")],
            "pairs": [{"path": "builtin:pairs", "n_rows": 250}],
            "dev": requests("hi", "dev"),
            "test": requests("hi", "test"),
            "dev_source": requests("en", "dev"),
        },
        "pairs": {"n_dimensions": 4},
        "translators": {
            "selected": {
                "n_target_tokens": 3000,
                "tokens_per_batch": 400,
                "n_subwords": 400,
                "width": 16,
                "n_encoder_layers": 1,
                "n_decoder_layers": 1,
                "n_heads": 2,
                "n_evaluations": 1,
                "n_dev_pairs": 5,
            },
            "self_training": {"n_target_tokens": 500, "n_best": 2},
        },
        # A translator of a second's training knows no whole words.
        "translation": {"n_best": 3, "n_tuning": 5, "keep": {"known_words_only": False}},
        "systems": {
            "transcripts": {},
            "general text": {"general": True},
            "all": {"general": True, "translator": "self_trained", "entities": True, "rescored": True, "kept": True},
        },
        "recogniser": {
            "test_bed": {"n_sentences": 40, "n_epochs": 1},
            "decoder": {"beam_size": 8, "n_tuning": 3},
        },
    }
)


def run_in(folder: Path) -> Path:
    with open_run(folder, random_seed=CONFIG.random_seed, resolved_config=dump_config(CONFIG)) as run:
        return run_language(CONFIG, run=run, relative_to=folder)


def digests(folder: Path) -> dict[str, str]:
    stages = [path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]
    return {path.name: digest_of_folder(path) for path in stages}


class Killed(BaseException):
    pass


def kill(*_: object, **__: object) -> None:
    raise Killed


def test_an_interrupted_run_ends_like_an_uninterrupted_one(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(language_nbest, "SOURCES_PER_PART", 30)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    report = run_in(whole)
    write_whole = language_nbest._write_whole
    for place, name in ((language_nbest, "_write_whole"), (language_speech_stages, "recognised")):
        with monkeypatch.context() as patched:
            patched.setattr(place, name, kill)
            with pytest.raises(Killed):
                run_in(broken)
    assert language_nbest._write_whole is write_whole
    resumed = run_in(broken)
    assert digests(broken) == digests(whole)
    assert resumed.read_bytes() == report.read_bytes()

    measured = json.loads((whole / "measures" / "measures.json").read_text("utf-8"))
    assert [row["system"] for row in measured["systems"]] == ["transcripts"] * 2 + ["general text"] * 2 + ["all"] * 2
    assert {"lm.arpa.gz", "lexicon.txt", "words.txt", "L.fst.txt"} <= {p.name for p in (whole / "export").iterdir()}
    page = report.read_text("utf-8")
    assert "Before and after" in page
    assert "src=" not in page.split("<script", 1)[0]
