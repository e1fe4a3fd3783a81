"""Folders that Hugging Face's ``datasets`` saved to disk, and single Arrow files."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa

from seedcorn.corpus.formats.bad_rows import BadRows
from seedcorn.corpus.formats.normal_form import Chunk
from seedcorn.corpus.formats.parquet import reading_arrow
from seedcorn.corpus.formats.tables import huggingface_features, table_chunks
from seedcorn.corpus.utterances import ROWS_PER_BATCH
from seedcorn.corpus.values import Value
from seedcorn.errors import DataError

SPLITS, INFO, STATE = "dataset_dict.json", "dataset_info.json", "state.json"
_FILE_MAGIC = b"ARROW1"


def is_saved_dataset(folder: Path) -> bool:
    """Tell whether ``datasets`` saved this folder: one data set, or several splits."""
    return (folder / SPLITS).is_file() or (folder / STATE).is_file()


def read_saved_dataset(path: Path, bad_rows: BadRows) -> Iterator[Chunk]:
    """Yield the rows of a folder or of one Arrow file; of several splits the column partition says which.

    Raises DataError when a file is damaged, missing or has other columns than the first.
    """
    files = _files(path)
    with reading_arrow(files[0][1], "an Arrow file"):
        first = next(_tables(files[:1]))
    features = {**huggingface_features(first.schema.metadata), **_features_beside(files[0][1])}
    with reading_arrow(path, "a saved data set"):
        yield from table_chunks(_tables(files), first.schema, path, bad_rows, features=features)


def dataset_tables(path: Path) -> Iterator[pa.Table]:
    """Yield the rows of a folder or of one Arrow file in parts. Raises DataError for a missing file."""
    return _tables(_files(path))


def _files(path: Path) -> list[tuple[str, Path]]:
    """Return the partition and the path of each Arrow file; a single data set has no partition."""
    if path.is_file():
        return [("", path)]
    if not (path / SPLITS).is_file():
        return [("", file) for file in _files_of_state(path)]
    splits = _json(path / SPLITS).get("splits")
    if not isinstance(splits, list):
        raise DataError(wanted="a list of splits", found=f"{splits!r}"[:60], where=path / SPLITS)
    return [(str(split), file) for split in splits for file in _files_of_state(path / str(split))]


def _files_of_state(folder: Path) -> list[Path]:
    listed = _json(folder / STATE).get("_data_files")
    names = [entry.get("filename") for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    files = [folder / Path(name).name for name in names if isinstance(name, str)]
    there = {file.name for file in folder.iterdir()}
    missing = next((file for file in files if file.name not in there or not file.is_file()), None)
    if missing is not None or not files:
        raise DataError(wanted="the Arrow files of a saved data set", found="none", where=missing or folder)
    return files


def _json(path: Path) -> Mapping[str, Value]:
    try:
        value: Value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(wanted="a JSON object", found=str(error), where=path) from error
    if not isinstance(value, dict):
        raise DataError(wanted="a JSON object", found=type(value).__name__, where=path)
    return value


def _features_beside(file: Path) -> Mapping[str, Value]:
    info = file.parent / INFO
    features = _json(info).get("features") if info.is_file() else None
    return features if isinstance(features, dict) else {}


def _tables(files: list[tuple[str, Path]]) -> Iterator[pa.Table]:
    for partition, file in files:
        with pa.memory_map(str(file)) as source:
            for batch in _batches(source, file):
                table = pa.Table.from_batches([batch])
                for begin in range(0, max(1, table.num_rows), ROWS_PER_BATCH):
                    part = table.slice(begin, ROWS_PER_BATCH)
                    yield _with_partition(part, partition)


def _with_partition(table: pa.Table, partition: str) -> pa.Table:
    if not partition or "partition" in table.column_names:
        return table
    return table.append_column("partition", pa.array([partition] * table.num_rows, pa.string()))


def _batches(source: pa.NativeFile, file: Path) -> Iterator[pa.RecordBatch]:
    with file.open("rb") as plain:
        is_file_format = plain.read(len(_FILE_MAGIC)) == _FILE_MAGIC
    if is_file_format:
        reader = pa.ipc.open_file(source)
        batches = (reader.get_batch(i) for i in range(reader.num_record_batches))
    else:
        batches = iter(reader := pa.ipc.open_stream(source))
    n_batches = 0
    for batch in batches:
        batch.validate(full=True)
        n_batches += 1
        yield batch
    if not n_batches:
        yield pa.RecordBatch.from_pylist([], schema=reader.schema)
