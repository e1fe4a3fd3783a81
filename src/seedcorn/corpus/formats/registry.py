"""Which formats there are, which one a file has, and the two calls that read and write any of them."""

import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TypeAlias, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from seedcorn.corpus.columns import ColumnChoice
from seedcorn.corpus.formats.bad_rows import STOP, BadRows, handling_bad_rows
from seedcorn.corpus.formats.comma_separated import read_csv, write_csv
from seedcorn.corpus.formats.conll import read_conll, read_conllu, write_conll
from seedcorn.corpus.formats.detection import detect_format, format_by_name
from seedcorn.corpus.formats.json_documents import read_json, write_json, write_label_studio
from seedcorn.corpus.formats.jsonl import read_jsonl, write_jsonl
from seedcorn.corpus.formats.lines import WholeLines
from seedcorn.corpus.formats.massive import read_massive, write_massive
from seedcorn.corpus.formats.normal_form import Chunk, in_normal_form
from seedcorn.corpus.formats.parquet import read_parquet, write_parquet
from seedcorn.corpus.formats.plain_text import (
    TEXT_IN_BLOCKS,
    Blocks,
    read_kaldi,
    read_plain_text,
    write_plain_text,
)
from seedcorn.corpus.formats.rasa import read_rasa, write_rasa
from seedcorn.corpus.formats.rasa_markdown import read_rasa_markdown
from seedcorn.corpus.formats.saved_datasets import read_saved_dataset
from seedcorn.corpus.formats.slot_folder import read_slot_folder, write_slot_folder
from seedcorn.corpus.formats.snips import read_snips, write_snips
from seedcorn.corpus.formats.tab_separated import read_tsv, write_tsv
from seedcorn.corpus.names import OnError
from seedcorn.corpus.parallel import Staged
from seedcorn.corpus.utterance_columns import UTTERANCE_SCHEMA
from seedcorn.corpus.utterances import Corpus, Utterance
from seedcorn.errors import DataError, SeedcornWarning, nearest
from seedcorn.files import writing_whole, writing_whole_folder

Reader: TypeAlias = Callable[[Path, BadRows], Iterator[Chunk]]
Writer: TypeAlias = Callable[[Corpus, Path], int]
Read = TypeVar("Read")


@dataclass(frozen=True, kw_only=True)
class Format:
    """A file format: its functions, without one to write where it is only read, and its columns (None: all).

    ``choices`` are what of a ColumnChoice its reader heeds; asking for anything else is an error. ``blocks`` are for
    passes by several threads.
    """

    read: Reader
    write: Writer | None = None
    columns: frozenset[str] | None = None
    choices: frozenset[str] = frozenset()
    is_folder: bool = False
    blocks: Blocks | None = None


_LINES = frozenset({"text", "kaldi", "tsv", "conll"})  # a delimiter makes a table of any of these
_WHAT_HAS = {
    "text": "named columns (--text-column; columns.text in a configuration)",
    "intent": "named columns (--intent-column; columns.intent in a configuration)",
    "slots": "named columns (--slots-column; columns.slots in a configuration)",
    "delimiter": "a delimiter (--delimiter; columns.delimiter in a configuration), which CSV has",
    "roles": "roles of entities (--roles; columns.roles in a configuration), which Rasa's have",
}
_UTTERANCE_COLUMNS = frozenset(UTTERANCE_SCHEMA.names)
_LABELS = frozenset({"text", "intent", "slots"})
_NAMED = frozenset({"text", "intent", "slots"})
_ROLES = frozenset({"roles"})
FORMATS: dict[str, Format] = {
    "jsonl": Format(read=read_jsonl, write=write_jsonl, choices=_NAMED),
    "json": Format(read=read_json, write=write_json, choices=_NAMED | _ROLES),
    "label-studio": Format(read=read_json, write=write_label_studio, choices=_NAMED),
    "massive": Format(read=read_massive, write=write_massive),
    "parquet": Format(read=read_parquet, write=write_parquet, choices=_NAMED),
    "tsv": Format(read=read_tsv, write=write_tsv, choices=_NAMED),
    "csv": Format(read=read_csv, write=write_csv, choices=_NAMED | {"delimiter"}),
    "text": Format(
        read=read_plain_text,
        write=write_plain_text,
        columns=frozenset({"text"}),
        blocks=TEXT_IN_BLOCKS,
    ),
    "kaldi": Format(read=read_kaldi),
    "conll": Format(read=read_conll, write=write_conll, columns=_UTTERANCE_COLUMNS),
    "snips": Format(read=read_snips, write=write_snips, columns=_UTTERANCE_COLUMNS),
    "rasa": Format(read=read_rasa, write=write_rasa, columns=_LABELS, choices=_ROLES),
    "conllu": Format(read=read_conllu),
    "rasa-markdown": Format(read=read_rasa_markdown, choices=_ROLES),
    "datasets": Format(read=read_saved_dataset, choices=_NAMED),
    "slot-folder": Format(read=read_slot_folder, write=write_slot_folder, columns=_LABELS, is_folder=True),
}


