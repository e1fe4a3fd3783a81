"""Transcripts by utterance id: Kaldi text, sclite trn, JSON lines."""

import json
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path

from seedcorn.corpus.text import normalise
from seedcorn.errors import DataError, at

_TRN = re.compile(r"^(?P<text>.*?)\s*\((?P<id>[^()\s]+)\)\s*$")
_ID_KEYS = ("id", "utt_id")
_AUDIO_KEYS = ("audio", "audio_filepath", "path")


class TranscriptFormat(StrEnum):
    """How transcripts are written."""

    KALDI = "kaldi"  # "id words ..." a line
    TRN = "trn"  # "words ... (id)" a line
    JSONL = "jsonl"  # {"id": ..., "text": ...} a line


_FORMAT_OF_SUFFIX = {
    ".trn": TranscriptFormat.TRN,
    ".jsonl": TranscriptFormat.JSONL,
    ".json": TranscriptFormat.JSONL,
}


def read_transcripts(path: Path, *, format: TranscriptFormat | None = None) -> dict[str, str]:
    """Return id -> text in the order of the file; the format follows from the suffix (.trn, .jsonl, else Kaldi).

    Blank lines are skipped; an id without words is an empty transcript. A JSON line without "id" has that of its audio
    file, as in a manifest of recordings.
    Raises DataError with file and line for an unreadable line, a missing id or one that repeats.
    """
    chosen = format or _FORMAT_OF_SUFFIX.get(path.suffix, TranscriptFormat.KALDI)
    transcripts: dict[str, str] = {}
    for number, line in _lines(path):
        utterance_id, text = _PARSERS[chosen](line, at(path, number))
        if utterance_id in transcripts:
            raise DataError(wanted="each utterance id once", found=f"'{utterance_id}' again", where=at(path, number))
        transcripts[utterance_id] = normalise(text)
    return transcripts


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    # Only \n ends a line: \u2028 and \x85 can stand inside a transcript.
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(wanted="a readable UTF-8 file of transcripts", found=str(error), where=path) from error
    return ((number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip())


def _parse_kaldi(line: str, where: str) -> tuple[str, str]:
    utterance_id, _, text = line.strip().replace("\t", " ", 1).partition(" ")
    return utterance_id, text


def _parse_trn(line: str, where: str) -> tuple[str, str]:
    match = _TRN.match(line)
    if match is None:
        raise DataError(wanted="'words (utterance-id)'", found=f"'{line.strip()}'", where=where)
    return match["id"], match["text"]


def _parse_jsonl(line: str, where: str) -> tuple[str, str]:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise DataError(wanted="a JSON object", found=f"'{line.strip()}' ({error.msg})", where=where) from error
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        raise DataError(wanted='a JSON object with "text"', found=f"'{line.strip()}'", where=where)
    utterance_id = id_of(row)
    if utterance_id is None:
        raise DataError(wanted='an "id"', found=f"keys {', '.join(row)}", where=where)
    return utterance_id, row["text"]


def id_of(row: Mapping[str, object]) -> str | None:
    """Return the id of a JSON row: its own, else the name of its audio file without ending; None without either."""
    own = next((str(row[key]) for key in _ID_KEYS if row.get(key) is not None), None)
    audio = audio_of(row)
    return own if own is not None or audio is None else Path(audio).stem


def audio_of(row: Mapping[str, object]) -> str | None:
    """Return the audio file that a JSON row names, or None."""
    return next((str(row[key]) for key in _AUDIO_KEYS if isinstance(row.get(key), str)), None)


_PARSERS = {
    TranscriptFormat.KALDI: _parse_kaldi,
    TranscriptFormat.TRN: _parse_trn,
    TranscriptFormat.JSONL: _parse_jsonl,
}
