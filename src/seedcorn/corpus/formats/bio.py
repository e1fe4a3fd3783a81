"""BIO tags: a slot begins at B-type and goes on at I-type; O is outside. Tokens are found again in their text."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from seedcorn.corpus.utterances import Slot, Utterance
from seedcorn.errors import DataError

_TAG = re.compile(r"O|[BI]-.+")
# BIOES and BILOU say more about the ends of a slot, which follow from BIO.
_BIO_OF = {"S-": "B-", "U-": "B-", "E-": "I-", "L-": "I-"}


class TaggedToken(NamedTuple):
    """A token and its BIO tag."""

    token: str
    tag: str


def slots_of(tagged: Sequence[TaggedToken], text: str) -> list[Slot]:
    """Return the slots that the tags mark in ``text``, the tokens' own text with any white space between them.

    An I- tag that continues no slot of its type begins one, as in conlleval. Raises DataError for a tag of another
    form and for tokens that are not those of the text.
    """
    slots: list[Slot] = []
    open_type = ""
    end = 0
    for token, tag in tagged:
        tag = _BIO_OF.get(tag[:2], tag[:2]) + tag[2:]
        start = _start(token, text, end)
        end = start + len(token)
        if not _TAG.fullmatch(tag):
            raise DataError(wanted="a tag O, B-type or I-type", found=f"'{tag}' at '{token}'")
        slot_type = tag[2:]
        if slot_type and tag.startswith("I-") and slot_type == open_type:
            slots[-1] = Slot(slots[-1].start, end, slot_type)
        elif slot_type:
            slots.append(Slot(start, end, slot_type))
        open_type = slot_type
    if text[end:].strip():
        raise DataError(wanted=f"tokens for all of '{text}'", found=f"none for '{text[end:].strip()}'")
    return slots


def _start(token: str, text: str, end: int) -> int:
    start = text.find(token, end)
    if start < 0 or text[end:start].strip():
        raise DataError(wanted=f"the tokens of '{text}'", found=f"'{token}' after '{text[:end]}'")
    return start


def tagged_tokens(utterance: Utterance) -> list[TaggedToken]:
    """Return the white-space tokens of ``utterance`` with their tags; where a slot begins or ends, a token does too.

    Raises DataError for a slot that covers white space alone, which no tag can show.
    """
    blank = next((slot for slot in utterance.slots if not utterance.value(slot).strip()), None)
    if blank is not None:
        raise DataError(wanted="slots that cover a word", found=f"white space as {blank.type} in '{utterance.text}'")
    edges = {edge for slot in utterance.slots for edge in (slot.start, slot.end)}
    return [
        TaggedToken(utterance.text[start:end], _tag(start, utterance.slots))
        for match in re.finditer(r"\S+", utterance.text)
        for start, end in _cut(match.start(), match.end(), edges)
    ]


def _cut(start: int, end: int, edges: Iterable[int]) -> list[tuple[int, int]]:
    cuts = [start, *sorted(edge for edge in edges if start < edge < end), end]
    return list(zip(cuts, cuts[1:], strict=False))


def _tag(start: int, slots: Sequence[Slot]) -> str:
    for slot in slots:
        if slot.start <= start < slot.end:
            return f"{'B' if start == slot.start else 'I'}-{slot.type}"
    return "O"
