"""Corpora named in configuration files: a path with environment variables or the built-in corpus, and a row choice."""

import os
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Self

import pyarrow as pa
from pydantic import Field, model_validator

from seedcorn.config import Settings
from seedcorn.corpus.partitions import rows_where
from seedcorn.corpus.utterances import Corpus
from seedcorn.errors import ConfigError, DataError

BUILTIN_REQUESTS = "builtin:requests"
BUILTIN_GENERAL = "builtin:general"
_BUILTIN_RANDOM_SEED = 1  # which requests the built-in corpus has is not part of an experiment's randomness
_BUILTIN_PARTITIONS = ("train", "train", "train", "train", "train", "train", "dev", "test", "test", "train")


class CorpusFile(Settings):
    """One corpus: ``path`` may hold ${VARIABLES}; only rows whose columns equal ``where`` are used.

    ``builtin:requests`` and ``builtin:general`` name the built-in corpus; ``n_rows`` and ``lang`` say how much of it.
    """

    path: str
    format: str | None = None
    lang: str = ""
    where: Mapping[str, str] = {}
    n_rows: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _n_rows_is_of_the_builtin_corpus(self) -> Self:
        if self.n_rows is not None and not self.path.startswith("builtin:"):
            raise ValueError("n_rows says how much is made of the built-in corpus; a file is read whole")
        return self


def resolved_path(path: str, *, relative_to: Path) -> Path:
    """Return ``path`` with its variables replaced, relative paths counted from the configuration's folder.

    SEEDCORN_DATA may stay unset where the data lie beside the project; see ``default_data_folder``.
    Raises ConfigError naming a variable that is not set, or a path that does not exist.
    """
    variables = {"SEEDCORN_DATA": str(default_data_folder()), **os.environ}
    try:
        replaced = Path(Template(path).substitute(variables)).expanduser()
    except (KeyError, ValueError) as error:
        raise ConfigError(wanted=f"a path in '{path}'", found=f"the unset variable {error}") from error
    found = replaced if replaced.is_absolute() else relative_to / replaced
    if not found.exists():
        raise ConfigError(
            wanted=f"the file or folder '{path}'",
            found="nothing there",
            where=found,
            fix="Check the path, or set SEEDCORN_DATA to the folder of the data sets (see 'seedcorn data fetch').",
        )
    return found


def default_data_folder() -> Path:
    """Return ../shared/data beside the project: where the data sets are when SEEDCORN_DATA does not say otherwise."""
    return Path(__file__).resolve().parents[4] / "shared" / "data"


def open_corpus(file: CorpusFile, *, relative_to: Path) -> Corpus:
    """Return the corpus that ``file`` names, streamed; a pass over it raises DataError when ``where`` fits no row."""
    corpus = _all_rows(file, relative_to)
    for column, value in file.where.items():
        corpus = rows_where(corpus, column, [value], where=file.path)
    return corpus


def _all_rows(file: CorpusFile, relative_to: Path) -> Corpus:
    if file.path.startswith("builtin:"):
        return _builtin(file)
    from seedcorn.corpus.formats import read_corpus

    return read_corpus(resolved_path(file.path, relative_to=relative_to), format=file.format, lang=file.lang)


def _builtin(file: CorpusFile) -> Corpus:
    from seedcorn.corpus.builtin import builtin_general, builtin_requests

    makers = {BUILTIN_REQUESTS: builtin_requests, BUILTIN_GENERAL: builtin_general}
    if file.path not in makers:
        raise ConfigError(wanted=f"one of {', '.join(makers)}", found=f"'{file.path}'")
    table = makers[file.path](file.n_rows or 5_000, lang=file.lang or "en", random_seed=_BUILTIN_RANDOM_SEED).table()
    partitions = [_BUILTIN_PARTITIONS[i % len(_BUILTIN_PARTITIONS)] for i in range(table.num_rows)]
    return Corpus.from_table(table.append_column("partition", pa.array(partitions)))


def nonempty(corpus: Corpus, *, name: str, where: str) -> Corpus:
    """Return ``corpus`` unless it has no rows, which raises DataError naming which one it was to be."""
    if not any(batch.num_rows for batch in corpus.batches()):
        raise DataError(wanted=f"at least one utterance as {name}", found="none", where=where)
    return corpus
