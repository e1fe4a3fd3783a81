"""Plain text: one utterance a line, blank lines ignored."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seedcorn.corpus.cleaning import JOINERS, SPACES
from seedcorn.corpus.formats.bad_rows import BadRows
from seedcorn.corpus.formats.lines import (
    LineBlock,
    WholeLines,
    first_bytes,
    line_blocks,
    open_text_sink,
    split_lines,
    whole_lines,
)
from seedcorn.corpus.formats.normal_form import BLANK, Chunk
from seedcorn.corpus.normalising import buffers_of
from seedcorn.corpus.text import INVISIBLE
from seedcorn.corpus.utterance_columns import UTTERANCE_SCHEMA
from seedcorn.corpus.utterances import Corpus
from seedcorn.errors import DataError

# Which bytes begin the UTF-8 of a character that nobody sees.
_BEGINS_BLANK = np.zeros(256, np.bool_)
_BEGINS_BLANK[[chr(code).encode()[0] for code in (*SPACES, *INVISIBLE, *JOINERS)]] = True


def read_plain_text(path: Path, bad_rows: BadRows) -> Iterator[Chunk]:
    """Yield the lines of ``path`` as unlabelled utterances; raises DataError for an ARPA language model."""
    for lines in blocks_of_text(path):
        yield chunk_of_text(lines, path, bad_rows)


def blocks_of_text(path: Path) -> Iterator[WholeLines]:
    """Yield the lines of ``path`` as they stand there; raises DataError for an ARPA language model."""
    if b"\\data\\" in first_bytes(path).splitlines():
        raise DataError(wanted="text, one utterance a line", found="an ARPA language model", where=path)
    yield from whole_lines(path)


def chunk_of_text(lines: WholeLines, path: Path, bad_rows: BadRows) -> Chunk:
    """Return lines of ``path`` as unlabelled utterances."""
    block = without_blank_lines(split_lines(lines, path, bad_rows))
    return Chunk(unlabelled(block.lines), block.numbers)


class Blocks(NamedTuple):
    """How a format is read in two steps: ``start`` cuts the file into blocks, of which ``chunk`` makes the rows."""

    start: Callable[[Path], Iterator[WholeLines]]
    chunk: Callable[[WholeLines, Path, BadRows], Chunk]


TEXT_IN_BLOCKS = Blocks(blocks_of_text, chunk_of_text)


def read_kaldi(path: Path, bad_rows: BadRows) -> Iterator[Chunk]:
    """Yield the lines of Kaldi's file ``text``, whose first word is the id of the utterance.

    Says so, because nothing but the form of the first words tells such a file from text.
    """
    ids = UTTERANCE_SCHEMA.get_field_index("id")
    for block in line_blocks(path, bad_rows):
        block = without_blank_lines(block)
        parts = pc.extract_regex(block.lines, r"^\s*(?P<id>\S+)\s*(?P<text>.*)$")
        bad_rows.leave_out(
            "ids from the texts: each line begins with one (--format text takes whole lines)", len(block.lines)
        )
        rows = unlabelled(pc.struct_field(parts, "text"))
        yield Chunk(rows.set_column(ids, "id", pc.struct_field(parts, "id")), block.numbers)


def without_blank_lines(block: LineBlock) -> LineBlock:
    """Return ``block`` without lines that hold nothing but white space and characters that nobody sees."""
    utf8, offsets = buffers_of(block.lines)
    may_be_blank = np.diff(offsets) == 0
    may_be_blank[~may_be_blank] = _BEGINS_BLANK[utf8[offsets[:-1][~may_be_blank]]]
    rows = np.flatnonzero(may_be_blank)
    if not len(rows):
        return block
    is_blank = pc.match_substring_regex(block.lines.take(pa.array(rows)), BLANK).to_numpy(zero_copy_only=False)
    if not is_blank.any():
        return block
    keep = np.ones(len(block.lines), np.bool_)
    keep[rows[is_blank]] = False
    return LineBlock(block.lines.filter(pa.array(keep)), block.numbers[keep])


def unlabelled(texts: pa.StringArray) -> pa.RecordBatch:
    """Return ``texts`` as rows whose other Utterance columns are empty."""
    n_rows = len(texts)
    empty = pa.repeat("", n_rows)
    no_slots = pa.ListArray.from_arrays(
        pa.array(np.zeros(n_rows + 1, dtype=np.int32)), pa.array([], UTTERANCE_SCHEMA.field("slots").type.value_type)
    )
    columns = [texts if f.name == "text" else no_slots if f.name == "slots" else empty for f in UTTERANCE_SCHEMA]
    return pa.RecordBatch.from_arrays(columns, schema=UTTERANCE_SCHEMA)


def write_plain_text(corpus: Corpus, path: Path) -> int:
    """Write the text of every row as a line and return their number."""
    n_rows = 0
    with open_text_sink(path) as sink:
        for batch in corpus.batches():
            sink.write("".join(f"{text}\n" for text in batch.column("text").to_pylist()))
            n_rows += batch.num_rows
    return n_rows
