"""Corpora named in settings: a file or the built-in corpus, and a choice of its rows."""

from collections.abc import Mapping, Sequence
from typing import Self

import pyarrow as pa
from pydantic import Field, model_validator

from seedcorn.config import Settings
from seedcorn.corpus.columns import ColumnChoice
from seedcorn.corpus.partitions import rows_where
from seedcorn.corpus.places import CorpusPlace
from seedcorn.corpus.utterances import Corpus, Utterance
from seedcorn.errors import ConfigError, DataError

BUILTIN_REQUESTS = "builtin:requests"
BUILTIN_GENERAL = "builtin:general"
_BUILTIN_RANDOM_SEED = 1  # which requests the built-in corpus has is not part of an experiment's randomness
_BUILTIN_PARTITIONS = ("train", "train", "train", "train", "train", "train", "dev", "test", "test", "train")


class CorpusFile(Settings):
    """One corpus: ``path`` may hold ${VARIABLES}; only rows whose columns equal ``where`` are used.

    It may also be a pattern (``logs/*.jsonl``), a folder of Parquet files, or a URL of these (``s3://bucket/logs``).
    ``columns`` names those of a table that are not told by usual names, by name or, without a header, number.

    ``builtin:requests`` and ``builtin:general`` name the built-in corpus; ``n_rows`` and ``lang`` say how much of it.
    """

    path: CorpusPlace
    format: str | None = None
    lang: str = ""
    columns: ColumnChoice = ColumnChoice()
    where: Mapping[str, str] = {}
    n_rows: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _n_rows_is_of_the_builtin_corpus(self) -> Self:
        if self.n_rows is not None and not self.path.is_builtin:
            raise ValueError("n_rows says how much is made of the built-in corpus; a file is read whole")
        return self

    @model_validator(mode="after")
    def _columns_are_of_one_file(self) -> Self:
        if (self.lang or self.columns != ColumnChoice()) and self.path.is_pool:
            raise ValueError("lang and columns are for single files; of many files they are told by usual names")
        return self


def open_corpus(file: CorpusFile) -> Corpus:
    """Return the corpus that ``file`` names, streamed; a pass over it raises DataError when ``where`` fits no row."""
    return _rows_of(_all_rows(file), file)


def parts_of_corpora(files: Sequence[CorpusFile]) -> list[Corpus]:
    """Return the corpora that ``files`` name, in memory: those that are parts of one file are read from it once."""
    wholes: list[tuple[CorpusFile, Corpus]] = []
    parts: list[Corpus] = []
    for file in files:
        of_file = file.model_copy(update={"where": {}})
        whole = next((corpus for name, corpus in wholes if name == of_file), None)
        if whole is None:
            whole = Corpus.from_table(_all_rows(file).table())
            wholes.append((of_file, whole))
        parts.append(_rows_of(whole, file))
    return parts


def utterances_in(file: CorpusFile, *, name: str) -> list[Utterance]:
    """Return the utterances that ``file`` names, which are to be ``name``. Raises DataError when there are none."""
    return nonempty(open_corpus(file), name=name, where=file.path.written).utterances()


def _rows_of(corpus: Corpus, file: CorpusFile) -> Corpus:
    for column, value in file.where.items():
        corpus = rows_where(corpus, column, [value], where=file.path.written)
    return corpus


def _all_rows(file: CorpusFile) -> Corpus:
    if file.path.is_builtin:
        return _builtin(file)
    from seedcorn.corpus.formats import read_corpus
    from seedcorn.corpus.formats.pool import read_pool

    if file.path.is_pool:
        return read_pool(file.path.where, format=file.format)
    return read_corpus(file.path.path, format=file.format, lang=file.lang, columns=file.columns)


def _builtin(file: CorpusFile) -> Corpus:
    from seedcorn.corpus.builtin import builtin_general, builtin_requests

    makers = {BUILTIN_REQUESTS: builtin_requests, BUILTIN_GENERAL: builtin_general}
    make = makers.get(file.path.written)
    if make is None:
        raise ConfigError(wanted=f"one of {', '.join(makers)}", found=f"'{file.path.written}'")
    table = make(file.n_rows or 5_000, lang=file.lang or "en", random_seed=_BUILTIN_RANDOM_SEED).table()
    partitions = [_BUILTIN_PARTITIONS[i % len(_BUILTIN_PARTITIONS)] for i in range(table.num_rows)]
    return Corpus.from_table(table.append_column("partition", pa.array(partitions)))


def nonempty(corpus: Corpus, *, name: str, where: str) -> Corpus:
    """Return ``corpus`` unless it has no rows, which raises DataError naming which one it was to be."""
    if not any(batch.num_rows for batch in corpus.batches()):
        raise DataError(wanted=f"at least one utterance as {name}", found="none", where=where)
    return corpus
