"""Transcripts by utterance id: Kaldi text, sclite trn, JSON lines."""

import re
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from seedcorn.corpus.formats.lines import numbered_lines
from seedcorn.corpus.text import clean_text
from seedcorn.corpus.values import json_object
from seedcorn.errors import DataError, at
from seedcorn.speech.settings import TranscriptFormat

_TRN = re.compile(r"^(?P<text>.*?)\s*\((?P<id>[^()\s]+)\)\s*$")
_ALTERNATION = re.compile(r"(\{[^{}]*\})")
_MOST_READINGS = 1_000
_ID = re.compile(r"[\d_/-]")
_COMMENT = ";;"
_N_LINES_TO_LOOK_AT = 50
# What people have transcripts in too, and Kaldi's first word would be no id of.
_OTHER_KINDS = (".csv", ".ctm", ".stm", ".mlf", ".srt", ".vtt", ".textgrid", ".xml", ".parquet", ".arrow")
_PREDICTED = "pred_text"
_ID_KEYS = ("id", "utt_id")
_AUDIO_KEYS = ("audio", "audio_filepath", "path")


_FORMAT_OF_SUFFIX = {
    ".trn": TranscriptFormat.TRN,
    ".jsonl": TranscriptFormat.JSONL,
    ".json": TranscriptFormat.JSONL,
}


def read_transcripts(
    path: Path, *, format: TranscriptFormat | None = None, are_hypotheses: bool = False
) -> dict[str, str]:
    """Return id -> text in the order of the file, whose format follows from its suffix and content: see ``format_in``.

    Blank lines are skipped; an id without words is an empty transcript. A JSON line without "id" has that of its audio
    file, as in a manifest of recordings; of ``are_hypotheses`` the text is "pred_text" where a manifest (NeMo) has it.
    The id of a plain line is its number, blank lines counted.
    Raises DataError with file and line for an unreadable line, a missing id or one that repeats.
    """
    chosen = format or format_in(path)
    transcripts: dict[str, str] = {}
    for number, line in numbered_lines(path):
        where = at(path, number)
        if chosen is TranscriptFormat.TRN and line.startswith(_COMMENT):
            continue
        if chosen is TranscriptFormat.LINES:
            utterance_id, text = str(number), line
        elif chosen is TranscriptFormat.JSONL:
            utterance_id, text = _parse_jsonl(line, where, are_hypotheses)
        else:
            utterance_id, text = (_parse_trn if chosen is TranscriptFormat.TRN else _parse_kaldi)(line, where)
        if utterance_id in transcripts:
            fix = "Files without ids are compared line by line: --transcript-format lines."
            found = f"'{utterance_id}' again"
            raise DataError(wanted="each utterance id once", found=found, where=where, fix=fix)
        transcripts[utterance_id] = clean_text(text)
    return transcripts


def format_of(path: Path) -> TranscriptFormat:
    """Return the format that files named like ``path`` have."""
    return _FORMAT_OF_SUFFIX.get(path.suffix.lower(), TranscriptFormat.KALDI)


def format_in(path: Path) -> TranscriptFormat:
    """Return the format of the file ``path``: by its suffix (.trn, .jsonl), else as its lines look, else Kaldi's.

    Raises DataError for a file of a kind that holds no transcripts by line, which its suffix names.
    """
    if path.suffix.lower() in _OTHER_KINDS:
        raise DataError(
            wanted="transcripts as Kaldi text, .trn, JSON lines or plain lines",
            found=f"a file of the kind {path.suffix.lower()}",
            where=path,
            fix="Convert it, or say what its lines are: --transcript-format.",
        )
    named = format_of(path)
    if named is not TranscriptFormat.KALDI:
        return named
    lines = [line for _, line in islice(numbered_lines(path), _N_LINES_TO_LOOK_AT)]
    if lines and all(line.lstrip().startswith("{") and line.rstrip().endswith("}") for line in lines):
        return TranscriptFormat.JSONL
    ids = [match["id"] for line in lines if (match := _TRN.match(line)) and _ID.search(match["id"])]
    return TranscriptFormat.TRN if ids and len(set(ids)) == len(lines) else TranscriptFormat.KALDI


def have_no_ids(references: Path, hypotheses: Path) -> bool:
    """Tell whether two files of plain lines are meant: as many of both, which do not begin with ids.

    An id is told by a digit, a hyphen, an underscore or a slash in the first word, or by another order of the same
    first words; no first word may come twice. Raises DataError for other numbers of lines whose first words are not all
    ids: first words taken for ids would not be scored, nor the lines that are missing be seen.
    """
    if {format_in(references), format_in(hypotheses)} != {TranscriptFormat.KALDI}:
        return False
    firsts = [[line.split()[0] for _, line in numbered_lines(path)] for path in (references, hypotheses)]
    are_ids = all(_ID.search(word) for side in firsts for word in side)
    if len(firsts[0]) != len(firsts[1]):
        if are_ids:
            return False
        raise DataError(
            wanted="as many plain lines as references, or lines that begin with utterance ids",
            found=f"{len(firsts[1]):,} lines beside {len(firsts[0]):,}",
            where=hypotheses,
            fix="Say which they are: --transcript-format lines or kaldi.",
        )
    if any(len(set(side)) < len(side) for side in firsts):
        return True
    if sorted(firsts[0]) == sorted(firsts[1]) and firsts[0] != firsts[1]:
        return False
    return not are_ids


def alternatives_of(text: str) -> list[str]:
    """Return the readings of a reference with sclite's alternatives, "{ um / uh / @ } yes", "@" being nothing.

    Raises DataError for more than 1,000 readings.
    """
    readings = [""]
    for piece in _ALTERNATION.split(text):
        choices = [piece] if not piece.startswith("{") else piece.strip("{} ").split(" / ")
        readings = [f"{r} {choice if choice.strip() != '@' else ''}" for r in readings for choice in choices]
        if len(readings) > _MOST_READINGS:
            raise DataError(
                wanted=f"at most {_MOST_READINGS:,} readings of a reference", found=f"more in '{text}'"[:99]
            )
    return [" ".join(reading.split()) for reading in readings]


def _parse_kaldi(line: str, where: str) -> tuple[str, str]:
    utterance_id, _, text = line.strip().replace("\t", " ", 1).partition(" ")
    return utterance_id, text


def _parse_trn(line: str, where: str) -> tuple[str, str]:
    match = _TRN.match(line)
    if match is None:
        raise DataError(wanted="'words (utterance-id)'", found=f"'{line.strip()}'", where=where)
    return match["id"], match["text"]


def _parse_jsonl(line: str, where: str, are_hypotheses: bool) -> tuple[str, str]:
    row = json_object(line, where=where)
    text = row.get(_PREDICTED) if are_hypotheses and _PREDICTED in row else row.get("text")
    if not isinstance(text, str):
        raise DataError(wanted='a JSON object with "text"', found=f"'{line.strip()}'", where=where)
    utterance_id = id_of(row)
    if utterance_id is None:
        raise DataError(wanted='an "id"', found=f"keys {', '.join(row)}", where=where)
    return utterance_id, text


def id_of(row: Mapping[str, object]) -> str | None:
    """Return the id of a JSON row: its own, else the name of its audio file without ending; None without either."""
    own = next((str(row[key]) for key in _ID_KEYS if row.get(key) is not None), None)
    audio = audio_of(row)
    return own if own is not None or audio is None else Path(audio).stem


def audio_of(row: Mapping[str, object]) -> str | None:
    """Return the audio file that a JSON row names, or None."""
    return next((str(row[key]) for key in _AUDIO_KEYS if isinstance(row.get(key), str)), None)
