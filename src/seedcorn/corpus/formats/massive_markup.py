"""MASSIVE's two texts of an utterance: ``utt``, and ``annot_utt`` with its slots as ``[type : value]``."""

import re
from collections.abc import Sequence

from seedcorn.corpus.formats.rows import Row, slots_value
from seedcorn.corpus.utterances import Slot, Utterance
from seedcorn.errors import DataError

_SLOT = re.compile(r"\[([^\[\]:]*?) ?: ?([^\[\]]*)\]")
COLUMN_OF_KEY = {"utt": "text", "locale": "lang", "scenario": "domain"}


def massive_row(row: Row) -> Row:
    """Return a MASSIVE record as a row; raises DataError when its two texts are not the same words."""
    text, annotated = row.get("utt"), row.get("annot_utt")
    if not isinstance(text, str) or not isinstance(annotated, str):
        raise DataError(wanted="the strings 'utt' and 'annot_utt'", found=", ".join(row))
    renamed: Row = {COLUMN_OF_KEY.get(key, key): value for key, value in row.items() if key != "annot_utt"}
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
