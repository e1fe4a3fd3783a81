"""Every configuration of configs/ is one that its command accepts, and runs; on real data in a smaller form."""

import json
from pathlib import Path

import pytest
import yaml

from seedcorn.cli import run
from seedcorn.config import Settings, load_config
from seedcorn.pipelines.intent import IntentConfig
from seedcorn.pipelines.language import LanguageConfig
from seedcorn.studies.intent_study import IntentStudyConfig
from seedcorn.studies.language_study import LanguageStudyConfig

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))


def model_of(path: Path) -> type[Settings]:
    settings = yaml.safe_load(path.read_text("utf-8"))
    if "study" in settings:
        return {"intent": IntentStudyConfig, "language": LanguageStudyConfig}[settings["study"]]
    return IntentConfig if "intents" in settings else LanguageConfig


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_the_configuration_is_accepted(path: Path) -> None:
    assert load_config(path, model_of(path))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_every_setting_that_the_comments_name_exists(path: Path) -> None:
    for line in path.read_text("utf-8").splitlines():
        for override in line.split("--set ")[1:] if line.startswith("#") else []:
            assert load_config(path, model_of(path), overrides=[override.strip()])


SMALLER = [
    "--set",
    "data.pool=[]",
    "--set",
    "data.annotated.background_fraction=0.05",
    "--set",
    "relevance.cutoff.n_kept=150",
    "--quiet",
]


def test_the_intent_pipeline_runs_on_the_built_in_corpus(tmp_path: Path, repository: Path) -> None:
    config = repository / "configs" / "intent-builtin.yaml"
    smaller = [
        "--set",
        "data.annotated.train.n_rows=2500",
        "--set",
        "data.pool=[{path: 'builtin:general', n_rows: 500}]",
    ]
    assert run(["intent", str(config), "--run-dir", str(tmp_path / "run"), *smaller, "--quiet"]) == 0


@pytest.mark.needs_data
def test_the_intent_pipeline_runs_on_massive(tmp_path: Path, repository: Path, real_data: Path) -> None:
    config = repository / "configs" / "intent-massive.yaml"
    assert run(["intent", str(config), "--run-dir", str(tmp_path / "run"), *SMALLER]) == 0


@pytest.mark.needs_data
@pytest.mark.parametrize("name", ["study-intent-massive", "study-intent-snips", "study-diversity-massive"])
def test_the_intent_studies_run(name: str, tmp_path: Path, repository: Path, real_data: Path) -> None:
    config = repository / "configs" / f"{name}.yaml"
    settings = yaml.safe_load(config.read_text("utf-8"))
    few = {role: settings["systems"][settings[role]] for role in ("baseline", "reported")}
    systems = {settings[role]: system for role, system in few.items()}
    first = dict(list(settings["functionalities"].items())[:1])
    changes = {"random_seeds": [1], "functionalities": first, "systems": systems, "ceiling": None}
    overrides = []
    if "encoder" in settings.get("teaching", {}):
        overrides += ["--set", "teaching.encoder=null"]  # a pretrained one, which a test must not download
    for key, value in changes.items():
        overrides += ["--set", f"{key}={json.dumps(value)}"]
    assert run(["study", str(config), "--run-dir", str(tmp_path / "run"), *overrides, *SMALLER]) == 0
    assert (tmp_path / "run" / f"{name.removeprefix('study-')}.json").exists()
