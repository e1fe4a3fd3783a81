"""JSON files that are one value: arrays of records, Label Studio tasks, Rasa 1, CLINC150, datasets of snips-nlu."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from seedcorn.corpus.formats.bad_rows import BadRows
from seedcorn.corpus.formats.jsonl import as_json, without_empty_columns
from seedcorn.corpus.formats.lines import open_text_sink, read_text
from seedcorn.corpus.formats.normal_form import Chunk
from seedcorn.corpus.formats.rasa_markup import typed_with_role
from seedcorn.corpus.formats.records import is_label_studio, utterance_row
from seedcorn.corpus.formats.rows import NumberedRow, Row, chunks_of, core_row
from seedcorn.corpus.formats.snips import snips_row
from seedcorn.corpus.utterances import Corpus, Utterance, utterances_of
from seedcorn.corpus.values import Value, json_value
from seedcorn.errors import DataError, SeedcornError, at

Records: TypeAlias = Iterator[Row]

_ROWS_KEYS = ("data", "rows", "examples", "utterances")  # where tools put an array of records inside an object


def read_json(path: Path, bad_rows: BadRows) -> Iterator[Chunk]:
    """Yield the records of a JSON file, "line" being the record's number; raises DataError for an unknown document."""
    return chunks_of(_rows(path, bad_rows), path, bad_rows)


def _rows(path: Path, bad_rows: BadRows) -> Iterator[NumberedRow]:
    document = _document(path)
    for number, record in enumerate(_records(document, path, bad_rows), start=1):
        try:
            if not isinstance(record, dict):
                raise DataError(wanted="a JSON object", found=f"{record!r}"[:60])
            yield NumberedRow(number, core_row(utterance_row(record, bad_rows)))
        except DataError as error:
            bad_rows.report(error, json.dumps(record, ensure_ascii=False), where=at(path, number))


def _document(path: Path) -> Value:
    try:
        return json_value(read_text(path), nan_is_null=True)
    except SeedcornError as error:
        raise DataError(wanted=error.wanted, found=error.found, where=error.where or path, fix=error.fix) from error


def _records(document: Value, path: Path, bad_rows: BadRows) -> Iterator[Value]:
    kind = kind_of_document(document)
    if kind == "records":
        assert isinstance(document, list)
        for record in document:
            yield {"text": record} if isinstance(record, str) else record
    elif kind == "pairs":
        assert isinstance(document, list)
        for text, intent in document:
            yield {"text": text, "intent": intent}
    elif kind == "task":
        yield document
    elif isinstance(document, dict) and kind == "rasa-json":
        yield from _rasa_examples(document["rasa_nlu_data"], bad_rows)
    elif isinstance(document, dict) and kind == "snips-nlu":
        yield from _snips_utterances(document, bad_rows)
    elif isinstance(document, dict) and kind == "clinc150":
        yield from _clinc_rows(document)
    elif isinstance(document, dict) and kind == "rows":
        rows = next(document[key] for key in _ROWS_KEYS if isinstance(document.get(key), list))
        assert isinstance(rows, list)
        for row in rows:
            yield row["row"] if isinstance(row, dict) and isinstance(row.get("row"), dict) else row
    else:
        keys = ", ".join(str(key) for key in document)[:60] if isinstance(document, dict) else repr(document)[:60]
        raise DataError(
            wanted="an array of records, or JSON of Label Studio, Rasa, SNIPS or CLINC150",
            found=keys,
            where=path,
            fix="JSON lines have one object a line.",
        )


def kind_of_document(document: Value) -> str | None:
    """Return what a JSON document is: records, pairs, task, rasa-json, snips-nlu, clinc150 or rows; None for another.

    Pairs are of a text and its intent, as in one partition of CLINC150 or BANKING77.
    """
    if isinstance(document, list):
        return "pairs" if document and _is_clinc_partition(document) else "records"
    if isinstance(document, dict) and is_label_studio(document):
        return "task"
    if not isinstance(document, dict):
        return None
    if isinstance(document.get("rasa_nlu_data"), dict):
        return "rasa-json"
    if isinstance(document.get("intents"), dict) and "entities" in document:
        return "snips-nlu"
    if document and all(_is_clinc_partition(value) for value in document.values()) and any(document.values()):
        return "clinc150"
    return "rows" if any(_are_records(document.get(key)) for key in _ROWS_KEYS) else None


