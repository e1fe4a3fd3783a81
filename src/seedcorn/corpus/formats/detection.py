"""Which format a file has: told from its content first, and from its name where the content leaves it open."""

import json
import re
from pathlib import Path

from seedcorn.corpus.formats.lines import COMPRESSIONS, first_bytes
from seedcorn.corpus.formats.slot_folder import TOKENS
from seedcorn.errors import DataError

_NAME_OF_SUFFIX = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "snips",
    ".parquet": "parquet",
    ".tsv": "tsv",
    ".csv": "csv",
    ".txt": "text",
    ".conll": "conll",
    ".bio": "conll",
    ".iob": "conll",
    ".yml": "rasa",
    ".yaml": "rasa",
    "": "slot-folder",
}
_RASA = re.compile(rb"^nlu:\s*$", re.MULTILINE)
_INTENT_COMMENT = re.compile(rb"#\s*intent\s*[:=]")
_TAGGED_TOKEN = re.compile(rb"\S+[\t ](?:\S+[\t ])*(?:O|[BI]-\S+)")
_N_LINES_TO_LOOK_AT = 50


def detect_format(path: Path) -> str:
    """Return the name of the format of the file or folder ``path``.

    Raises DataError when it is missing, empty, or something that is no corpus.
    """
    if not path.exists():
        raise DataError(wanted="a file or folder to read", found="nothing", where=path)
    if path.is_dir():
        return "slot-folder" if (path / TOKENS).exists() else "snips"
    start = first_bytes(path)
    if not start.strip():
        raise DataError(wanted="at least one utterance", found="an empty file", where=path)
    by_name = _NAME_OF_SUFFIX.get(_suffix(path), "text")
    return _format_of_content(start, by_name)


def _format_of_content(start: bytes, by_name: str) -> str:
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.lstrip().startswith(b"{"):
        return _json_format(start, by_name)
    if _RASA.search(start):
        return "rasa"
    if _is_conll(start):
        return "conll"
    return by_name if by_name != "slot-folder" else "text"


def _is_conll(start: bytes) -> bool:
    """Tell whether there is a comment with an intent, or else at least two lines, all of them a token and its tag."""
    lines = [line.strip() for line in start.splitlines()[:_N_LINES_TO_LOOK_AT]]
    if any(_INTENT_COMMENT.match(line) for line in lines):
        return True
    tokens = [line for line in lines if line and not line.startswith(b"# ")]
    return len(tokens) > 1 and all(_TAGGED_TOKEN.fullmatch(token) for token in tokens)


def _json_format(start: bytes, by_name: str) -> str:
    try:
        first = json.loads(start.lstrip().split(b"\n", 1)[0])
    except ValueError:
        return "snips" if by_name == "slot-folder" else by_name
    if "annot_utt" in first:
        return "massive"
    if "text" in first:
        return "jsonl"
    return "snips" if any(isinstance(value, list) for value in first.values()) else by_name


def format_by_name(path: Path) -> str:
    """Return the name of the format that files named like ``path`` have; raises DataError when there is none."""
    suffix = _suffix(path)
    if suffix not in _NAME_OF_SUFFIX:
        known = ", ".join(sorted(filter(None, _NAME_OF_SUFFIX)))
        raise DataError(wanted=f"a file name ending in {known}", found=path.name, fix="Or name the format.")
    return _NAME_OF_SUFFIX[suffix]


def _suffix(path: Path) -> str:
    last = path.suffix.lower()
    return Path(path.stem).suffix.lower() if last in COMPRESSIONS else last
