"""Pairs as rows of a table: TSV without quoting, JSON lines, Parquet."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from seedcorn.corpus.formats.bad_rows import BadRows
from seedcorn.corpus.formats.jsonl import json_objects
from seedcorn.corpus.formats.lines import line_blocks
from seedcorn.corpus.formats.pairs_rows import NumberedPair, PairChunk, chunks_of, sides_of
from seedcorn.corpus.formats.parquet import reading_arrow
from seedcorn.corpus.formats.saved_datasets import dataset_tables
from seedcorn.corpus.pairs import PAIR_SCHEMA
from seedcorn.corpus.utterances import ROWS_PER_BATCH
from seedcorn.errors import DataError, at

TRANSLATION = "translation"
_NAMES_WITHOUT_HEADER = ("source", "target", "origin")
_USUAL_NAMES = {
    "source": ("source", "src", "source_text", "source_sentence"),
    "target": ("target", "tgt", "trg", "target_text", "target_sentence", "translation"),
}


def read_tsv(path: Path, bad_rows: BadRows, *, source_lang: str = "", target_lang: str = "") -> Iterator[PairChunk]:
    """Yield the pairs of a TSV file: with a header that names source and target, or source, target and maybe origin.

    A header has usual names of the two sides in any case, or the two languages that are asked for. There is no quoting,
    and a line with another number of fields than the first is bad: a tab was inside a text.
    """
    yield from chunks_of(_tsv_rows(path, bad_rows, source_lang, target_lang))


def _tsv_rows(path: Path, bad_rows: BadRows, source_lang: str, target_lang: str) -> Iterator[NumberedPair]:
    names: Sequence[str] = ()
    for block in line_blocks(path, bad_rows):
        for number, line in block:
            if not line or line.isspace():
                continue
            fields = line.split("\t")
            if not names:
                header = _header(fields, source_lang, target_lang)
                names = header or _names_without_header(fields, where=at(path, number))
                if header:
                    continue
            if len(fields) == len(names):
                yield NumberedPair(number, dict(zip(names, fields, strict=True)))
            else:
                bad_rows.report(_wrong_length(fields, names, where=at(path, number)), line)


def _header(first: Sequence[str], source_lang: str, target_lang: str) -> Sequence[str]:
    """Return the names of the columns if ``first`` holds them, those of the two sides as they are called here."""
    names = [name.strip().casefold() for name in first]
    for side, lang in (("source", source_lang), ("target", target_lang)):
        usual = (*_USUAL_NAMES[side], *([lang.casefold()] if lang else []))
        place = next((names.index(name) for name in usual if name in names), None)
        if place is None:
            return ()
        names[place] = side
    return names if len(set(names)) == len(names) else ()


def _names_without_header(first: Sequence[str], *, where: str) -> Sequence[str]:
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


def read_jsonl(path: Path, bad_rows: BadRows, *, source_lang: str = "", target_lang: str = "") -> Iterator[PairChunk]:
    """Yield the objects of a JSON lines file with the names of PAIR_SCHEMA; other names are left out.

    A ``translation`` of texts by language (Hugging Face) gives the two languages that are asked for.
    """
    yield from chunks_of(_jsonl_rows(path, bad_rows, source_lang, target_lang))


def _jsonl_rows(path: Path, bad_rows: BadRows, source_lang: str, target_lang: str) -> Iterator[NumberedPair]:
    for line, row in json_objects(path, bad_rows):
        try:
            yield NumberedPair(line, _fields(row, source_lang, target_lang))
        except DataError as error:
            told = DataError(wanted=error.wanted, found=error.found, where=at(path, line), fix=error.fix)
            bad_rows.report(told, json.dumps(row, ensure_ascii=False))


def _fields(row: Mapping[str, object], source_lang: str, target_lang: str) -> dict[str, str]:
    fields = {name: row[name] for name in PAIR_SCHEMA.names if row.get(name) is not None}
    strings = {name: value for name, value in fields.items() if isinstance(value, str)}
    translation = row.get(TRANSLATION)
    if isinstance(translation, Mapping) and len(strings) == len(fields):
        return {**strings, **sides_of(translation, source_lang, target_lang)}
    if len(strings) < len(fields) or not {"source", "target"} <= strings.keys():
        found = json.dumps(row, ensure_ascii=False)[:60]
        raise DataError(wanted="an object with the strings 'source' and 'target'", found=found)
    return strings


def read_parquet(path: Path, bad_rows: BadRows, *, source_lang: str = "", target_lang: str = "") -> Iterator[PairChunk]:
    """Yield the rows of a Parquet file with columns source and target, or translation; DataError when it is damaged."""
    with reading_arrow(path, "a Parquet file of texts"), pq.ParquetFile(path, page_checksum_verification=True) as file:
        batches = file.iter_batches(batch_size=ROWS_PER_BATCH)
        yield from _chunks(path, file.schema_arrow, batches, source_lang, target_lang)


def read_dataset(path: Path, bad_rows: BadRows, *, source_lang: str = "", target_lang: str = "") -> Iterator[PairChunk]:
    """Yield the rows of a folder that ``datasets`` saved, or of one Arrow file, as of Parquet; all splits of it."""
    with reading_arrow(path, "a saved data set of texts"):
        batches = (batch for table in dataset_tables(path) for batch in table.to_batches())
        first = next(batches, None)
        if first is not None:
            yield from _chunks(path, first.schema, chain([first], batches), source_lang, target_lang)


def _chunks(
    path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch], source_lang: str, target_lang: str
) -> Iterator[PairChunk]:
    sides = _sides(schema, source_lang, target_lang, where=path)
    n_before = 0
    for batch in batches:
        batch.validate(full=True)  # also that texts are UTF-8
        yield _table_chunk(batch, sides, n_before)
        n_before += batch.num_rows


def _sides(schema: pa.Schema, source_lang: str, target_lang: str, *, where: Path) -> Mapping[str, str]:
    """Return which language of the column ``translation`` each side is; nothing where there are source and target."""
    missing = {"source", "target"} - set(schema.names)
    if not missing:
        return {}
    if TRANSLATION not in schema.names or not pa.types.is_struct(schema.field(TRANSLATION).type):
        raise DataError(wanted=f"a column '{min(missing)}'", found=f"{schema.names}", where=where)
    languages = [field.name for field in schema.field(TRANSLATION).type]
    try:
        return sides_of({lang: lang for lang in languages}, source_lang, target_lang)
    except DataError as error:
        raise DataError(wanted=error.wanted, found=error.found, where=where, fix=error.fix) from error


def _table_chunk(batch: pa.RecordBatch, sides: Mapping[str, str], n_before: int) -> PairChunk:
    def column(name: str) -> pa.Array:
        if name in sides:
            return pc.struct_field(batch.column(TRANSLATION), sides[name]).cast(pa.string())
        if name in batch.schema.names:
            return batch.column(name).cast(pa.string())
        return pa.repeat("", batch.num_rows)

    rows = pa.RecordBatch.from_pydict({name: column(name) for name in PAIR_SCHEMA.names}, schema=PAIR_SCHEMA)
    return PairChunk(rows, np.arange(n_before + 1, n_before + batch.num_rows + 1, dtype=np.int64))
