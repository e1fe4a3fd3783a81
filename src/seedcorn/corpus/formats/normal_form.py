"""What every reader does to its rows: normalise the text, carry the slots along, refuse rows that cannot be right."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from seedcorn.corpus.cleaning import clean_column
from seedcorn.corpus.formats.bad_rows import BadRows
from seedcorn.corpus.formats.lines import LineNumbers
from seedcorn.corpus.text import INVISIBLE, clean_text
from seedcorn.corpus.utterance_columns import SLOT_TYPE
from seedcorn.corpus.utterances import Slot, check_slots
from seedcorn.errors import DataError, at

_INVISIBLE = "[" + "".join(rf"\x{{{code:x}}}" for code in INVISIBLE) + "]"
BLANK = rf"^[\p{{Z}}\p{{Cc}}\x{{200c}}\x{{200d}}{_INVISIBLE[1:-1]}]*$"
_LABELS = ("lang", "domain", "intent", "origin")


class Chunk(NamedTuple):
    """Rows as a reader found them and the line each came from."""

    rows: pa.RecordBatch
    lines: LineNumbers


def in_normal_form(chunk: Chunk, path: Path, bad_rows: BadRows) -> pa.RecordBatch:
    """Return the rows with normalised text, labels and slots that fit it, sorted; bad rows are reported and left out.

    Slots are trimmed of white space, and labels are text too: "music" and " music" are one intent. A row is bad
    without a text, or with a slot that is empty, outside its text or overlapping another.
    """
    chunk = chunk._replace(rows=_with_clean_labels(chunk.rows))
    texts, slots = chunk.rows.column("text"), chunk.rows.column("slots")
    normal = clean_column(texts)
    suspicious = pc.equal(pc.binary_length(normal), 0).fill_null(True).to_numpy(zero_copy_only=False)
    if len(slots.values):
        changed = pc.not_equal(texts, normal).fill_null(True).to_numpy(zero_copy_only=False)
        has_slots = pc.greater(pc.list_value_length(slots), 0).fill_null(False).to_numpy(zero_copy_only=False)
        suspicious = suspicious | (changed & has_slots) | _rows_with_odd_slots(normal, slots)
    rows = chunk.rows.set_column(chunk.rows.schema.get_field_index("text"), "text", normal)
    return _mended(chunk, rows, np.flatnonzero(suspicious), path, bad_rows) if suspicious.any() else rows


def _with_clean_labels(rows: pa.RecordBatch) -> pa.RecordBatch:
    for name in _LABELS:
        place = rows.schema.get_field_index(name)
        clean = clean_column(rows.column(place))
        if clean is not rows.column(place):
            rows = rows.set_column(place, rows.schema.field(place), clean)
    return rows


def _rows_with_odd_slots(texts: pa.StringArray, slots: pa.ListArray) -> NDArray[np.bool_]:
    """Return which rows have slots that check_slots would refuse or reorder, shape (n,)."""
    odd = np.zeros(len(texts), dtype=np.bool_)
    flat, row_of_slot = pc.list_flatten(slots), pc.list_parent_indices(slots).to_numpy()
    if not len(flat):
        return odd
    start, end = (pc.struct_field(flat, name).fill_null(-1).to_numpy() for name in ("start", "end"))
    types = pc.struct_field(flat, "type").fill_null("")
    mistyped = pc.or_(pc.equal(types, ""), pc.not_equal(types, clean_column(types))).to_numpy(zero_copy_only=False)
    n_characters = pc.utf8_length(texts).fill_null(0).to_numpy()[row_of_slot]
    odd[row_of_slot[(start < 0) | (start >= end) | (end > n_characters) | mistyped]] = True
    odd[row_of_slot[_touches_space(texts, start, end, row_of_slot, ~odd[row_of_slot])]] = True
    follows = row_of_slot[1:] == row_of_slot[:-1]
    odd[row_of_slot[1:][follows & (start[1:] < end[:-1])]] = True
    return odd


def _touches_space(
    texts: pa.StringArray,
    start: NDArray[np.int32],
    end: NDArray[np.int32],
    row_of_slot: NDArray[np.int64],
    is_inside: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Return which slots begin or end with white space, of those that ``is_inside`` says lie in their texts."""
    rows, row = np.unique(row_of_slot, return_inverse=True)
    of_slots = texts.take(pa.array(rows)).to_pylist()
    characters = np.frombuffer("".join(text or "" for text in of_slots).encode("utf-32-le"), np.uint32)
    begins = np.cumsum([0, *(len(text or "") for text in of_slots)])[row]
    if not len(characters):
        return np.zeros(len(start), np.bool_)
    first = characters[np.where(is_inside, begins + start, 0)]
    last = characters[np.where(is_inside, begins + end - 1, 0)]
    touches: NDArray[np.bool_] = is_inside & ((first == ord(" ")) | (last == ord(" ")))
    return touches


