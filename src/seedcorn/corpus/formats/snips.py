"""SNIPS JSON: {"Intent": [{"data": [{"text": "play "}, {"text": "jazz", "entity": "genre"}]}]}, one file or many.

Of a folder, every train_* and validate_* file below it is read, train_X_full.json instead of train_X.json where both
are there; the column partition says which it came from.
"""

import json
import warnings
from collections.abc import Iterator
from pathlib import Path

from seedcorn.corpus.formats.bad_rows import BadRows
from seedcorn.corpus.formats.jsonl import without_empty_columns
from seedcorn.corpus.formats.lines import open_text_sink, read_bytes
from seedcorn.corpus.formats.normal_form import Chunk
from seedcorn.corpus.formats.rows import NumberedRow, Row, chunks_of, core_row, slots_value
from seedcorn.corpus.utterances import Corpus, Slot, Utterance, utterances_of
from seedcorn.corpus.values import Value, json_value
from seedcorn.errors import DataError, SeedcornWarning

PARTITIONS = ("train", "validate", "test")


def read_snips(path: Path, bad_rows: BadRows) -> Iterator[Chunk]:
    """Yield the utterances of a SNIPS file or of the files below a folder, "line" being the utterance's number.

    Warns with SeedcornWarning for a file that is Latin-1 instead of UTF-8 and reads it as such.
    """
    if path.is_file():
        return chunks_of(_rows(path, "", bad_rows), path, bad_rows, others=())
    files = files_below(path)
    if not files:
        raise DataError(
            wanted="a folder with seq.in, seq.out and label, or with train_*.json or validate_*.json below it (SNIPS)",
            found="none of these",
            where=path,
            fix="Name the file itself if it has another format.",
        )
    numbered = (row for partition, file in files for row in _rows(file, partition, bad_rows))
    return chunks_of(numbered, path, bad_rows, others=("partition",))


def files_below(folder: Path) -> list[tuple[str, Path]]:
    """Return the partition and the path of each file that is read, partition by partition, in order of their paths."""
    return [
        (partition, file)
        for partition in PARTITIONS
        for file in sorted(folder.rglob(f"{partition}_*.json"))
        if not file.with_stem(f"{file.stem}_full").exists()
    ]


def _rows(path: Path, partition: str, bad_rows: BadRows) -> Iterator[NumberedRow]:
    number = 0
    for intent, entries in _intents(path).items():
        if not isinstance(entries, list):
            raise DataError(wanted=f"a list of utterances for '{intent}'", found=str(entries)[:60], where=path)
        for entry in entries:
            number += 1
            try:
                row = core_row(snips_row(intent, entry))
            except DataError as error:
                place = f"{path}: utterance {number}"
                bad_rows.report(error, json.dumps(entry, ensure_ascii=False), where=place)
                continue
            yield NumberedRow(number, row | {"partition": partition} if partition else row)


def _intents(path: Path) -> dict[str, Value]:
    intents = json_value(_decoded(read_bytes(path), path), wanted="SNIPS JSON", where=str(path), whole_characters=False)
    if not isinstance(intents, dict):
        raise DataError(wanted="an object with the intents as names", found=type(intents).__name__, where=path)
    return intents


def _decoded(data: bytes, path: Path) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        byte = data[error.start]
        message = f"{path} is not UTF-8 (byte 0x{byte:02x} at {error.start:,}): read as Latin-1"
        warnings.warn(message, SeedcornWarning, stacklevel=2)
        return data.decode("latin-1")


def snips_row(intent: str, entry: Value) -> Row:
    """Return an utterance in pieces as a row; raises DataError when it is none."""
    if not isinstance(entry, dict) or not isinstance(entry.get("data"), list):
        raise DataError(wanted='an utterance as {"data": [...]}', found=str(entry)[:60])
    text, slots = "", []
    for piece in entry["data"]:
        if not isinstance(piece, dict) or not isinstance(piece.get("text"), str):
            raise DataError(wanted='a piece as {"text": ...}', found=str(piece)[:60])
        if piece.get("entity"):
            slot_type = str(piece.get("slot_name") or piece["entity"])
            slots.append(Slot(len(text), len(text) + len(piece["text"]), slot_type))
        text += piece["text"]
    columns: Row = {name: value for name, value in entry.items() if name in ("id", "lang", "domain", "origin")}
    return columns | {"text": text, "intent": intent, "slots": slots_value(slots)}


def write_snips(corpus: Corpus, path: Path) -> int:
    """Write every row, grouped by intent as the form demands, and return their number.

    The groups come in the order of their first rows; id, lang, domain and origin stand beside "data" where not empty.
    """
    intents: dict[str, list[Row]] = {}
    n_rows = 0
    for batch in corpus.batches():
        for utterance in utterances_of(batch):
            intents.setdefault(utterance.intent, []).append(_entry(utterance))
            n_rows += 1
    with open_text_sink(path) as sink:
        sink.write(json.dumps(intents, ensure_ascii=False, indent=1) + "\n")
    return n_rows


def _entry(utterance: Utterance) -> Row:
    pieces: list[Value] = []
    end = 0
    for slot in utterance.slots:
        if slot.start > end:
            pieces.append({"text": utterance.text[end : slot.start]})
        pieces.append({"text": utterance.value(slot), "entity": slot.type})
        end = slot.end
    if end < len(utterance.text):
        pieces.append({"text": utterance.text[end:]})
    columns: Row = {name: getattr(utterance, name) for name in ("id", "lang", "domain", "origin")}
    return {"data": pieces, **without_empty_columns(columns)}
