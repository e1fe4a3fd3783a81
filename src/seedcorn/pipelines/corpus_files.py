"""Corpora named in configuration files: a path with environment variables or the built-in corpus, and a row choice."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Template

import pyarrow as pa
import pyarrow.compute as pc

from seedcorn.config import Settings
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
    n_rows: int | None = None


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
    """Return the corpus that ``file`` names, streamed."""
    return _chosen_rows(_all_rows(file, relative_to), file.where, file.path)


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


def _chosen_rows(corpus: Corpus, where: Mapping[str, str], path: str) -> Corpus:
    for column in where:
        if column not in corpus.schema.names:
            raise ConfigError(
                wanted=f"a column '{column}' to choose rows by",
                found=f"columns {', '.join(corpus.schema.names)}",
                where=path,
            )

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in corpus.batches():
            for column, value in where.items():
                batch = batch.filter(pc.equal(batch.column(column), value))
            if batch.num_rows:
                yield batch

    return Corpus(batches, corpus.schema) if where else corpus


def nonempty(corpus: Corpus, *, name: str, where: str) -> Corpus:
    """Return ``corpus`` unless it has no rows, which raises DataError naming which one it was to be."""
    if next(corpus.batches(), None) is None:
        raise DataError(wanted=f"at least one utterance as {name}", found="none", where=where)
    return corpus