def read_corpus(
    path: Path | str,
    *,
    format: str | None = None,
    on_error: OnError = STOP,
    rejects: Path | str | None = None,
    lang: str = "",
    columns: ColumnChoice = ColumnChoice(),
) -> Corpus:
    """Return the utterances of ``path``, read anew on each pass, so that memory does not grow with the file.

    ``format`` is a name in FORMATS, by default told from content and name; ``columns`` name those that are not told by
    usual names. Rows that name no language get ``lang``. Bad rows raise DataError with file and line, or with
    ``on_error`` "skip" are written to ``rejects`` and counted in a SeedcornWarning at the end of each pass; what a
    Corpus has no place for is counted in another. Raises DataError for a file that is missing, empty or of no known
    format, and for columns that are named where the format has no such thing.
    """
    path = Path(path)
    name = format or format_of(path, columns)
    reader = _known(name).read
    _refuse_unheeded(columns, name, path)

    def open_batches() -> Iterator[pa.RecordBatch]:
        with handling_bad_rows(on_error, rejects, columns=columns, where=path) as bad_rows:
            yield from _batches(reader, path, bad_rows, lang)

    if on_error is not STOP:  # what a look ahead would report is reported by the first pass
        first = next(_batches(reader, path, BadRows(on_error, columns=columns), lang), None)
        return Corpus(open_batches, UTTERANCE_SCHEMA if first is None else first.schema)
    if blocks := FORMATS[name].blocks:
        make, read = partial(_batch_of, blocks, path, lang), blocks.start(path)
        of_first = next(map(make, read), None)
        return Corpus(Staged(_first_going_on(of_first, read, partial(blocks.start, path)), make))
    begun = open_batches()
    first = next(begun, None)
    return Corpus(_first_going_on(first, begun, open_batches), UTTERANCE_SCHEMA if first is None else first.schema)


def _first_going_on(
    first: pa.RecordBatch | None, begun: Iterator[Read], open_anew: Callable[[], Iterator[Read]]
) -> Callable[[], Iterator[pa.RecordBatch | Read]]:
    """Return what opens passes: the first goes on with what was ``begun``, the others begin anew."""
    left = [] if first is None else [chain([first], begun)]

    def opened() -> Iterator[pa.RecordBatch | Read]:
        return left.pop() if left else open_anew()

    return opened


def format_of(path: Path, columns: ColumnChoice) -> str:
    """Return the format of ``path`` as its content and name tell it, and as ``columns`` say: a delimiter makes CSV."""
    found = detect_format(path)
    if columns.delimiter in ("", "\t") and found == "tsv":
        return found
    if columns.delimiter and found in _LINES:
        return "csv"
    return "jsonl" if found == "massive" and columns != ColumnChoice() else found


