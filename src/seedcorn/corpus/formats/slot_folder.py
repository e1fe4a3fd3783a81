"""A folder with seq.in, seq.out and label: tokens, BIO tags and intents, line by line beside each other."""

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from seedcorn.corpus.formats.bad_rows import BadRows
from seedcorn.corpus.formats.bio import TaggedToken, slots_of, tagged_tokens
from seedcorn.corpus.formats.lines import line_blocks, open_text_sink
from seedcorn.corpus.formats.normal_form import Chunk
from seedcorn.corpus.formats.rows import NumberedRow, Row, chunks_of, core_row, slots_value
from seedcorn.corpus.utterances import Corpus, Utterance, utterances_of
from seedcorn.errors import DataError, at

TOKENS, TAGS, INTENTS = "seq.in", "seq.out", "label"


def read_slot_folder(path: Path, bad_rows: BadRows) -> Iterator[Chunk]:
    """Yield the rows of a folder; raises DataError when one of its files is missing or shorter than another."""
    return chunks_of(_rows(path, bad_rows), path, bad_rows, others=())


def _rows(path: Path, bad_rows: BadRows) -> Iterator[NumberedRow]:
    files = [path / name for name in (TOKENS, TAGS, INTENTS)]
    for number, (tokens, tags, intent) in enumerate(zip_longest(*map(_lines, files)), start=1):
        if tokens is None or tags is None or intent is None:
            raise _unequal(files, number)
        if not (tokens.strip() or tags.strip() or intent.strip()):
            continue
        try:
            yield NumberedRow(number, _row(tokens.split(), tags.split(), intent.strip()))
        except DataError as error:
            bad_rows.report(error, f"{tokens}\t{tags}\t{intent}", where=at(path / TOKENS, number))


def _lines(path: Path) -> Iterator[str]:
    if not path.is_file():
        raise DataError(wanted=f"the files {TOKENS}, {TAGS} and {INTENTS}", found=f"no {path.name}", where=path.parent)
    # A line left out here would shift this file against the others, so one that is not UTF-8 always stops.
    for block in line_blocks(path, BadRows()):
        yield from block.lines.to_pylist()


def _unequal(files: list[Path], line: int) -> DataError:
    counts = {file.name: sum(len(block.lines) for block in line_blocks(file, BadRows())) for file in files}
    return DataError(
        wanted="the same number of lines in all three files",
        found=", ".join(f"{count:,} in {name}" for name, count in counts.items()),
        where=at(files[0], line),
    )


def _row(tokens: list[str], tags: list[str], intent: str) -> Row:
    if len(tokens) != len(tags):
        raise DataError(wanted=f"{len(tokens)} tags, one a token", found=f"{len(tags)} in {TAGS}")
    text = " ".join(tokens)
    tagged = [TaggedToken(token, tag) for token, tag in zip(tokens, tags, strict=True)]
    return core_row({"text": text, "intent": intent, "slots": slots_value(slots_of(tagged, text))})


def write_slot_folder(corpus: Corpus, path: Path) -> int:
    """Write the three files into the folder ``path`` and return the number of rows.

    Raises DataError for a slot that begins or ends inside a white-space token, which would change the text.
    """
    path.mkdir()
    n_rows = 0
    with (
        open_text_sink(path / TOKENS) as tokens,
        open_text_sink(path / TAGS) as tags,
        open_text_sink(path / INTENTS) as intents,
    ):
        for batch in corpus.batches():
            for utterance in utterances_of(batch):
                tagged = _checked(utterance, tagged_tokens(utterance), where=f"row {n_rows}")
                tokens.write(" ".join(token for token, _ in tagged) + "\n")
                tags.write(" ".join(tag for _, tag in tagged) + "\n")
                intents.write(utterance.intent + "\n")
                n_rows += 1
    return n_rows


def _checked(utterance: Utterance, tagged: list[TaggedToken], *, where: str) -> list[TaggedToken]:
    if " ".join(token for token, _ in tagged) != utterance.text:
        found = f"'{utterance.text}', where one ends inside a token"
        raise DataError(wanted="slots of whole tokens", found=found, where=where, fix="Write conll or jsonl.")
    if any(len(tag.split()) > 1 for _, tag in tagged) or utterance.intent != " ".join(utterance.intent.split()):
        raise DataError(wanted="labels without white space", found=f"some in '{utterance.text}'", where=where)
    return tagged
