"""Records of other tools as rows: MASSIVE, Label Studio, doccano, tokens with tags, or any with usual column names."""

import functools
from collections.abc import Mapping, Sequence

from seedcorn.corpus.columns import ColumnChoice, column_names
from seedcorn.corpus.formats.bad_rows import BadRows
from seedcorn.corpus.formats.bio import TaggedToken, slots_of
from seedcorn.corpus.formats.massive_markup import massive_row
from seedcorn.corpus.formats.rows import UTTERANCE_NAMES, Row, slots_value
from seedcorn.corpus.values import Value
from seedcorn.errors import DataError

_TOKENS = ("tokens", "words")
_TAGS = ("ner_tags", "tags", "slot_tags", "labels")
_TASK_PARTS = ("annotations", "predictions", "completions")
_CATEGORIES = "cats"
_SPANS = ("label", "labels")
_EMPTY_ROW: Row = {**dict.fromkeys(UTTERANCE_NAMES, ""), "slots": []}


def plain_row(record: Row, choice: ColumnChoice) -> Row | None:
    """Return a record of nothing but strings as ``core_row`` of ``utterance_row`` would; None for any other.

    Nearly all records of logs are so, and only their keys need be understood, once for all of the same keys.
    """
    names = _plain_names(tuple(record), choice)
    if names is None or any(type(value) is not str for value in record.values()):
        return None
    return {**_EMPTY_ROW, **dict(zip(names, record.values(), strict=True))}


@functools.lru_cache(maxsize=4096)
def _plain_names(keys: tuple[str, ...], choice: ColumnChoice) -> tuple[str, ...] | None:
    if choice != ColumnChoice() or not {"annot_utt", "_task_hash"}.isdisjoint(keys):
        return None
    names = column_names(keys, choice)
    return names if "text" in names and "slots" not in names else None


def utterance_row(record: Row, bad_rows: BadRows) -> Row:
    """Return ``record`` with the names of the Utterance columns, whatever tool it is from; other keys are kept.

    Raises DataError when a MASSIVE record's two texts differ, or tokens and tags do.
    """
    if is_label_studio(record):
        return label_studio_row(record, bad_rows)
    record = _with_chosen(record, bad_rows)
    if isinstance(record.get("utt"), str) and "annot_utt" in record and not bad_rows.columns.text:
        chosen = bad_rows.columns.intent
        return massive_row({**record, "intent": record[chosen]} if chosen else record)
    record = _without_refused_labels(record, bad_rows)
    names = column_names(tuple(record), bad_rows.columns)
    row: Row = dict(zip(names, record.values(), strict=True))
    if "text" not in row or not row.get("slots"):
        row = _from_tokens(row, bad_rows)
    return _with_labels(row, dict(zip(names, record, strict=True)), bad_rows)


def _with_chosen(record: Row, bad_rows: BadRows) -> Row:
    """Return ``record`` with null for a chosen column that it lacks: tools leave empty ones out of a record."""
    for name in (bad_rows.columns.intent, bad_rows.columns.slots):
        if name in record:
            bad_rows.chosen_and_found.add(name)
        elif name:
            record = {**record, name: None}
            bad_rows.chosen_and_lacking.add(name)
    return record


def holds_text(names: Sequence[str]) -> bool:
    """Tell whether records with these keys have a text, or tokens in its place."""
    return "text" in column_names(tuple(names), ColumnChoice()) or not {*_TOKENS, "data"}.isdisjoint(names)


def has_tagged_tokens(names: Sequence[str]) -> bool:
    """Tell whether records with these keys have tokens and a tag for each."""
    return not {*_TOKENS}.isdisjoint(names) and not {*_TAGS}.isdisjoint(names)


def is_label_studio(record: Mapping[str, Value]) -> bool:
    """Tell whether ``record`` is a task of Label Studio."""
    return isinstance(record.get("data"), dict) and any(isinstance(record.get(part), list) for part in _TASK_PARTS)


def _with_labels(row: Row, own_names: Mapping[str, str], bad_rows: BadRows) -> Row:
    """Return ``row`` with what stands under "label" where it belongs: a name is an intent, a list of spans slots."""
    label = row.get("intent")
    own_name = own_names.get("intent", "intent")
    if isinstance(label, list):
        del row["intent"]
        if label and all(_is_span(item) for item in label) and not row.get("slots"):
            row["slots"] = label
        elif len(label) == 1 and isinstance(label[0], str):
            row["intent"] = label[0]
        elif label:
            bad_rows.leave_out(f"lists of several labels ('{own_name}')")
    elif own_name != "intent" and not isinstance(label, str | int | None) or isinstance(label, bool):
        row[own_name] = row.pop("intent")
    spans = next((name for name in _SPANS if row.get(name) and _are_spans(row[name])), None)
    if spans is not None and not row.get("slots"):
        row["slots"] = row.pop(spans)
    categories = row.get(_CATEGORIES)
    if isinstance(categories, dict):  # spaCy: how likely each is
        categories = [name for name, value in categories.items() if value in (1, True)]
    if not row.get("intent") and isinstance(categories, list) and len(categories) == 1:
        row["intent"] = categories[0]
        del row[_CATEGORIES]
    if own_names.get("slots", "slots") != "slots" and not _are_spans(row.get("slots")):
        row[own_names["slots"]] = row.pop("slots")
    return row


