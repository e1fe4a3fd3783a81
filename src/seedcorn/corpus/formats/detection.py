"""Which format a file has: told from its content first, and from its name where the content leaves it open."""

import re
from collections.abc import Mapping
from pathlib import Path

from seedcorn.corpus.columns import ColumnChoice, column_names, is_usual_name
from seedcorn.corpus.formats.lines import BYTES_TO_SNIFF, first_bytes
from seedcorn.corpus.formats.saved_datasets import is_saved_dataset
from seedcorn.corpus.formats.slot_folder import TOKENS
from seedcorn.corpus.text_bytes import COMPRESSIONS
from seedcorn.corpus.values import json_value
from seedcorn.errors import DataError
from seedcorn.streams import is_stream

_NAME_OF_SUFFIX = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "snips",
    ".parquet": "parquet",
    ".arrow": "datasets",
    ".tsv": "tsv",
    ".csv": "csv",
    ".txt": "text",
    ".conll": "conll",
    ".bio": "conll",
    ".iob": "conll",
    ".conllu": "conllu",
    ".yml": "rasa",
    ".yaml": "rasa",
    ".md": "rasa-markdown",
    "": "slot-folder",
}
_READ_ONLY = frozenset({"datasets", "conllu", "rasa-markdown"})
_RASA = re.compile(rb"^nlu:\s*$", re.MULTILINE)
_RASA_MARKDOWN = re.compile(rb"^##\s*(?:intent|synonym|regex|lookup)\s*:", re.MULTILINE)
_INTENT_COMMENT = re.compile(rb"#\s*intent\s*[:=]")
_TAGGED_TOKEN = re.compile(rb"\S+[\t ](?:\S+[\t ])*(?:O|[BIESLU]-\S+)")
_CONLLU_TOKEN = re.compile(rb"\d+(?:[-.]\d+)?(?:\t[^\t]*){9}")
_KALDI_LINE = re.compile(rb"(?=\S*\d)(?=\S*[A-Za-z])([\w.-]+)[ \t].*\S.*")
_N_LINES_TO_LOOK_AT = 50
_JSON_STRING = rb'"(?:[^"\\]|\\.)*+"'
_JSON_DOCUMENT = re.compile(rb"\{\s*" + _JSON_STRING + rb'\s*:\s*["\[{]')
_SNIPS = re.compile(
    rb"\{\s*(?:" + _JSON_STRING + rb"\s*:\s*\[\s*\]\s*,?\s*)*+"
    rb"(?:" + _JSON_STRING + rb'\s*:\s*\[\s*\{\s*"data"\s*:|\}\s*$)'
)
_JSON_ARRAY = re.compile(rb"\[\s*\{")
_MAY_BE_DOCUMENTS = ("snips", "slot-folder", "text")
_SUBTITLES = re.compile(rb"WEBVTT|\s*\d+\s*[\r\n]\s*\d\d:\d\d:\d\d,\d{3} -->")
# Files that are no text, by how they begin, and what to say they are.
_MAGIC = {
    b"PK\x03\x04": "a zip archive (or a spreadsheet)",
    b"%PDF": "a PDF",
    b"\x7fELF": "a program",
    b"\x89PNG": "a picture",
    b"RIFF": "a sound or video file",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"\x93NUMPY": "a NumPy array",
    b"\xd0\xcf\x11\xe0": "a document of an office program",
    b"<?xml": "XML",
    b"<html": "a web page",
    b"<!DOCTYPE": "a web page",
    b"{\\rtf": "a document of an office program",
    b"seedcorn n-gram model": "a language model",
}
_TMX = re.compile(rb"\A\s*(?:<[?!][^>]*>\s*)*<tmx[\s>]")


def detect_format(path: Path) -> str:
    """Return the name of the format of the file or folder ``path``.

    Raises DataError when it is missing, empty, or something that is no corpus.
    """
    if not path.exists():
        raise DataError(wanted="a file or folder to read", found="nothing", where=path)
    if path.is_dir():
        return _folder_format(path)
    start = first_bytes(path)
    if not start.strip():
        raise DataError(wanted="at least one utterance", found="an empty file", where=path)
    _refuse_other_kinds(start, path)
    by_name = _NAME_OF_SUFFIX.get(_suffix(path), "text")
    return _format_of_content(start, by_name)


def _folder_format(path: Path) -> str:
    if is_saved_dataset(path):
        return "datasets"
    return "slot-folder" if (path / TOKENS).exists() else "snips"


def _refuse_other_kinds(start: bytes, path: Path) -> None:
    if _TMX.search(start):
        raise DataError(
            wanted="a corpus",
            found="translations (TMX)",
            where=path,
            fix="'seedcorn translate train' reads them, with --source-lang and --target-lang.",
        )
    found = next((what for magic, what in _MAGIC.items() if start.startswith(magic)), None)
    is_arrow = start.startswith((b"PAR1", b"ARROW1", b"\xff\xff\xff\xff"))
    if found is None and not is_arrow and b"\x00" in start:
        found = "bytes that are no text"
    if _SUBTITLES.match(start):
        found = "subtitles"
    if found is not None:
        raise DataError(
            wanted="a corpus", found=found, where=path, fix="Unpack or convert it, or name its format with --format."
        )


