"""N-best lists of any recogniser, by utterance id: JSON lines, or Kaldi text with scores beside it."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from seedcorn.corpus.formats.lines import numbered_lines
from seedcorn.corpus.text import clean_text
from seedcorn.corpus.values import finite_number, json_object
from seedcorn.errors import DataError, at
from seedcorn.files import write_text_whole

RECOGNISER = "recogniser"
_NUMBERED = re.compile(r"^(?P<id>.+)-(?P<rank>\d+)$")
_FORM = 'a line {"id": ..., "hypotheses": [{"text": ..., "score": ...}, ...]}'
_MOST_DIGITS = 9
_NO_FEATURE = ("text", "words", "tokens")


@dataclass(frozen=True, kw_only=True)
class RecognisedText:
    """What a recogniser may have heard, and its features: natural-log scores, higher is better."""

    text: str
    features: Mapping[str, float] = field(default_factory=dict)


def read_nbest(path: Path, *, scores: Path | None = None) -> dict[str, list[RecognisedText]]:
    """Return id -> hypotheses, best first as the recogniser had them, in the order of the file.

    JSON lines (.jsonl, .json; the output of ``speech decode`` and what Whisper or NeMo scripts write) hold the whole
    list of an utterance; every number beside a text is a feature, "score" is called recogniser. Any other file is
    Kaldi's n-best text, "id-1 words ..." a line, and ``scores`` a file "id-1 number" of log-probabilities (or costs,
    where all are above zero: their sign is turned). Raises DataError, with file and line, for what is neither, for
    scores that are no finite numbers or missing, and for an utterance without hypotheses.
    """
    found = _from_json(path) if path.suffix in (".jsonl", ".json") else _from_kaldi(path, scores)
    if not found:
        raise DataError(wanted="n-best lists", found="none", where=path)
    return found


def _from_json(path: Path) -> dict[str, list[RecognisedText]]:
    lists: dict[str, list[RecognisedText]] = {}
    for number, line in numbered_lines(path):
        where = at(path, number)
        row = json_object(line, wanted=_FORM, where=where)
        hypotheses = row.get("hypotheses")
        if "id" not in row or not isinstance(hypotheses, list):
            raise DataError(wanted=_FORM, found=f"'{line[:80]}'", where=where)
        utterance_id = str(row["id"])
        if utterance_id in lists:
            raise DataError(wanted="each utterance id once", found=f"'{utterance_id}' again", where=where)
        if not hypotheses:
            raise DataError(wanted="at least one hypothesis", found=f"none of '{utterance_id}'", where=where)
        lists[utterance_id] = [_from_entry(entry, where) for entry in hypotheses]
    return lists


def _from_entry(entry: object, where: str) -> RecognisedText:
    if not isinstance(entry, dict) or not isinstance(entry.get("text"), str):
        raise DataError(wanted='hypotheses with "text"', found=f"{entry!r:.80}", where=where)
    features: dict[str, float] = {}
    for name, value in entry.items():
        if name in _NO_FEATURE:
            continue
        if isinstance(value, str):
            raise DataError(wanted=f"a finite number as '{name}'", found=f"{value!r:.40}", where=where)
        number = finite_number(value, wanted=f"a finite number as '{name}'", where=where)
        features[RECOGNISER if name == "score" else name] = number
    return RecognisedText(text=clean_text(entry["text"]), features=features)


def _from_kaldi(path: Path, scores: Path | None) -> dict[str, list[RecognisedText]]:
    values = {} if scores is None else _numbers(scores)
    sign = -1.0 if values and all(value > 0 for value in values.values()) else 1.0
    ranked: dict[str, list[tuple[int, RecognisedText]]] = {}
    for number, line in numbered_lines(path):
        name, _, text = line.strip().replace("\t", " ", 1).partition(" ")
        match = _NUMBERED.match(name)
        if match is None or len(match["rank"]) > _MOST_DIGITS:
            raise DataError(wanted="a line 'id-1 words ...'", found=f"'{line[:80]}'", where=at(path, number))
        if scores is not None and name not in values:
            raise DataError(wanted=f"a score of '{name}'", found="none", where=scores)
        features = {RECOGNISER: sign * values[name]} if name in values else {}
        entry = (int(match["rank"]), RecognisedText(text=clean_text(text), features=features))
        ranked.setdefault(match["id"], []).append(entry)
    return {name: [found for _, found in sorted(some, key=lambda one: one[0])] for name, some in ranked.items()}


def _numbers(path: Path) -> dict[str, float]:
    values: dict[str, float] = {}
    for number, line in numbered_lines(path):
        fields = line.split()
        if len(fields) < 2:
            raise DataError(wanted="a line 'id-1 number'", found=f"'{line[:80]}'", where=at(path, number))
        values[fields[0]] = finite_number(fields[1], where=at(path, number))
    return values


def write_best(texts: Mapping[str, str], path: Path) -> None:
    """Write one text an utterance: sclite .trn, JSON lines (.jsonl), or Kaldi text."""
    lines = {
        ".trn": (f"{text} ({name})" for name, text in texts.items()),
        ".jsonl": (json.dumps({"id": name, "text": text}, ensure_ascii=False) for name, text in texts.items()),
    }.get(path.suffix, (f"{name} {text}".rstrip() for name, text in texts.items()))
    write_text_whole(path, "".join(f"{line}\n" for line in lines))


def texts_of(lists: Sequence[Sequence[RecognisedText]]) -> list[str]:
    """Return the text of every hypothesis, list after list."""
    return [hypothesis.text for hypotheses in lists for hypothesis in hypotheses]
