from enum import StrEnum
from pathlib import Path
from typing import Literal, Self

import pytest
from pydantic import model_validator

from seedcorn.config import Settings, dump_config, load_config
from seedcorn.errors import ConfigError


class Inner(Settings):
    n_best: int = 10
    limit: int = 9
    of: int = 9
    text: str = ""

    @model_validator(mode="after")
    def _is_within(self) -> Self:
        if self.of < self.limit < 9:
            raise ValueError("'limit' is over 'of'")
        return self


class Side(StrEnum):
    LEFT = "left"
    RIGHT = "right"
    UP = "up"


class Needed(Settings):
    n_best: int
    side: Literal[Side.LEFT, Side.RIGHT] = Side.LEFT


class Outer(Settings):
    random_seed: int = 1
    needed: Needed | None = None
    inner: Inner = Inner()
    many: tuple[Inner, ...] = ()

    @model_validator(mode="after")
    def _is_lucky(self) -> Self:
        if self.random_seed == 13:
            raise ValueError("no 13: bad luck")
        return self


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "c.yaml"
    path.write_text(text, "utf-8")
    return path


def test_overrides_win_and_the_resolved_config_loads_again(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, "inner:\n  n_best: 3\n"), Outer, overrides=["inner.n_best=5"])
    assert config.inner.n_best == 5
    assert load_config(written(tmp_path, dump_config(config)), Outer) == config


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("random_sed: 1\n", r"c.yaml:1: wanted a known setting, found 'random_sed'. Did you mean 'random_seed'\?"),
        ("needed:\n  n_bets: 1\n", r"c.yaml:2: .*'needed.n_bets'. Did you mean 'n_best'\?"),
        ("needed:\n  x: 1\n", r"c.yaml:2: wanted a known setting, found 'needed.x'"),
        ("needed: {n_best: 1, side: up}\n", r"'needed.side': Input should be 'left' or 'right', found 'up'"),
        ("random_seed: 1\ninner:\n  nbest: 3\n", r"c.yaml:3: .*Did you mean 'n_best'\?"),
        ("many:\n- n_best: 1\n- nbest: 2\n", r"c.yaml:3: .*'many.1.nbest'. Did you mean 'n_best'\?"),
        ("inner:\n  n_best: many\n", r"c.yaml:2: wanted 'inner.n_best'.*found 'many'"),
        ("random_seed: 1\ninner:\n  n_best: 3\n  n_best: 4\n", r"c.yaml:4: wanted each setting once, found 'n_best' a"),
        ("inner: 3\n", "c.yaml:1: wanted 'inner': Input should be a group of settings, found 3"),
        ("many: 3\n", "c.yaml:1: wanted 'many': Input should be a list, found 3"),
        ("a: [\n", r"c.yaml:2: wanted YAML"),
        ("inner:\n  [n_best]: 3\n", r"c.yaml:2: wanted the name of a setting"),
        ("b: [1, {c: x}]\na: 2024-13-45\n", r"\.yaml:2: wanted YAML, found a value that is none"),
        ("a: !!int abc\n", "wanted YAML, found a value that is none"),
        ("a: !!float ''\n", "wanted YAML, found a value that is none"),
        ("a: !!bool maybe\n", "wanted YAML, found a value that is none"),
        ("a: !!timestamp soon\n", "wanted YAML, found a value that is none"),
        ("a: " + "[" * 5_000 + "]" * 5_000, "wanted YAML, found lists nested too deep"),
        (
            "a: &a ["
            + "x, " * 9
            + "x]\n"
            + "".join(f"{c}: &{c} [{', '.join([f'*{b}'] * 9)}]\n" for b, c in zip("abcdefgh", "bcdefghi", strict=True)),
            "aliases that make more",
        ),
        ("- 1\n", "wanted a mapping of settings"),
        (
            "inner:\n  limit: 3\n  of: 2\n",
            r"c.yaml:1: wanted 'inner': 'limit' is over 'of', found {'limit': 3, 'of': 2}$",
        ),
        ("random_seed: 13\n", r"c.yaml: wanted settings that fit together, found some that do not. No 13: bad luck.$"),
        (
            f"inner: {{limit: 3, of: 2, text: {'x' * 500}}}\n",
            "'limit' is over 'of', found the settings limit, of, text$",
        ),
        (f"inner: {{n_best: {'x' * 500}}}\n", r"wanted 'inner.n_best': .*, found 'x{99} \.\.\.$"),
    ],
)
def test_mistakes_are_named_with_their_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(written(tmp_path, text), Outer)


def test_an_override_without_value_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--set"):
        load_config(written(tmp_path, ""), Outer, overrides=["inner"])


@pytest.mark.parametrize("override", ["inner.nbest=5", "inner={nbest: 5}", "inner.n_best=many", "iner.n_best=3"])
def test_a_mistake_of_an_override_is_told_as_such(tmp_path: Path, override: str) -> None:
    with pytest.raises(ConfigError, match=r"^--set: wanted "):
        load_config(written(tmp_path, "inner:\n  n_best: 1\n"), Outer, overrides=[override])


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="wanted a readable YAML file"):
        load_config(tmp_path / "none.yaml", Outer)


def test_python_objects_in_yaml_are_not_built(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        load_config(written(tmp_path, "random_seed: !!python/object/apply:os.getpid []\n"), Outer)
