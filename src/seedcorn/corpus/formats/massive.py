"""MASSIVE JSON lines: ``utt`` beside ``annot_utt``, the same text with its slots as ``[type : value]``.

The two are aligned character by character, white space aside: in locales that write no spaces (ja-JP) the annotated
text has some that the utterance has not. The locale becomes lang, the scenario domain; partition and all else is kept.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from seedcorn.corpus.formats.bad_rows import BadRows
from seedcorn.corpus.formats.jsonl import json_objects
from seedcorn.corpus.formats.lines import open_text_sink
from seedcorn.corpus.formats.massive_markup import COLUMN_OF_KEY, bracketed, massive_row
from seedcorn.corpus.formats.normal_form import Chunk
from seedcorn.corpus.formats.rows import NumberedRow, Row, chunks_of, core_row
from seedcorn.corpus.utterances import Corpus, Utterance, utterances_of
from seedcorn.errors import DataError, at

_KEY_OF_COLUMN = {column: key for key, column in COLUMN_OF_KEY.items()}


def read_massive(path: Path, bad_rows: BadRows) -> Iterator[Chunk]:
    """Yield the rows of a MASSIVE file; a row whose two texts differ is bad."""
    return chunks_of(_rows(path, bad_rows), path, bad_rows)


def _rows(path: Path, bad_rows: BadRows) -> Iterator[NumberedRow]:
    for line, row in json_objects(path, bad_rows):
        try:
            yield NumberedRow(line, core_row(massive_row(row)))
        except DataError as error:
            bad_rows.report(error, json.dumps(row, ensure_ascii=False), where=at(path, line))


def write_massive(corpus: Corpus, path: Path) -> int:
    """Write every row in MASSIVE's form and return their number.

    Raises DataError for brackets in a text and for brackets or a colon in a slot type, which the form cannot express.
    """
    n_rows = 0
    with open_text_sink(path) as sink:
        for batch in corpus.batches():
            for row, utterance in zip(batch.to_pylist(), utterances_of(batch), strict=True):
                sink.write(json.dumps(_massive_row(row, utterance, n_rows), ensure_ascii=False) + "\n")
                n_rows += 1
    return n_rows


def _massive_row(row: Row, utterance: Utterance, position: int) -> Row:
    renamed: Row = {_KEY_OF_COLUMN.get(name, name): value for name, value in row.items() if name != "slots"}
    if not utterance.origin:
        del renamed["origin"]
    return renamed | {"annot_utt": bracketed(utterance, where=f"row {position}")}
