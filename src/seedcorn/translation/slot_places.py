"""Where slots stand in a translation: placeholders in templates, filled again, and values found again."""

import re
from collections.abc import Mapping, Sequence

from seedcorn.corpus.text import normalise
from seedcorn.corpus.utterances import Slot, Utterance
from seedcorn.translation.subwords import PLACEHOLDER, placeholder


def template_of(utterance: Utterance, values: Mapping[int, str]) -> str:
    """Return the text with a placeholder, numbered by slot, for each slot in ``values``."""
    text, end = "", 0
    for number, slot in enumerate(utterance.slots):
        text += utterance.text[end : slot.start]
        text += f" {placeholder(number + 1)} " if number in values else utterance.value(slot)
        end = slot.end
    return " ".join((text + utterance.text[end:]).split())


def pieces_around(utterance: Utterance) -> list[str]:
    """Return the text before, between and after the slots."""
    ends = [0, *(slot.end for slot in utterance.slots)]
    starts = [*(slot.start for slot in utterance.slots), len(utterance.text)]
    return [utterance.text[end:start].strip() for end, start in zip(ends, starts, strict=True)]


def with_placed_slots(
    text: str,
    utterance: Utterance,
    values: Mapping[int, str],
    translated_values: Mapping[str, Sequence[str]],
    in_place: bool,
) -> tuple[str, tuple[Slot, ...]] | None:
    """Return ``text`` with its placeholders filled and the slots in it, or None when a slot has no place."""
    expected = sorted(placeholder(number + 1) for number in values)
    if sorted(PLACEHOLDER.findall(text)) != expected or not normalise(PLACEHOLDER.sub(" ", text)) and not values:
        return None
    filled, slots = _filled(text, utterance, values)
    if in_place:
        for number, slot in enumerate(utterance.slots):
            if number not in values:
                span = _find(filled, translated_values.get(utterance.value(slot), ()), slots)
                if span is None:
                    return None
                slots.append(Slot(*span, slot.type))
    return filled, tuple(sorted(slots))


def _filled(text: str, utterance: Utterance, values: Mapping[int, str]) -> tuple[str, list[Slot]]:
    filled, slots = "", list[Slot]()
    for piece in PLACEHOLDER.split(text):
        piece = piece.strip()
        if not piece:
            continue
        filled += " " if filled else ""
        match = PLACEHOLDER.fullmatch(piece)
        if match is None:
            filled += piece
            continue
        number = int(re.sub(r"\D", "", piece)) - 1
        slots.append(Slot(len(filled), len(filled) + len(values[number]), utterance.slots[number].type))
        filled += values[number]
    return filled, slots


def _find(text: str, wanted: Sequence[str], taken: Sequence[Slot]) -> tuple[int, int] | None:
    """Return where one of ``wanted``, likeliest first, stands in ``text`` as whole words outside ``taken``."""
    for value in wanted:
        for match in re.finditer(rf"(?<!\S){re.escape(value)}(?!\S)", text):
            if all(match.end() <= slot.start or slot.end <= match.start() for slot in taken):
                return match.span()
    return None
