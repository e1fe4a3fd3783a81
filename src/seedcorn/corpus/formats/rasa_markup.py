"""Entities in Rasa's examples: ``[value](type)``, ``[value](type:synonym)`` or ``[value]{"entity": "type", ...}``."""

import json
import re

from seedcorn.corpus.formats.bad_rows import BadRows
from seedcorn.corpus.formats.rows import Row, slots_value
from seedcorn.corpus.utterances import Slot
from seedcorn.errors import DataError

_VALUE = re.compile(r"\[(?P<value>[^\[\]]*)\](?=[({])")
_TYPE = re.compile(r"\((?P<type>[^():]+)(?::(?P<synonym>[^()]*))?\)")
_DECODER = json.JSONDecoder()


def annotated_row(example: str, bad_rows: BadRows) -> Row:
    """Return text and slots of an example; synonym values, and roles and groups unless asked for, are counted.

    Raises DataError for markup that cannot be read, also where it would only leave brackets in the text.
    """
    text, slots, end = "", [], 0
    while match := _VALUE.search(example, end):
        text += example[end : match.start()]
        slot_type, end = _type(example, match.end(), bad_rows)
        slots.append(Slot(len(text), len(text) + len(match["value"]), slot_type))
        text += match["value"]
    text += example[end:]
    if "[" in text or "]" in text:
        found = f"brackets left in '{text[:80]}'"
        raise DataError(wanted='entities as [value](type) or [value]{"entity": "type"}', found=found)
    return {"text": text, "slots": slots_value(slots)}


def _type(example: str, start: int, bad_rows: BadRows) -> tuple[str, int]:
    """Return the slot type that is written at ``start``, and where it ends."""
    if example[start] == "{":
        return _type_in_object(example, start, bad_rows)
    match = _TYPE.match(example, start)
    slot_type = match["type"] if match else ""
    if match is None or not slot_type.strip() or slot_type[0] in "\"'":
        raise DataError(wanted="an entity as [value](type)", found=f"'{example[start : start + 40]}'")
    if match["synonym"] is not None:
        bad_rows.leave_out("synonym values of entities")
    return slot_type, match.end()


def _type_in_object(example: str, start: int, bad_rows: BadRows) -> tuple[str, int]:
    try:
        entity, end = _DECODER.raw_decode(example, start)
        entity["entity"] = str(entity["entity"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        found = f"'{example[start : start + 40]}'"
        raise DataError(wanted='an entity as {"entity": "type"}', found=found) from error
    typed_with_role(entity, bad_rows)
    if entity.get("value") is not None:
        bad_rows.leave_out("synonym values of entities")
    return entity["entity"], end


def typed_with_role(entity: Row, bad_rows: BadRows) -> None:
    """Put an entity's role into its type where that was asked for; count what else it says and has no place."""
    if bad_rows.columns.roles and isinstance(entity.get("role"), str):
        entity["entity"] = f"{entity.get('entity')}.{entity.pop('role')}"
    for name in ("role", "group"):
        if entity.get(name):
            bad_rows.leave_out(f"{name}s of entities")
