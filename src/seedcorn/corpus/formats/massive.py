"""MASSIVE JSON lines: ``utt`` beside ``annot_utt``, the same text with its slots as ``[type : value]``.

The two are aligned character by character, white space aside: in locales that write no spaces (ja-JP) the annotated
text has some that the utterance has not. The locale becomes lang, the scenario domain; partition and all else is kept.
"""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from seedcorn.corpus.formats.bad_rows import BadRows
from seedcorn.corpus.formats.jsonl import json_objects
from seedcorn.corpus.formats.lines import open_text_sink
from seedcorn.corpus.formats.normal_form import Chunk
from seedcorn.corpus.formats.rows import NumberedRow, Row, chunks_of, core_row, slots_value
from seedcorn.corpus.utterances import Corpus, Slot, Utterance, utterances_of
from seedcorn.errors import DataError, at

_SLOT = re.compile(r"\[([^\[\]:]*?) ?: ?([^\[\]]*)\]")
_COLUMN_OF_KEY = {"utt": "text", "locale": "lang", "scenario": "domain"}
_KEY_OF_COLUMN = {column: key for key, column in _COLUMN_OF_KEY.items()}


def read_massive(path: Path, bad_rows: BadRows) -> Iterator[Chunk]:
    """Yield the rows of a MASSIVE file; a row whose two texts differ is bad."""
    return chunks_of(_rows(path, bad_rows), path, bad_rows)


def _rows(path: Path, bad_rows: BadRows) -> Iterator[NumberedRow]:
    for line, row in json_objects(path, bad_rows):
        try:
            yield NumberedRow(line, core_row(_utterance_row(row)))
        except DataError as error:
            bad_rows.report(error, json.dumps(row, ensure_ascii=False), where=at(path, line))


def _utterance_row(row: Row) -> Row:
    text, annotated = row.get("utt"), row.get("annot_utt")
    if not isinstance(text, str) or not isinstance(annotated, str):
        raise DataError(wanted="the strings 'utt' and 'annot_utt'", found=", ".join(row))
    renamed: Row = {_COLUMN_OF_KEY.get(key, key): value for key, value in row.items() if key != "annot_utt"}
    renamed["slots"] = slots_value(bracketed_slots(annotated, text))
    return renamed


def bracketed_slots(annotated: str, text: str) -> list[Slot]:
    """Return the slots of ``annotated`` as offsets into ``text``, the same words with perhaps other white space.

    Raises DataError when the two are not the same words.
    """
    unbracketed, spans, end = "", [], 0
    for match in _SLOT.finditer(annotated):
        unbracketed += annotated[end : match.start()]
        start = len(unbracketed)
        unbracketed += match[2]
        spans.append(Slot(start, len(unbracketed), match[1].strip()))
        end = match.end()
    unbracketed += annotated[end:]
    return _moved(spans, unbracketed, text)


def _moved(spans: Sequence[Slot], unbracketed: str, text: str) -> list[Slot]:
    if unbracketed == text:
        return list(spans)
    positions_in_text = [i for i, character in enumerate(text) if not character.isspace()]
    positions = [i for i, character in enumerate(unbracketed) if not character.isspace()]
    if [text[i] for i in positions_in_text] != [unbracketed[i] for i in positions]:
        raise DataError(wanted=f"an annotated text that reads '{text}'", found=f"'{unbracketed}'")
    place = dict(zip(positions, positions_in_text, strict=True))
    moved = []
    for span in spans:
        inside = [place[i] for i in range(span.start, span.end) if i in place]
        moved.append(Slot(inside[0], inside[-1] + 1, span.type) if inside else Slot(0, 0, span.type))
    return moved


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


def bracketed(utterance: Utterance, *, where: str = "") -> str:
    """Return the text of ``utterance`` with each slot as ``[type : value]``."""
    odd_type = next((s.type for s in utterance.slots if re.search(r"[\[\]:]|^\s|\s$", s.type)), None)
    if odd_type is not None or re.search(r"[\[\]]", utterance.text):
        raise DataError(
            wanted="texts without [ or ] and slot types without [ ] or :",
            found=f"'{odd_type if odd_type is not None else utterance.text}'",
            where=where,
            fix="Write another format, for example jsonl.",
        )
    annotated, end = "", 0
    for slot in utterance.slots:
        annotated += f"{utterance.text[end : slot.start]}[{slot.type} : {utterance.value(slot)}]"
        end = slot.end
    return annotated + utterance.text[end:]