def _mended(
    chunk: Chunk, rows: pa.RecordBatch, suspicious: NDArray[np.int64], path: Path, bad_rows: BadRows
) -> pa.RecordBatch:
    """Return ``rows`` with the suspicious ones normalised one by one, without those that cannot be."""
    sources = np.arange(rows.num_rows)
    mended_texts: list[str] = []
    mended_slots: list[list[dict[str, int | str]]] = []
    for row in suspicious.tolist():
        found = chunk.rows.slice(row, 1).to_pylist()[0]
        try:
            text, slots = normalise_with_slots(found["text"], found["slots"])
        except DataError as error:
            row_text = json.dumps(found, ensure_ascii=False, default=str)
            bad_rows.report(error, row_text, where=at(path, int(chunk.lines[row])))
            sources[row] = -1
            continue
        sources[row] = rows.num_rows + len(mended_texts)
        mended_texts.append(text)
        mended_slots.append([{"start": s.start, "end": s.end, "type": s.type} for s in slots])
    columns = dict(zip(rows.schema.names, rows.columns, strict=True))
    columns["text"] = pa.concat_arrays([columns["text"], pa.array(mended_texts, pa.string())])
    columns["slots"] = pa.concat_arrays([columns["slots"], pa.array(mended_slots, pa.list_(SLOT_TYPE))])
    kept = sources[sources >= 0]
    other_rows = pa.array(np.flatnonzero(sources >= 0))
    taken = {
        name: column.take(pa.array(kept) if name in ("text", "slots") else other_rows)
        for name, column in columns.items()
    }
    return pa.RecordBatch.from_pydict(taken, schema=rows.schema)


def normalise_with_slots(text: str | None, slots: list[dict[str, int | str]] | None) -> tuple[str, tuple[Slot, ...]]:
    """Return normalised ``text`` and its slots moved along, trimmed of white space, sorted.

    Raises DataError when nothing of the text is left, or a slot does not fit the text or cuts a character in two.
    """
    if text is None or not clean_text(text):
        raise DataError(wanted="a text", found="none" if text is None else "an empty one")
    ordered = check_slots(text, [_slot_of(slot) for slot in slots or ()])
    pieces, end = [], 0
    for slot in ordered:
        pieces += [text[end : slot.start], text[slot.start : slot.end]]
        end = slot.end
    joined, starts = _joined([*pieces, text[end:]])
    if joined != clean_text(text):
        raise DataError(
            wanted="slots that begin and end between characters",
            found=f"one that cuts a character in two in '{text}'",
        )
    moved = [_trimmed(joined, starts[2 * i + 1], starts[2 * i + 2], slot.type) for i, slot in enumerate(ordered)]
    return joined, check_slots(joined, moved)


def _slot_of(slot: dict[str, int | str]) -> Slot:
    start, end, slot_type = slot["start"], slot["end"], slot["type"]
    return Slot(-1 if start is None else int(start), -1 if end is None else int(end), clean_text(str(slot_type or "")))


def _joined(pieces: list[str]) -> tuple[str, list[int]]:
    """Return the pieces normalised together and where each begins; the last number is the length of the whole."""
    text, starts = "", []
    for piece in pieces:
        starts.append(len(text))
        # The bars keep the white space at the ends of a piece; what surrounds it decides whether it stays.
        spaced = clean_text(f"|{piece}|")[1:-1]
        text += spaced.removeprefix(" ") if not text or text.endswith(" ") else spaced
    text = text.removesuffix(" ")
    return text, [*(min(start, len(text)) for start in starts), len(text)]


def _trimmed(text: str, start: int, end: int, slot_type: str) -> Slot:
    value = text[start:end]
    return Slot(start + len(value) - len(value.lstrip(" ")), end - len(value) + len(value.rstrip(" ")), slot_type)
