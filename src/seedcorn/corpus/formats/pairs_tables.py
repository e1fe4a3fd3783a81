"""Pairs as rows of a table: TSV without quoting, JSON lines, Parquet."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from seedcorn.corpus.formats.bad_rows import BadRows
from seedcorn.corpus.formats.jsonl import json_objects
from seedcorn.corpus.formats.lines import line_blocks
from seedcorn.corpus.formats.pairs_rows import NumberedPair, PairChunk, chunks_of
from seedcorn.corpus.formats.parquet import reading_arrow
from seedcorn.corpus.pairs import PAIR_SCHEMA
from seedcorn.corpus.utterances import ROWS_PER_BATCH
from seedcorn.errors import DataError, at

_NAMES_WITHOUT_HEADER = ("source", "target", "origin")


def read_tsv(path: Path, bad_rows: BadRows) -> Iterator[PairChunk]:
    """Yield the pairs of a TSV file: with a header that names source and target, or source, target and maybe origin.

    There is no quoting, and a line with another number of fields than the first is bad: a tab was inside a text.
    """
    yield from chunks_of(_tsv_rows(path, bad_rows))


def _tsv_rows(path: Path, bad_rows: BadRows) -> Iterator[NumberedPair]:
    names: Sequence[str] = ()
    for block in line_blocks(path, bad_rows):
        for number, line in block:
            if not line or line.isspace():
                continue
            fields = line.split("\t")
            if not names:
                names = _column_names(fields, where=at(path, number))
                if "source" in fields:
                    continue
            if len(fields) == len(names):
                yield NumberedPair(number, dict(zip(names, fields, strict=True)))
            else:
                bad_rows.report(_wrong_length(fields, names, where=at(path, number)), line)


def _column_names(first: Sequence[str], *, where: str) -> Sequence[str]:
    if {"source", "target"} <= set(first) and len(set(first)) == len(first):
        return first
    if 2 <= len(first) <= len(_NAMES_WITHOUT_HEADER) and "source" not in first:
        return _NAMES_WITHOUT_HEADER[: len(first)]
    raise DataError(
        wanted="source, tab, target (and origin), or a header that names the columns",
        found=f"{len(first)} fields: {', '.join(first)[:60]}",
        where=where,
    )


def _wrong_length(fields: Sequence[str], names: Sequence[str], *, where: str) -> DataError:
    return DataError(
        wanted=f"{len(names)} fields between tabs ({', '.join(names)})",
        found=f"{len(fields)}",
        where=where,
        fix="A tab inside a text must become a space.",
    )


def read_jsonl(path: Path, bad_rows: BadRows) -> Iterator[PairChunk]:
    """Yield the objects of a JSON lines file with the names of PAIR_SCHEMA; other names are left out."""
    yield from chunks_of(_jsonl_rows(path, bad_rows))


def _jsonl_rows(path: Path, bad_rows: BadRows) -> Iterator[NumberedPair]:
    for line, row in json_objects(path, bad_rows):
        fields = {name: row[name] for name in PAIR_SCHEMA.names if row.get(name) is not None}
        strings = {name: value for name, value in fields.items() if isinstance(value, str)}
        if len(strings) == len(fields) and {"source", "target"} <= strings.keys():
            yield NumberedPair(line, strings)
        else:
            error = DataError(
                wanted="an object with the strings 'source' and 'target'",
                found=f"{json.dumps(row, ensure_ascii=False)[:60]}",
                where=at(path, line),
            )
            bad_rows.report(error, json.dumps(row, ensure_ascii=False))


def read_parquet(path: Path, bad_rows: BadRows) -> Iterator[PairChunk]:
    """Yield the rows of a Parquet file with columns source and target; raises DataError when it is damaged."""
    with reading_arrow(path, "a Parquet file of texts"), pq.ParquetFile(path) as file:
        missing = {"source", "target"} - set(file.schema_arrow.names)
        if missing:
            raise DataError(wanted=f"a column '{min(missing)}'", found=f"{file.schema_arrow.names}", where=path)
        n_before = 0
        for batch in file.iter_batches(batch_size=ROWS_PER_BATCH):
            batch.validate(full=True)  # also that texts are UTF-8
            yield _parquet_chunk(batch, n_before)
            n_before += batch.num_rows


def _parquet_chunk(batch: pa.RecordBatch, n_before: int) -> PairChunk:
    nothing = pa.repeat("", batch.num_rows)
    columns = {
        name: batch.column(name).cast(pa.string()) if name in batch.schema.names else nothing
        for name in PAIR_SCHEMA.names
    }
    lines = np.arange(n_before + 1, n_before + batch.num_rows + 1, dtype=np.int64)
    return PairChunk(pa.RecordBatch.from_pydict(columns, schema=PAIR_SCHEMA), lines)