def _refuse_unheeded(columns: ColumnChoice, name: str, path: Path) -> None:
    asked = {choice for choice, value in vars(columns).items() if value}
    if name == "tsv" and columns.delimiter == "\t":
        asked.remove("delimiter")
    for choice in sorted(asked - FORMATS[name].choices):
        raise DataError(
            wanted=f"a format with {_WHAT_HAS[choice]}",
            found=f"the format {name}",
            where=path,
            fix="Name the format (--format; format in a configuration), or leave that out.",
        )


def read_utterances(paths: Iterable[Path] | None, *, format: str | None = None) -> list[Utterance]:
    """Return the utterances of the files, one after the other, in memory; nothing for None."""
    return [utterance for path in paths or () for utterance in read_corpus(path, format=format).utterances()]


def read_texts(path: Path, *, format: str | None = None) -> list[str]:
    """Return the texts of the corpus in ``path``, in memory."""
    return [text for texts in read_corpus(path, format=format).texts() for text in texts.to_pylist()]


def _batches(reader: Reader, path: Path, bad_rows: BadRows, lang: str) -> Iterator[pa.RecordBatch]:
    for chunk in reader(path, bad_rows):
        yield _with_language(in_normal_form(chunk, path, bad_rows), lang)


def _batch_of(blocks: Blocks, path: Path, lang: str, lines: WholeLines | pa.RecordBatch) -> pa.RecordBatch:
    """Return the rows of a block, or those that were made of it when the corpus was opened."""
    if isinstance(lines, pa.RecordBatch):
        return lines
    bad_rows = BadRows()
    return _with_language(in_normal_form(blocks.chunk(lines, path, bad_rows), path, bad_rows), lang)


def _with_language(rows: pa.RecordBatch, lang: str) -> pa.RecordBatch:
    if not lang:
        return rows
    place = rows.schema.get_field_index("lang")
    given = rows.column(place)
    return rows.set_column(place, "lang", pc.if_else(pc.equal(given, ""), lang, given))


def write_corpus(corpus: Corpus, path: Path | str, *, format: str | None = None) -> int:
    """Write ``corpus`` to ``path``, which appears whole or not at all, and return the number of rows.

    ``format`` is a name in FORMATS, by default the one that goes by the name of the file (.gz and .zst compress text).
    Warns with SeedcornWarning naming the columns that hold something but have no place in the format. Raises DataError
    for a row that the format cannot express.
    """
    path = Path(path)
    name = format or format_by_name(path)
    chosen = _known(name)
    write = chosen.write
    if write is None:
        writable = ", ".join(known for known, f in FORMATS.items() if f.write)
        raise DataError(wanted=f"a format that is written ({writable})", found=f"'{name}'")
    lost: set[str] = set()
    watched = replace(corpus, open_batches=lambda: _watched(corpus, chosen.columns, lost))
    if path.is_dir() or (chosen.is_folder and path.exists()):
        raise DataError(wanted="a new file or folder to write", found="one that is there already", where=path)
    with (writing_whole_folder if chosen.is_folder else writing_whole)(path) as partial:
        n_rows = write(watched, partial)
    if lost:
        message = f"{path}: this format has no place for {', '.join(sorted(lost))}: left out"
        warnings.warn(message, SeedcornWarning, stacklevel=2)
    return n_rows


def _watched(corpus: Corpus, columns: frozenset[str] | None, lost: set[str]) -> Iterator[pa.RecordBatch]:
    """Yield the batches, noting in ``lost`` the columns outside ``columns`` that are not empty."""
    for batch in corpus.batches():
        if columns is not None:
            for name in batch.schema.names:
                if name not in columns and any(batch.column(name).to_pylist()):
                    lost.add(name)
        yield batch


def _known(name: str) -> Format:
    if name not in FORMATS:
        raise DataError(wanted="a known format", found=f"'{name}'", fix=nearest(name, list(FORMATS)))
    return FORMATS[name]
