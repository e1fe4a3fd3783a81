"""Every configuration of configs/ is one that its command accepts, and runs; on real data in a smaller form."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from seedcorn.cli import run
from seedcorn.config import Settings, load_config
from seedcorn.growth.pipeline import GrowthConfig
from seedcorn.intent.pipeline import IntentConfig
from seedcorn.language.pipeline import LanguageConfig
from seedcorn.studies.growth_settings import GrowthStudyConfig
from seedcorn.studies.intent import IntentStudyConfig
from seedcorn.studies.language import LanguageStudyConfig

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))


def model_of(path: Path) -> type[Settings]:
    settings = yaml.safe_load(path.read_text("utf-8"))
    if "study" in settings:
        studies = {"intent": IntentStudyConfig, "language": LanguageStudyConfig, "growth": GrowthStudyConfig}
        return studies[settings["study"]]
    if "drift" in settings:
        return GrowthConfig
    return IntentConfig if "intents" in settings["data"] else LanguageConfig


@pytest.fixture(autouse=True)
def _data_where_needed(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = request.node.callspec.params.get("path") if hasattr(request.node, "callspec") else None
    text = path.read_text("utf-8") if isinstance(path, Path) else ""
    if "SEEDCORN_DATA" in text:
        request.getfixturevalue("real_data")
    # What other commands make first: settings name files, which must be there.
    made_before = {
        "TRANSLATORS": ("selected/config.json", "all_pairs/config.json", "self_trained/config.json"),
        "TEST_BED": ("posteriors/dev.npz", "posteriors/test.npz"),
        "REQUESTS": ("requests.jsonl",),
        "TRANSLATIONS": ("nbest.jsonl",),
    }
    is_file = {"REQUESTS", "TRANSLATIONS"}
    for variable, names in made_before.items():
        for file in (tmp_path / variable / name for name in names):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
            monkeypatch.setenv(f"SEEDCORN_{variable}", str(file if variable in is_file else tmp_path / variable))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_the_configuration_is_accepted(path: Path) -> None:
    assert load_config(path, model_of(path))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_every_setting_that_the_comments_name_exists(path: Path) -> None:
    for line in path.read_text("utf-8").splitlines():
        for override in line.split("--set ")[1:] if line.startswith("#") else []:
            assert load_config(path, model_of(path), overrides=[override.strip()])


FASTER = {
    "self_training.n_folds": 2,
    "self_training.n_crf_iterations": 10,
    "self_training.n_word_texts": 500,
    "annotation.with_forecast": False,  # thirteen trainings more
}


def overrides(changes: Mapping[str, object]) -> list[str]:
    return [part for key, value in changes.items() for part in ("--set", f"{key}={json.dumps(value)}")]


def test_the_intent_pipeline_runs_on_the_built_in_corpus(tmp_path: Path, repository: Path) -> None:
    config = repository / "configs" / "intent-builtin.yaml"
    smaller = {
        "data.annotated.train.n_rows": 2500,
        "data.annotated.dev.n_rows": 2500,
        "data.annotated.test.n_rows": 6000,
        "data.pool": [{"path": "builtin:general", "n_rows": 500}],
        **FASTER,
    }
    assert run(["intent", str(config), "--run-dir", str(tmp_path / "run"), *overrides(smaller), "--quiet"]) == 0


@pytest.mark.needs_data
def test_the_intent_pipeline_runs_on_massive(tmp_path: Path, repository: Path, real_data: Path) -> None:
    config = repository / "configs" / "intent-massive.yaml"
    smaller = {
        "data.pool": [],
        "data.annotated.background_fraction": 0.05,
        "relevance.cutoff.n_kept": 150,
        **FASTER,
    }
    assert run(["intent", str(config), "--run-dir", str(tmp_path / "run"), *overrides(smaller), "--quiet"]) == 0


@pytest.mark.needs_data
@pytest.mark.parametrize(
    "name", ["study-intent-massive", "study-intent-languages", "study-intent-snips", "study-diversity-massive"]
)
def test_the_intent_studies_run(name: str, tmp_path: Path, repository: Path, real_data: Path) -> None:
    config = repository / "configs" / f"{name}.yaml"
    settings = yaml.safe_load(config.read_text("utf-8"))
    corpus, of_corpus = next(iter(settings["corpora"].items()))
    of_corpus["data"]["pool"] = []
    of_corpus["data"]["annotated"]["background_fraction"] = 0.05
    functionality, intents = next(iter(settings["functionalities"].items()))
    changes = {
        "random_seeds": [1],
        "functionalities": {functionality: intents},
        "reported": [],
        "corpora": {corpus: of_corpus},
        "systems": dict(list(settings["systems"].items())[:1]),
        "run.relevance.cutoff.n_kept": 150,
        "run.self_training.encoder": None,  # a pretrained one, which a test must not download
        "run.self_training.n_folds": 2,
        "run.self_training.n_word_texts": 0,
        "run.self_training.n_crf_iterations": 10,
        "true_labels": False,
    }
    assert run(["study", str(config), "--run-dir", str(tmp_path / "run"), *overrides(changes), "--quiet"]) == 0
    assert (tmp_path / "run" / f"{settings['name']}.json").exists()