def _are_spans(value: Value) -> bool:
    return isinstance(value, list) and all(_is_span(item) for item in value)


def _is_span(item: Value) -> bool:
    if isinstance(item, dict):
        return any(name.startswith("start") for name in item)
    return isinstance(item, list | tuple) and len(item) == 3 and isinstance(item[0], int)


def _from_tokens(row: Row, bad_rows: BadRows) -> Row:
    """Return a row of tokens and BIO tags with their slots, and with their text where it has none."""
    name = next((name for name in _TOKENS if isinstance(row.get(name), list)), None)
    if name is None:
        return row
    tags_name = next((n for n in _TAGS if isinstance(row.get(n), list)), None)
    if isinstance(row.get("text"), str):
        return row if tags_name is None or not _are_tags(row[tags_name]) else _tagged(row, name, tags_name, bad_rows)
    tokens = row[name]
    assert isinstance(tokens, list)
    row = {**row, "text": " ".join(str(token) for token in tokens)}
    if tags_name is None:
        del row[name]
        return row
    return _with_slots(row, name, tags_name)


def _tagged(row: Row, name: str, tags_name: str, bad_rows: BadRows) -> Row:
    """Return a row that has a text of its own with the slots of its tokens, which may be other than its text."""
    try:
        return _with_slots(row, name, tags_name)
    except DataError:
        bad_rows.leave_out(f"'{tags_name}' of tokens that are not those of the text")
        return row


def _with_slots(row: Row, name: str, tags_name: str) -> Row:
    tokens, text = row[name], row["text"]
    assert isinstance(tokens, list)
    assert isinstance(text, str)
    tags = _tags(row[tags_name], len(tokens), tags_name)
    tagged = [TaggedToken(str(token), tag) for token, tag in zip(tokens, tags, strict=True)]
    rest: Row = {key: value for key, value in row.items() if key not in (name, tags_name)}
    return {**rest, "slots": slots_value(slots_of(tagged, text))}


def _without_refused_labels(record: Row, bad_rows: BadRows) -> Row:
    """Return a record of Prodigy without labels that a person refused or passed over."""
    if record.get("answer") not in ("reject", "ignore") or "_task_hash" not in record:
        return record
    bad_rows.leave_out("labels that were rejected or ignored (Prodigy)")
    return {key: value for key, value in record.items() if key not in ("label", "spans", "accept")}


def _are_tags(values: Value) -> bool:
    return isinstance(values, list) and all(isinstance(v, str) and (v == "O" or v[1:2] == "-") for v in values)


def _tags(tags: object, n_tokens: int, name: str) -> list[str]:
    assert isinstance(tags, list)
    if len(tags) != n_tokens:
        raise DataError(wanted=f"{n_tokens} tags, one a token", found=f"{len(tags)} in '{name}'")
    if not all(isinstance(tag, str) for tag in tags):
        fix = "Save it with the names of the tags (the features of a Hugging Face data set)."
        raise DataError(wanted=f"names as '{name}', such as B-time", found=f"numbers {tags}"[:80], fix=fix)
    return tags


def label_studio_row(task: Row, bad_rows: BadRows) -> Row:
    """Return a task of Label Studio as a row: its first annotation, else its first prediction."""
    data = task["data"]
    assert isinstance(data, dict)
    given = {key: value for key, value in data.items() if isinstance(key, str)}
    row: Row = dict(zip(column_names(tuple(given), bad_rows.columns), given.values(), strict=True))
    if task.get("id") is not None:
        row.setdefault("id", task["id"])
    annotations = [
        a for part in ("annotations", "completions") for a in _dicts(task.get(part)) if not a.get("was_cancelled")
    ]
    predictions = _dicts(task.get("predictions"))
    chosen = next(iter(annotations or predictions), None)
    if len(annotations) > 1:
        bad_rows.leave_out("further annotations of tasks", len(annotations) - 1)
    if chosen is None:
        return row
    if not annotations and isinstance(chosen.get("score"), int | float):
        row.setdefault("confidence", chosen["score"])
    return row | _label_studio_labels(_dicts(chosen.get("result")), bad_rows)


def _label_studio_labels(results: list[Row], bad_rows: BadRows) -> Row:
    slots: list[Value] = []
    labels: Row = {}
    for result in results:
        value = result.get("value")
        names = next((value[k] for k in ("labels", "choices") if k in value), None) if isinstance(value, dict) else None
        if not isinstance(value, dict) or not isinstance(names, list) or not names:
            bad_rows.leave_out(f"results of type '{result.get('type')}'")
            continue
        if len(names) > 1:
            bad_rows.leave_out("further labels of a result", len(names) - 1)
        if "choices" in value:
            labels.setdefault("intent", names[0])
        else:
            slots.append(dict(value))
    return {**labels, "slots": slots}


def _dicts(value: Value) -> list[Row]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