def _format_of_content(start: bytes, by_name: str) -> str:
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith((b"ARROW1", b"\xff\xff\xff\xff")):
        return "datasets"
    text = start.lstrip()
    if text.startswith(b"{") or _JSON_ARRAY.match(text) or (by_name == "snips" and text.startswith(b"[")):
        return _json_format(text, by_name)
    if _RASA.search(start):
        return "rasa"
    if _RASA_MARKDOWN.search(start):
        return "rasa-markdown"
    if _is_conllu(start):
        return "conllu"
    if _is_conll(start):
        return "conll"
    if by_name == "csv":
        return by_name
    if (found := _table_by_header(start)) is not None or by_name == "tsv":
        return found or by_name
    if _is_kaldi(start):
        return "kaldi"
    if by_name in ("slot-folder", "rasa-markdown", "text"):
        return "tsv" if _is_tab_separated(start) else "text"
    return by_name


def _first_lines(start: bytes) -> list[bytes]:
    return start.splitlines()[:_N_LINES_TO_LOOK_AT]


def _table_by_header(start: bytes) -> str | None:
    """Return the format of a table whose first line holds usual names of columns, whatever its name.

    All names are usual, or there are those of a text and of an intent. A table named .tsv may be comma-separated, and
    one named .txt is no text.
    """
    header = start.lstrip().splitlines()[0].decode("utf-8", "replace")
    rows = {delimiter: header.split(delimiter) for delimiter in "\t,;|"}
    found = next((delimiter for delimiter, names in rows.items() if _are_names(names)), None)
    return None if found is None else "tsv" if found == "\t" else "csv"


def _are_names(fields: list[str]) -> bool:
    if len(fields) < 2:
        return False
    return all(map(is_usual_name, fields)) or {"text", "intent"} <= set(column_names(tuple(fields), ColumnChoice()))


def _is_tab_separated(start: bytes) -> bool:
    """Tell whether there are at least two lines, and the same number of tabs, one at least, in all of them."""
    lines = [line for line in _first_lines(start) if line.strip()]
    n_tabs = {line.count(b"\t") for line in (lines[:-1] if len(start) >= BYTES_TO_SNIFF else lines)}
    return len(lines) > 1 and len(n_tabs) == 1 and n_tabs != {0}


def _is_conllu(start: bytes) -> bool:
    lines = [line for line in _first_lines(start) if line.strip() and not line.startswith(b"#")]
    return bool(lines) and all(_CONLLU_TOKEN.fullmatch(line) for line in lines[:-1] or lines)


def _is_kaldi(start: bytes) -> bool:
    """Tell whether every line begins with an id: a word of letters and digits, each other than the one before it."""
    matches = [_KALDI_LINE.fullmatch(line.strip()) for line in _first_lines(start) if line.strip()]
    ids = [match[1] for match in matches if match]
    shapes = {re.sub(rb"\d+", b"0", utterance_id) for utterance_id in ids}
    return len(ids) > 1 and len(ids) == len(matches) == len(set(ids)) and len(shapes) == 1


def _is_conll(start: bytes) -> bool:
    """Tell whether there is a comment with an intent, or else at least two lines, all of them a token and its tag."""
    lines = [line.strip() for line in start.splitlines()[:_N_LINES_TO_LOOK_AT]]
    if any(_INTENT_COMMENT.match(line) for line in lines):
        return True
    tokens = [line for line in lines if line and not line.startswith(b"# ")]
    return len(tokens) > 1 and all(_TAGGED_TOKEN.fullmatch(token) for token in tokens)


def _json_format(text: bytes, by_name: str) -> str:
    if text.startswith(b"["):
        return "json"
    lines = [line for line in text.split(b"\n", 2)[:2] if line.strip()]
    first = _json_object(lines[0])
    if first is not None:
        if "annot_utt" in first and "utt" in first:
            return "massive"
        if "text" in first or by_name == "jsonl" or (len(lines) > 1 and lines[1].lstrip().startswith(b"{")):
            return "jsonl"
    if first is None and by_name not in _MAY_BE_DOCUMENTS:
        return by_name
    if not _JSON_DOCUMENT.match(text):
        return {"snips": "json", "slot-folder": "jsonl"}.get(by_name, by_name)
    return "snips" if _SNIPS.match(text) else "json"


def _json_object(line: bytes) -> Mapping[str, object] | None:
    try:
        value = json_value(line.decode("utf-8-sig"), whole_characters=False, nan_is_null=True)
    except (DataError, UnicodeDecodeError):
        return None
    return value if isinstance(value, dict) else None


def format_by_name(path: Path) -> str:
    """Return the name of the format that files named like ``path`` have, JSON lines for a stream without suffix.

    Raises DataError when there is none.
    """
    if is_stream(path) and not path.suffix:
        return "jsonl"
    suffix = _suffix(path)
    if suffix not in _NAME_OF_SUFFIX or _NAME_OF_SUFFIX[suffix] in _READ_ONLY:
        known = ", ".join(sorted(s for s, name in _NAME_OF_SUFFIX.items() if s and name not in _READ_ONLY))
        raise DataError(wanted=f"a file name ending in {known}", found=path.name, fix="Or name the format.")
    return _NAME_OF_SUFFIX[suffix]


def _suffix(path: Path) -> str:
    last = path.suffix.lower()
    return Path(path.stem).suffix.lower() if last in COMPRESSIONS else last