def _is_clinc_partition(value: Value) -> bool:
    return isinstance(value, list) and all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(item, str) for item in pair) for pair in value
    )


def _are_records(value: Value) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) and "data" not in row for row in value)


def _clinc_rows(document: Mapping[str, Value]) -> Records:
    """Yield [text, intent] pairs with the partition that they stand under."""
    for partition, pairs in document.items():
        assert isinstance(pairs, list)
        for text, intent in pairs:
            yield {"text": text, "intent": intent, "partition": partition}


def _rasa_examples(data: Value, bad_rows: BadRows) -> Records:
    assert isinstance(data, dict)
    for key, value in data.items():
        if isinstance(value, list) and key.endswith("_examples"):
            for example in value:
                yield _rasa_row(example, bad_rows) if isinstance(example, dict) else example
        elif value:
            bad_rows.leave_out(key.replace("_", " "), len(value) if isinstance(value, list) else 1)


def _rasa_row(example: Row, bad_rows: BadRows) -> Row:
    entities = example.get("entities")
    for entity in entities if isinstance(entities, list) else ():
        if isinstance(entity, dict):
            typed_with_role(entity, bad_rows)
    return example


def _snips_utterances(document: Mapping[str, Value], bad_rows: BadRows) -> Records:
    """Yield the utterances of a dataset of snips-nlu: a slot's type is its slot name, not the entity behind it."""
    intents = document["intents"]
    assert isinstance(intents, dict)
    entities = document.get("entities")
    if isinstance(entities, dict) and any(isinstance(e, dict) and e.get("data") for e in entities.values()):
        bad_rows.leave_out("lists of entity values", len(entities))
    for intent, content in intents.items():
        utterances = content.get("utterances") if isinstance(content, dict) else None
        for entry in utterances if isinstance(utterances, list) else ():
            yield {**snips_row(intent, entry), "lang": document.get("language")}


def write_json(corpus: Corpus, path: Path) -> int:
    """Write all rows as one JSON array of records and return their number."""
    return _write_array(corpus, path, lambda row, utterance: row)


def write_label_studio(corpus: Corpus, path: Path) -> int:
    """Write every row as a task with its labels as a prediction, for people to correct, and return their number.

    A row's "confidence" becomes the score of the prediction; what else it has stands in the task's data. The labelling
    interface has a Text "text", Labels "label" and Choices "intent".
    """
    return _write_array(corpus, path, _task)


def _write_array(corpus: Corpus, path: Path, form: Callable[[Row, Utterance], Row]) -> int:
    n_rows = 0
    with open_text_sink(path) as sink:
        sink.write("[")
        for batch in corpus.batches():
            for row, utterance in zip(batch.to_pylist(), utterances_of(batch), strict=True):
                sink.write(("\n" if n_rows == 0 else ",\n") + as_json(form(without_empty_columns(row), utterance)))
                n_rows += 1
        sink.write("\n]\n")
    return n_rows


def _task(row: Row, utterance: Utterance) -> Row:
    results: list[Value] = [
        {
            "value": {"start": slot.start, "end": slot.end, "text": utterance.value(slot), "labels": [slot.type]},
            "from_name": "label",
            "to_name": "text",
            "type": "labels",
        }
        for slot in utterance.slots
    ]
    if utterance.intent:
        choices: Row = {"choices": [utterance.intent]}
        results.append({"value": choices, "from_name": "intent", "to_name": "text", "type": "choices"})
    data: Row = {key: value for key, value in row.items() if key not in ("slots", "intent", "confidence")}
    prediction: Row = {"result": results}
    if isinstance(row.get("confidence"), float):
        prediction["score"] = row["confidence"]
    return {"data": data, "predictions": [prediction]}
