"""The configurations that come with the project, and the commands that run them."""

from importlib import resources

import pytest
from typer.testing import CliRunner

from seedcorn.cli import app
from seedcorn.config import load_config
from seedcorn.errors import ConfigError
from seedcorn.language.pipeline import LanguageConfig
from seedcorn.studies.kind import StudyKind


def test_the_package_brings_what_the_demo_runs() -> None:
    configs = resources.files("seedcorn") / "configs"
    assert {"intent-builtin.yaml", "language-builtin.yaml"} <= {path.name for path in configs.iterdir()}


def test_a_study_of_another_kind_is_refused(tmp_path) -> None:
    (tmp_path / "study.yaml").write_text("study: speech\n", "utf-8")
    with pytest.raises(ConfigError, match="'speech'"):
        load_config(tmp_path / "study.yaml", StudyKind)


def test_an_unknown_setting_of_the_language_pipeline_is_refused_with_the_nearest_one(tmp_path) -> None:
    text = (resources.files("seedcorn") / "configs" / "language-builtin.yaml").read_text("utf-8")
    (tmp_path / "config.yaml").write_text(text.replace("n_best:", "nbest:"), "utf-8")
    with pytest.raises(ConfigError, match="Did you mean 'n_best'"):
        load_config(tmp_path / "config.yaml", LanguageConfig)


def test_an_oracle_needs_true_translations() -> None:
    path = resources.files("seedcorn") / "configs" / "language-builtin.yaml"
    with resources.as_file(path) as file, pytest.raises(ConfigError, match="oracle_target"):
        load_config(file, LanguageConfig, overrides=["systems={a: [transcripts], b: [oracle_target]}"])


@pytest.mark.parametrize("command", ["language", "demo", "study"])
def test_help_is_there(command) -> None:
    assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0
