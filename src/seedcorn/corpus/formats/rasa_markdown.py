"""Rasa NLU markdown, of its versions 1 and 2: ``## intent:name`` above examples ``- text with [value](type)``."""

import re
from collections.abc import Iterator
from pathlib import Path

from seedcorn.corpus.formats.bad_rows import BadRows
from seedcorn.corpus.formats.lines import line_blocks
from seedcorn.corpus.formats.normal_form import Chunk
from seedcorn.corpus.formats.rasa_markup import annotated_row
from seedcorn.corpus.formats.rows import NumberedRow, chunks_of, core_row
from seedcorn.errors import DataError, at

_HEADING = re.compile(r"##\s*(intent|synonym|regex|lookup)\s*:\s*(.*\S)\s*")
_EXAMPLE = re.compile(r"\s*[-*+]\s+(.*\S)\s*")
_COMMENT = re.compile(r"\s*<!--.*-->\s*")


def read_rasa_markdown(path: Path, bad_rows: BadRows) -> Iterator[Chunk]:
    """Yield the examples of the intents; synonyms, regular expressions and lookup tables are counted."""
    return chunks_of(_rows(path, bad_rows), path, bad_rows, others=())


def _rows(path: Path, bad_rows: BadRows) -> Iterator[NumberedRow]:
    kind, name = "", ""
    for block in line_blocks(path, bad_rows):
        for number, line in block:
            heading, example = _HEADING.fullmatch(line), _EXAMPLE.fullmatch(line)
            if heading:
                kind, name = heading[1], heading[2]
            elif example and kind == "intent":
                try:
                    yield NumberedRow(number, core_row(annotated_row(example[1], bad_rows) | {"intent": name}))
                except DataError as error:
                    bad_rows.report(error, line, where=at(path, number))
            elif example and kind:
                bad_rows.leave_out(f"examples of a {kind}")
            elif line.strip() and not line.startswith("#") and not _COMMENT.fullmatch(line):
                problem = DataError(wanted="'## intent:name' or '- example'", found=f"'{line[:60]}'")
                bad_rows.report(problem, line, where=at(path, number))
