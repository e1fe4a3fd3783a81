"""Corpora that a configuration names."""

from pathlib import Path

import pytest

from seedcorn.config import Settings, load_config
from seedcorn.corpus.settings import CorpusFile, open_corpus
from seedcorn.errors import ConfigError, DataError


class _Config(Settings):
    corpus: CorpusFile


def _read(folder: Path, corpus: str) -> list[tuple[str, str]]:
    config = folder / "config.yaml"
    config.write_text(f"corpus: {corpus}\n", "utf-8")
    return [(u.text, u.intent) for u in open_corpus(load_config(config, _Config).corpus).utterances()]


def test_columns_without_usual_names_are_named_in_the_configuration(tmp_path: Path) -> None:
    """By number where there is no header, by name where there is one, with any delimiter."""
    (tmp_path / "pairs.tsv").write_text("guten tag\tgood day\tlist\nja\tyes\tlist\n", "utf-8")
    assert _read(tmp_path, "{path: pairs.tsv, columns: {text: '2'}}") == [("good day", ""), ("yes", "")]
    (tmp_path / "log.csv").write_text("satz#klasse\nlicht an#light\n", "utf-8")
    columns = "{text: satz, intent: klasse, delimiter: '#'}"
    assert _read(tmp_path, f"{{path: log.csv, columns: {columns}}}") == [("licht an", "light")]


def test_columns_that_cannot_be_are_refused_by_their_key(tmp_path: Path) -> None:
    """A delimiter of several characters, an unknown key, and a column that is not there."""
    (tmp_path / "log.tsv").write_text("satz\tklasse\nlicht an\tlight\n", "utf-8")
    with pytest.raises(ConfigError, match=r"corpus\.columns\.delimiter.*one character"):
        _read(tmp_path, "{path: log.tsv, columns: {delimiter: '::'}}")
    with pytest.raises(ConfigError, match=r"corpus\.columns\.texts.*'text'"):
        _read(tmp_path, "{path: log.tsv, columns: {texts: satz}}")
    with pytest.raises(DataError, match="the column 'zeile' as text, found columns satz, klasse"):
        _read(tmp_path, "{path: log.tsv, columns: {text: zeile}}")
