"""Which column of a table, or key of a record, holds the text, the intent and the slots: usual names, in any case."""

import functools
from collections.abc import Collection, Sequence
from typing import Annotated

from pydantic import BeforeValidator

from seedcorn.config import Settings
from seedcorn.corpus.utterance_columns import UTTERANCE_SCHEMA
from seedcorn.errors import DataError

# Beside the names of the Utterance columns themselves; the first that is there is taken.
USUAL_NAMES: dict[str, tuple[str, ...]] = {
    "text": ("utterance", "utt", "sentence", "query", "phrase", "message", "transcript", "transcription"),
    "intent": ("label", "category", "intent_name", "intent_label", "class", "intents"),
    "slots": ("entities", "spans"),
}
_COLUMN_NAMES = tuple(UTTERANCE_SCHEMA.names)
_KNOWN = frozenset({*_COLUMN_NAMES, *(name for names in USUAL_NAMES.values() for name in names)})


def delimiter_meant(written: object) -> object:
    """Return the character that is meant: ``tab`` is one too. Raises ValueError for several characters."""
    meant = {"tab": "\t", "\\t": "\t"}.get(str(written), written)
    if len(str(meant)) > 1 or meant in ("\n", "\r", '"'):
        raise ValueError("a delimiter is one character, or tab")
    return meant


class ColumnChoice(Settings):
    """The columns that the user names, empty where they are told by usual names.

    A table without header has columns 1, 2, ... ``delimiter`` stands between the fields of a CSV file; ``tab`` is one.
    With ``roles`` the role of an entity (Rasa) becomes part of its slot type: ``city.departure``.
    """

    text: str = ""
    intent: str = ""
    slots: str = ""
    delimiter: Annotated[str, BeforeValidator(delimiter_meant)] = ""
    roles: bool = False


@functools.lru_cache(maxsize=4096)
def column_names(found: tuple[str, ...], choice: ColumnChoice) -> tuple[str, ...]:
    """Return the name that each of the columns ``found`` has in a Corpus, its own where it is none of the Utterance's.

    Raises DataError for a column that ``choice`` names and that is not there.
    """
    names = [name.strip() for name in found]
    meaning: dict[str, int] = {}
    for column in _COLUMN_NAMES:
        place = _chosen(names, getattr(choice, column, ""), column)
        if place is None:
            place = _by_usual_name(names, column, taken=set(meaning.values()))
        if place is not None:
            meaning[column] = place
    column_at = {place: column for column, place in meaning.items()}
    return tuple(column_at.get(i, _free(name, column_at.values())) for i, name in enumerate(names))


def _chosen(names: Sequence[str], wanted: str, column: str) -> int | None:
    if not wanted:
        return None
    if wanted in names:
        return names.index(wanted)
    if wanted.isdecimal() and 1 <= int(wanted) <= len(names):
        return int(wanted) - 1
    raise DataError(wanted=f"the column '{wanted}' as {column}", found=f"columns {', '.join(names)}")


def _by_usual_name(names: Sequence[str], column: str, *, taken: set[int]) -> int | None:
    for usual in (column, *USUAL_NAMES.get(column, ())):
        if usual in names and names.index(usual) not in taken:
            return names.index(usual)
        for place, name in enumerate(names):
            if name.casefold() == usual and place not in taken:
                return place
    return None


def _free(name: str, taken: Collection[str]) -> str:
    """Return ``name``, with an underscore where an Utterance column has that name already."""
    return f"{name}_" if name in taken else name


def is_header(fields: Sequence[str], choice: ColumnChoice) -> bool:
    """Tell whether the first row of a table names its columns: one it must, by a usual name or as chosen."""
    if any(wanted and wanted in [f.strip() for f in fields] for wanted in (choice.text, choice.intent, choice.slots)):
        return True
    names = [field.strip().casefold() for field in fields]
    return "text" in names or (len(names) > 1 and any(map(is_usual_name, names)))


def is_usual_name(field: str) -> bool:
    """Tell whether ``field`` is the name of an Utterance column, or one that other tools have for it."""
    return field.strip().casefold() in _KNOWN
