"""Sentence pairs from and to files: TSV, Moses (two files of lines), TMX, JSON lines and Parquet, streamed."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from seedcorn.corpus.cleaning import clean_column
from seedcorn.corpus.formats.bad_rows import STOP, BadRows, handling_bad_rows
from seedcorn.corpus.formats.lines import open_text_sink
from seedcorn.corpus.formats.pairs_moses import read_moses
from seedcorn.corpus.formats.pairs_rows import PairChunk
from seedcorn.corpus.formats.pairs_tables import read_dataset, read_jsonl, read_parquet, read_tsv
from seedcorn.corpus.formats.pairs_tmx import read_tmx
from seedcorn.corpus.formats.saved_datasets import is_saved_dataset
from seedcorn.corpus.names import OnError
from seedcorn.corpus.pairs import PAIR_SCHEMA, PairCorpus
from seedcorn.corpus.text_bytes import COMPRESSIONS
from seedcorn.errors import DataError, at, nearest
from seedcorn.files import writing_whole

Reader: TypeAlias = Callable[[Path, BadRows], Iterator[PairChunk]]

_FORMAT_OF_SUFFIX = {
    ".tsv": "tsv",
    ".txt": "tsv",
    ".jsonl": "jsonl",
    ".parquet": "parquet",
    ".tmx": "tmx",
    ".arrow": "datasets",
}
_WRITABLE = ("tsv", "jsonl", "parquet")


def read_pairs(
    path: Path | str,
    *,
    target: Path | str | None = None,
    format: str | None = None,
    source_lang: str = "",
    target_lang: str = "",
    on_error: OnError = STOP,
    rejects: Path | str | None = None,
) -> PairCorpus:
    """Return the pairs of ``path``, read anew on each pass; with ``target`` the two are files of lines (Moses).

    ``format`` is tsv, jsonl, parquet, tmx or datasets (a folder that Hugging Face's ``datasets`` saved), by default
    told by the name of the file. Rows that name no language get the two given ones; TMX and columns called
    ``translation`` need both, to choose their variants. Texts are normalised as in every reader. A pair with an
    empty side is a bad row: it raises DataError with file and line, or with ``on_error`` "skip" it is written to
    ``rejects``. Raises DataError for a missing file, for one without pairs, and for Moses files of unequal length.
    """
    path, target = Path(path), None if target is None else Path(target)
    reader = _reader(path, target, format, source_lang, target_lang)
    if next(_batches(reader, path, BadRows(on_error), source_lang, target_lang), None) is None:
        raise DataError(wanted="at least one sentence pair", found="none", where=path)

    def open_batches() -> Iterator[pa.RecordBatch]:
        with handling_bad_rows(on_error, rejects) as bad_rows:
            yield from _batches(reader, path, bad_rows, source_lang, target_lang)

    return PairCorpus(open_batches)


def write_pairs(pairs: PairCorpus, path: Path | str, *, format: str | None = None) -> int:
    """Write ``pairs`` as TSV (with a header), JSON lines or Parquet, and return their number.

    The file appears whole or not at all. Raises DataError for another format and for a tab in a TSV field.
    """
    path = Path(path)
    chosen = format or _format_of(path)
    if chosen not in _WRITABLE:
        raise DataError(wanted=f"one of {', '.join(_WRITABLE)} to write pairs", found=f"'{chosen}'", where=path)
    with writing_whole(path) as unfinished:
        if chosen == "parquet":
            return _write_parquet(pairs, unfinished)
        return _write_lines(pairs, unfinished, _tsv_line if chosen == "tsv" else _json_line, header=chosen == "tsv")


def _reader(path: Path, target: Path | None, format: str | None, source_lang: str, target_lang: str) -> Reader:
    for file in (path, target):
        if file is not None and not (file.is_file() or is_saved_dataset(file)):
            raise DataError(wanted="a file of sentence pairs", found="nothing", where=file)
    if target is not None:
        return partial(read_moses, target=target)
    readers: dict[str, Reader] = {
        "tsv": partial(read_tsv, source_lang=source_lang, target_lang=target_lang),
        "jsonl": partial(read_jsonl, source_lang=source_lang, target_lang=target_lang),
        "parquet": partial(read_parquet, source_lang=source_lang, target_lang=target_lang),
        "datasets": partial(read_dataset, source_lang=source_lang, target_lang=target_lang),
        "tmx": partial(read_tmx, source_lang=source_lang, target_lang=target_lang),
    }
    chosen = format or _format_of(path)
    if chosen not in readers:
        raise DataError(wanted="a known format of pairs", found=f"'{chosen}'", fix=nearest(chosen, list(readers)))
    return readers[chosen]


def _format_of(path: Path) -> str:
    if is_saved_dataset(path):
        return "datasets"
    suffix = path.suffix.lower()
    suffix = Path(path.stem).suffix.lower() if suffix in COMPRESSIONS else suffix
    if suffix not in _FORMAT_OF_SUFFIX:
        raise DataError(
            wanted=f"a file of pairs ending in {', '.join(_FORMAT_OF_SUFFIX)}",
            found=path.name,
            fix="Name the format, or give the file of the target side too if these are two files of lines.",
        )
    return _FORMAT_OF_SUFFIX[suffix]


def _batches(
    reader: Reader, path: Path, bad_rows: BadRows, source_lang: str, target_lang: str
) -> Iterator[pa.RecordBatch]:
    for chunk in reader(path, bad_rows):
        rows = _with_languages(_in_normal_form(chunk, path, bad_rows), source_lang, target_lang)
        if rows.num_rows:
            yield rows


def _in_normal_form(chunk: PairChunk, path: Path, bad_rows: BadRows) -> pa.RecordBatch:
    columns = {name: chunk.rows.column(name).fill_null("") for name in PAIR_SCHEMA.names}
    for side in ("source", "target"):
        columns[side] = clean_column(columns[side])
    rows = pa.RecordBatch.from_pydict(columns, schema=PAIR_SCHEMA)
    empty = pc.or_(pc.equal(columns["source"], ""), pc.equal(columns["target"], ""))
    for row in np.flatnonzero(empty.to_numpy(zero_copy_only=False)).tolist():
        side = "source" if columns["source"][row].as_py() == "" else "target"
        error = DataError(
            wanted="text on both sides of a pair", found=f"an empty {side}", where=at(path, int(chunk.lines[row]))
        )
        bad_rows.report(error, json.dumps(chunk.rows.slice(row, 1).to_pylist()[0], ensure_ascii=False))
    return rows.filter(pc.invert(empty))


def _with_languages(rows: pa.RecordBatch, source_lang: str, target_lang: str) -> pa.RecordBatch:
    for name, lang in (("source_lang", source_lang), ("target_lang", target_lang)):
        place = rows.schema.get_field_index(name)
        given = rows.column(place)
        rows = rows.set_column(place, PAIR_SCHEMA.field(name), pc.if_else(pc.equal(given, ""), lang, given))
    return rows


def _write_parquet(pairs: PairCorpus, path: Path) -> int:
    n_rows = 0
    with pq.ParquetWriter(path, PAIR_SCHEMA, compression="zstd", write_page_checksum=True) as writer:
        for batch in pairs.batches():
            writer.write_batch(batch)
            n_rows += batch.num_rows
    return n_rows


def _write_lines(pairs: PairCorpus, path: Path, line_of: Callable[[dict[str, str], int], str], *, header: bool) -> int:
    n_rows = 0
    with open_text_sink(path) as sink:
        if header:
            sink.write("\t".join(PAIR_SCHEMA.names) + "\n")
        for batch in pairs.batches():
            for row in batch.to_pylist():
                sink.write(line_of(row, n_rows) + "\n")
                n_rows += 1
    return n_rows


def _tsv_line(row: dict[str, str], position: int) -> str:
    broken = next((field for field in row.values() if any(end in field for end in "\t\n\r")), None)
    if broken is not None:
        raise DataError(
            wanted="fields without tabs and line ends",
            found=repr(broken[:60]),
            where=f"row {position}",
            fix="Write JSON lines or Parquet.",
        )
    return "\t".join(row.values())


def _json_line(row: dict[str, str], position: int) -> str:
    return json.dumps({name: value for name, value in row.items() if value}, ensure_ascii=False)
