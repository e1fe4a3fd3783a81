"""The language pipeline from text to report, tiny: interrupted and resumed, it ends with the same bytes."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

pytest.importorskip("torch")
pytest.importorskip("ctranslate2")
pytest.importorskip("espeakng_loader")

from run_folders import unnamed_files
from seedcorn.config import dump_config
from seedcorn.corpus.settings import CorpusFile, utterances_in
from seedcorn.input_files import digest_of_folder
from seedcorn.language import recogniser, translations
from seedcorn.language.pipeline import LanguageConfig
from seedcorn.language.run import run_and_report
from seedcorn.runs import open_run
from seedcorn.translation import in_parts
from small_runs import LANGUAGE as SETTINGS
from small_runs import requests

CONFIG = LanguageConfig.model_validate(SETTINGS)


def run_in(folder: Path, config: LanguageConfig = CONFIG, *, starts_processes: bool = False) -> Path:
    with open_run(folder, random_seed=config.random_seed, resolved_config=dump_config(config)) as run:
        return run_and_report(config, run=replace(run, starts_processes=starts_processes))


def digests(folder: Path) -> dict[str, str]:
    stages = [path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]
    return {path.name: digest_of_folder(path) for path in stages}


class Killed(BaseException):
    pass


def kill(*_: object, **__: object) -> None:
    raise Killed


def test_an_interrupted_run_ends_like_an_uninterrupted_one(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(in_parts, "UTTERANCES_PER_PART", 30)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    # With posteriors made in another process, meanwhile.
    report = run_in(whole, CONFIG.model_copy(update={"n_threads": 2}), starts_processes=True)
    for place, name in ((translations, "_write_part"), (recogniser, "recognise")):
        with monkeypatch.context() as patched:
            patched.setattr(place, name, kill)
            with pytest.raises(Killed):
                run_in(broken)
    resumed = run_in(broken)
    assert digests(broken) == digests(whole)
    assert resumed.read_bytes() == report.read_bytes()
    assert set(CONFIG.stages()) == set(digests(whole))  # what --dry-run lists is what is run
    assert unnamed_files(whole, section="Language") == []

    measured = json.loads((whole / "measures" / "measures.json").read_text("utf-8"))
    assert [row["system"] for row in measured["systems"]] == ["transcripts"] * 2 + ["general text"] * 2 + ["all"] * 2
    assert {"lm.arpa.gz", "lexicon.txt", "words.txt", "L.fst.txt"} <= {p.name for p in (whole / "export").iterdir()}
    page = report.read_text("utf-8")
    assert "Before and after" in page
    assert "src=" not in page.split("<script", 1)[0]


def test_language_models_alone_need_no_recogniser(tmp_path) -> None:
    systems = {"transcripts": ["transcripts"], "general text": ["transcripts", "general"]}
    config = LanguageConfig.model_validate({**SETTINGS, "systems": systems, "recogniser": "none"})
    page = run_in(tmp_path / "run", config).read_text("utf-8")
    assert "perplexity: general text" in page
    assert "Before and after" not in page
    assert {p.name for p in (tmp_path / "run" / "export").iterdir()} == {"lm.arpa.gz", "words.txt", "record.json"}
    assert not (tmp_path / "run" / "posteriors").exists()


def test_back_translation_and_texts_chosen_on_dev(tmp_path) -> None:
    further = {"n_target_tokens": 300, "tokens_per_batch": 400, "n_evaluations": 1, "n_dev_pairs": 5}
    going_on = {"back_translation": {"n_best": 1, "n_rounds": 1, "training": further}, "noise": {"fraction": 0.2}}
    translators = {**SETTINGS["translators"], **going_on}
    systems = {
        "transcripts": ["transcripts"],
        "all": [
            "transcripts",
            "general",
            {"source": "translations", "translator": "back_translated", "n_hypotheses": 2},
        ],
    }
    changed = {"translators": translators, "systems": systems, "recogniser": "none", "export_all": True}
    config = LanguageConfig.model_validate({**SETTINGS, **changed})
    page = run_in(tmp_path / "run", config).read_text("utf-8")
    assert "What dev chose" in page
    assert set(config.stages()) == set(digests(tmp_path / "run"))
    for name in ("export", "export-transcripts"):
        assert gzip.decompress((tmp_path / "run" / name / "lm.arpa.gz").read_bytes()).startswith(b"\\data\\\n")
    dropped = json.loads((tmp_path / "run" / "drop-noisy-pairs" / "record.json").read_text("utf-8"))["counts"]
    assert dropped["n_rejected"] == round(0.2 * dropped["n_in"])
    training = json.loads((tmp_path / "run" / "translator-back_translated" / "training.json").read_text("utf-8"))
    assert len(training["dev_chrf_by_round"]) == 2
    reverse = json.loads((tmp_path / "run" / "translator-reverse" / "config.json").read_text("utf-8"))
    assert reverse["model_type"] == "pegasus"
    measures = json.loads((tmp_path / "run" / "model-own-all" / "measures.json").read_text("utf-8"))
    weights = {label: weight for label, _, weight in measures["parts"]}
    entered = {step["text"] for step in measures["steps"] if step["entered"] == "yes"}
    assert {step["text"] for step in measures["steps"]} == set(weights) - {"transcripts"}
    assert {label for label, weight in weights.items() if weight > 0} == entered | {"transcripts"}


def test_translations_made_elsewhere_values_said_by_rule_and_key_terms(tmp_path) -> None:
    pytest.importorskip("babel")
    pytest.importorskip("num2words")
    asked, answered = (
        utterances_in(CorpusFile.model_validate(requests("train", n_rows=60, lang=lang)), name=lang)
        for lang in ("en", "hi")
    )
    text_of = {u.id: u.text for u in answered}
    given = tmp_path / "given.tsv"
    given.write_text("".join(f"{u.id}\t{text_of[u.id]}\n" for u in asked[1:]), "utf-8")
    translations = {"source": "translations", "translator": "given", "rescored": True, "kept": True}
    systems = {
        "transcripts": ["transcripts"],
        "given": ["transcripts", "general", translations, {"source": "slot_variants", "spoken_values": True}],
    }
    translators = {**SETTINGS["translators"], "given": {"file": str(given)}}
    changed = {"translators": translators, "systems": systems, "recogniser": "none", "key_terms": {"n_terms": 5}}
    # Of so few dev sentences nothing is beyond chance.
    config = LanguageConfig.model_validate({**SETTINGS, **changed, "language_model": {"chosen_on_dev": False}})
    run = tmp_path / "run"
    run_in(run, config)
    assert set(config.stages()) == set(digests(run))
    assert not (run / "translator-selected").exists()
    counts = json.loads((run / "translations-given" / "record.json").read_text("utf-8"))["counts"]
    assert counts == {"n_in": len(asked), "n_kept": len(asked) - 1, "n_rejected": 1}
    perplexity = {
        name: json.loads((run / f"model-fixed-{name}" / "measures.json").read_text("utf-8"))["perplexity"]
        for name in systems
    }
    assert perplexity["given"] < perplexity["transcripts"]
    assert len((run / "key-terms" / "nemo.txt").read_text("utf-8").splitlines()) == 5


def test_a_translator_learns_from_translations_made_elsewhere(tmp_path) -> None:
    asked, answered = (
        utterances_in(CorpusFile.model_validate(requests("train", n_rows=60, lang=lang)), name=lang)
        for lang in ("en", "hi")
    )
    text_of = {u.id: u.text for u in answered}
    given = tmp_path / "given.tsv"
    given.write_text("".join(f"{u.id}\t{text_of[u.id]}\n" for u in asked[:20]), "utf-8")
    lesson = {"n_target_tokens": 300, "tokens_per_batch": 400, "n_evaluations": 1, "n_dev_pairs": 5}
    translators = {**SETTINGS["translators"], "distillation": {"training": lesson}}
    systems = {
        "transcripts": ["transcripts"],
        "distilled": ["transcripts", {"source": "translations", "translator": "distilled"}],
    }
    changed = {**SETTINGS, "systems": systems, "recogniser": "none"}
    with pytest.raises(ValidationError, match=r"'distilled' need translators\.given"):
        LanguageConfig.model_validate({**changed, "translators": translators})
    config = LanguageConfig.model_validate({**changed, "translators": {**translators, "given": {"file": str(given)}}})
    run = tmp_path / "run"
    run_in(run, config)
    assert set(config.stages()) == set(digests(run))
    counts = {
        name: json.loads((run / name / "record.json").read_text("utf-8"))["counts"]
        for name in ("translator-distilled", "translations-given", "translations-distilled")
    }
    # The student translates what its teacher left out.
    assert counts["translator-distilled"] == {"n_pairs": 20}
    assert counts["translations-given"]["n_kept"] == 20
    assert counts["translations-distilled"]["n_kept"] > 20
    training = json.loads((run / "translator-distilled" / "training.json").read_text("utf-8"))
    assert len(training["dev_chrf_by_round"]) == 2
    taken = {**translators, "distillation": {"folder": str(run / "translator-distilled")}}
    assert "translator-selected" not in LanguageConfig.model_validate({**changed, "translators": taken}).stages()
