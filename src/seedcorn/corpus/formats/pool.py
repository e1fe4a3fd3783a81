"""Pools of many files: a folder of Parquet files, a pattern such as ``logs/*.jsonl``, or Parquet at a URL.

Each part (a row group of a Parquet file, a file of any other format) can be read alone, so that a pass over the pool
can be shared out. Parts come in the order of their names.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from seedcorn.corpus.formats.bad_rows import STOP, handling_bad_rows
from seedcorn.corpus.formats.normal_form import in_normal_form
from seedcorn.corpus.formats.parquet import reading_arrow
from seedcorn.corpus.formats.registry import read_corpus
from seedcorn.corpus.formats.tables import huggingface_features, table_chunks
from seedcorn.corpus.parallel import Sharded
from seedcorn.corpus.tables import are_small
from seedcorn.corpus.utterance_columns import UTTERANCE_SCHEMA
from seedcorn.corpus.utterances import ROWS_PER_BATCH, Corpus
from seedcorn.errors import DataError

if TYPE_CHECKING:
    import pyarrow.dataset as pads

_SUFFIX = ".parquet"


def read_pool(where: str, *, format: str | None = None) -> Corpus:
    """Return the utterances of the file, folder of Parquet files, pattern or URL ``where``, streamed.

    URLs are those of Arrow's file systems (``s3://``, ``gs://``, ``hdfs://``) and of any other that fsspec knows, and
    name a Parquet file or a folder of them. Raises DataError when nothing is there, a URL cannot be read, or the parts
    have different columns.
    """
    if is_url(where):
        found, file_system = files_at(where)
        return _of_parquet([file.path for file in found], file_system, where)
    if Path(where).is_file():
        return _of_file(Path(where), format)
    if _is_folder_of_parquet(Path(where)) and format is None:
        return _of_parquet([str(path) for path in sorted(Path(where).glob(f"*{_SUFFIX}"))], None, where)
    if Path(where).exists():
        return read_corpus(Path(where), format=format)
    files = matching(where)
    if not files:
        raise DataError(wanted="a file, a folder or a pattern of files", found="nothing", where=where)
    if all(path.suffix == _SUFFIX for path in files):
        return _of_parquet([str(path) for path in files], None, where)
    corpora = [read_corpus(path, format=format) for path in files]
    _refuse_different({str(path): c.schema for path, c in zip(files, corpora, strict=True)}, where)
    return Corpus(Sharded(tuple(_OfFile(path, format) for path in files)), corpora[0].schema)


def is_url(where: str) -> bool:
    """Return whether ``where`` names a scheme."""
    return "://" in where


def is_pool(where: str) -> bool:
    """Return whether ``where`` is read in parts: a URL, a pattern, or a folder of Parquet files."""
    return is_url(where) or not Path(where).exists() or _is_folder_of_parquet(Path(where))


def _is_folder_of_parquet(path: Path) -> bool:
    return path.is_dir() and any(path.glob(f"*{_SUFFIX}"))


def matching(pattern: str) -> list[Path]:
    """Return the files that ``pattern`` matches, by name; its folders up to the first wildcard are literal."""
    parts = Path(pattern).parts
    n_literal = next((i for i, part in enumerate(parts) if set(part) & set("*?[")), None)
    if n_literal is None:
        return []
    return sorted(p for p in Path(*parts[:n_literal]).glob(str(Path(*parts[n_literal:]))) if p.is_file())


def _of_file(path: Path, format: str | None) -> Corpus:
    """Return the utterances of one file, in parts if it is Parquet."""
    if path.suffix == _SUFFIX and format in (None, "parquet"):
        return _of_parquet([str(path)], None, str(path))
    return read_corpus(path, format=format)


def files_at(url: str) -> tuple[list[pa.fs.FileInfo], pa.fs.FileSystem]:
    """Return the Parquet files at ``url`` by name, and the file system that they are in.

    Raises DataError for a URL that cannot be read.
    """
    try:
        try:
            files, path = pa.fs.FileSystem.from_uri(url)
        except pa.ArrowInvalid:  # a scheme that Arrow does not know
            import fsspec

            other, path = fsspec.core.url_to_fs(url)
            files = pa.fs.PyFileSystem(pa.fs.FSSpecHandler(other))
        about = files.get_file_info(path)
        if about.type == pa.fs.FileType.Directory:
            inside = files.get_file_info(pa.fs.FileSelector(path, recursive=True))
            return sorted((f for f in inside if f.path.endswith(_SUFFIX)), key=lambda file: str(file.path)), files
        return ([about] if about.type == pa.fs.FileType.File else []), files
    except (OSError, ValueError, ImportError) as error:
        raise DataError(wanted="a Parquet file or folder at a URL", found=str(error), where=url) from error


def _of_parquet(files: list[str], file_system: pa.fs.FileSystem | None, where: str) -> Corpus:
    if not files:
        raise DataError(wanted="Parquet files", found="none", where=where)
    import pyarrow.dataset as pads  # slow to load where pandas is there

    with reading_arrow(Path(where), "Parquet"):
        dataset = pads.dataset(files, format="parquet", filesystem=file_system)
        fragments = list(dataset.get_fragments())
        _refuse_different({fragment.path: fragment.physical_schema for fragment in fragments}, where)
        n_rows = [group.num_rows for fragment in fragments for group in fragment.row_groups]
        parts = Sharded(tuple(part for fragment in fragments for part in _row_groups(fragment)), are_small(n_rows))
    first = next(iter(parts), None)
    return Corpus(parts, UTTERANCE_SCHEMA if first is None else first.schema)


def _row_groups(fragment: "pads.ParquetFileFragment") -> "list[_OfRows]":
    """Return the row groups of a file, an empty one included so that its columns are checked."""
    groups = fragment.split_by_row_group() or [fragment]
    n_rows = [sum(group.num_rows for group in part.row_groups) for part in groups]
    return [_OfRows(part, n_before) for part, n_before in zip(groups, accumulate([0, *n_rows]), strict=False)]


def _refuse_different(schemas: dict[str, pa.Schema], where: str) -> None:
    """Raise DataError unless all parts have the same columns, naming the first that differs."""
    first = next(iter(schemas.values()))
    for path, schema in schemas.items():
        if not schema.equals(first):
            raise DataError(
                wanted=f"the columns {', '.join(first.names)} in every part",
                found=f"{', '.join(schema.names)} in {path}",
                where=where,
            )


@dataclass(frozen=True)
class _OfFile:
    path: Path
    format: str | None

    def __call__(self) -> Iterator[pa.RecordBatch]:
        return read_corpus(self.path, format=self.format).batches()


@dataclass(frozen=True)
class _OfRows:
    """A row group of a Parquet file, ``n_before`` rows of which come before it."""

    fragment: "pads.ParquetFileFragment"
    n_before: int

    def __call__(self) -> Iterator[pa.RecordBatch]:
        path, schema = Path(self.fragment.path), self.fragment.physical_schema
        features = huggingface_features(schema.metadata)
        with reading_arrow(path, "a Parquet file"), handling_bad_rows(STOP, None, where=path) as bad_rows:
            for chunk in table_chunks(self._tables(), schema, path, bad_rows, features=features):
                numbered = chunk._replace(lines=chunk.lines + self.n_before)
                yield in_normal_form(numbered, path, bad_rows)

    def _tables(self) -> Iterator[pa.Table]:
        for batch in self.fragment.to_batches(batch_size=ROWS_PER_BATCH, use_threads=False):
            yield pa.Table.from_batches([batch])
