"""CoNLL: a token and its BIO tag a line, a blank line after each utterance, ``# intent = name`` and more before it.

Comments ``# key = value`` give the columns; ``# text`` keeps the white space that tokens alone would lose. Of CoNLL-U
(ten columns, the first a number) the texts are read: its tags are no slots.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from seedcorn.corpus.formats.bad_rows import BadRows
from seedcorn.corpus.formats.bio import TaggedToken, slots_of, tagged_tokens
from seedcorn.corpus.formats.lines import line_blocks, open_text_sink
from seedcorn.corpus.formats.normal_form import Chunk
from seedcorn.corpus.formats.rows import NumberedRow, Row, chunks_of, core_row, slots_value
from seedcorn.corpus.utterances import Corpus, Utterance, utterances_of
from seedcorn.errors import DataError, at

_COMMENT = re.compile(r"#\s*(\w+)\s*[:=]\s?(.*)")
_DOCUMENT_START = "-DOCSTART-"
_N_CONLLU_FIELDS = 10
_COLUMNS = ("id", "text", "lang", "domain", "intent", "origin")


@dataclass
class _Block:
    """The lines of one utterance."""

    line: int
    columns: dict[str, str] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)


def read_conll(path: Path, bad_rows: BadRows) -> Iterator[Chunk]:
    """Yield the utterances of a CoNLL file; the token is the first column of a line, the tag the last."""
    return chunks_of(_rows(path, bad_rows), path, bad_rows, others=())


def _rows(path: Path, bad_rows: BadRows) -> Iterator[NumberedRow]:
    for block in _blocks(path, bad_rows):
        try:
            yield NumberedRow(block.line, _row(block))
        except DataError as error:
            bad_rows.report(error, "\n".join(block.tokens), where=at(path, block.line))


def _blocks(path: Path, bad_rows: BadRows) -> Iterator[_Block]:
    block = _Block(1)
    for lines in line_blocks(path, bad_rows):
        for number, line in lines:
            comment = _COMMENT.fullmatch(line)
            if comment and "\t" not in line and not block.tokens:
                block.columns[comment[1]] = comment[2].strip()
            elif line.strip() and not line.startswith(_DOCUMENT_START):
                block.tokens.append(line)
            else:
                if block.tokens or block.columns:
                    yield block
                block = _Block(number + 1)
    if block.tokens or block.columns:
        yield block


def read_conllu(path: Path, bad_rows: BadRows) -> Iterator[Chunk]:
    """Yield the sentences of a CoNLL-U file: their texts and ids alone."""
    return chunks_of(_conllu_rows(path, bad_rows), path, bad_rows, others=())


def _conllu_rows(path: Path, bad_rows: BadRows) -> Iterator[NumberedRow]:
    for block in _blocks(path, bad_rows):
        tokens = [line.split("\t") for line in block.tokens]
        odd = next((fields for fields in tokens if len(fields) != _N_CONLLU_FIELDS), None)
        if odd is not None:
            error = DataError(wanted=f"{_N_CONLLU_FIELDS} fields, as in CoNLL-U", found=f"{len(odd)}")
            bad_rows.report(error, "\n".join(block.tokens), where=at(path, block.line))
            continue
        if any(fields[3] != "_" for fields in tokens):
            bad_rows.leave_out("sentences' tags, which are no slots (CoNLL-U)")
        text = block.columns.get("text") or _conllu_text(tokens)
        yield NumberedRow(block.line, core_row({"id": block.columns.get("sent_id", ""), "text": text}))


def _conllu_text(tokens: list[list[str]]) -> str:
    """Return the forms with the white space that SpaceAfter=No leaves; of "3-4" the whole, not its parts."""
    text, last_part = "", 0
    for number, form, *_, misc in tokens:
        if "." in number or (number.isdecimal() and int(number) <= last_part):
            continue
        last_part = int(number.partition("-")[2] or 0) if number.partition("-")[2].isdecimal() else last_part
        text += form + ("" if "SpaceAfter=No" in misc.split("|") else " ")
    return text.strip()


def _row(block: _Block) -> Row:
    tagged = [_tagged_token(line) for line in block.tokens]
    text = block.columns.get("text", " ".join(token for token, _ in tagged))
    columns: Row = {name: block.columns[name] for name in _COLUMNS if name in block.columns}
    return core_row(columns | {"text": text, "slots": slots_value(slots_of(tagged, text))})


def _tagged_token(line: str) -> TaggedToken:
    fields = line.split("\t") if "\t" in line else line.split()
    if len(fields) < 2:
        raise DataError(wanted="a token and its tag", found=f"'{line}'")
    return TaggedToken(fields[0], fields[-1].strip())


def write_conll(corpus: Corpus, path: Path) -> int:
    """Write every row as a block and return their number; raises DataError for white space in a slot type."""
    n_rows = 0
    with open_text_sink(path) as sink:
        for batch in corpus.batches():
            for utterance in utterances_of(batch):
                sink.write(_block_of(utterance, where=f"row {n_rows}"))
                n_rows += 1
    return n_rows


def _block_of(utterance: Utterance, *, where: str) -> str:
    values = {name: getattr(utterance, name) for name in _COLUMNS}
    odd = next((v for v in [*values.values(), *(s.type for s in utterance.slots)] if v != " ".join(v.split())), None)
    if odd is not None:
        raise DataError(wanted="labels without line ends or spaces at their ends", found=repr(odd), where=where)
    comments = [f"# {name} = {value}" for name, value in values.items() if value]
    return "\n".join([*comments, *(f"{token}\t{tag}" for token, tag in tagged_tokens(utterance))]) + "\n\n"
