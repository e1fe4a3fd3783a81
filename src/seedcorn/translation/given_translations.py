"""Translations made elsewhere, by a person, a service or another engine, as a translator like any other.

They come by the id of the source utterance, one or several each, with scores or without, and are then rescored, kept or
rejected, and measured as our own are.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from seedcorn.corpus.formats.lines import numbered_lines, read_text
from seedcorn.corpus.text import clean_text
from seedcorn.corpus.utterances import Utterance
from seedcorn.corpus.values import finite_number, json_object, json_value
from seedcorn.errors import ConfigError, DataError, at, nearest
from seedcorn.translation.entities import Candidates, Reject
from seedcorn.translation.nbest import TRANSLATION_LOGP, Hypothesis, NBest, read_moses
from seedcorn.translation.settings import TranslationFormat

NOT_TRANSLATED = "no translation given"


_FORMAT_OF_SUFFIX = {
    ".tsv": TranslationFormat.TSV,
    ".jsonl": TranslationFormat.JSONL,
    ".moses": TranslationFormat.MOSES,
    ".nbest": TranslationFormat.MOSES,
    ".json": TranslationFormat.LABEL_STUDIO,
}


def given_translations(
    path: Path, utterances: Sequence[Utterance], *, format: TranslationFormat | None = None
) -> tuple[list[Candidates], list[Reject]]:
    """Return the translations in ``path`` of ``utterances``, and those without any as rejects, both in their order.

    The format follows from the suffix unless it is given. Hypotheses keep the order of the file; without scores all
    have log-probability 0, so that only a language model tells them apart. They have no slots. Raises DataError, with
    file and line, for what cannot be read, for an empty translation, and for an id that no utterance has.
    """
    chosen = format or _FORMAT_OF_SUFFIX.get(path.suffix)
    if chosen is None:
        known = ", ".join(sorted(_FORMAT_OF_SUFFIX))
        raise ConfigError(wanted=f"translations in a file of {known}", found=f"'{path.name}'", fix="Name the format.")
    row_of = {u.id or str(row): row for row, u in enumerate(utterances)}
    found: dict[int, list[Hypothesis]] = {}
    for one in _READERS[chosen](path, utterances):
        if one.id not in row_of:
            hint = nearest(one.id, list(row_of)[:1_000])
            raise DataError(wanted="the id of a source utterance", found=f"'{one.id}'", where=one.where, fix=hint)
        if not one.hypothesis.text:
            raise DataError(wanted=f"a translation of '{one.id}'", found="an empty one", where=one.where)
        found.setdefault(row_of[one.id], []).append(one.hypothesis)
    candidates = [
        Candidates(
            utterance=utterances[row],
            nbest=NBest(source=utterances[row].text, hypotheses=tuple(found[row])),
            slots=((),) * len(found[row]),
        )
        for row in sorted(found)
    ]
    rejects = [
        Reject(position=row, utterance=utterance, reason=NOT_TRANSLATED)
        for row, utterance in enumerate(utterances)
        if row not in found
    ]
    return candidates, rejects


@dataclass(frozen=True)
class _Given:
    id: str
    hypothesis: Hypothesis
    where: str


def _hypothesis(text: object, score: object, where: str) -> Hypothesis:
    if not isinstance(text, str):
        raise DataError(wanted="a translation as text", found=f"{text!r:.60}", where=where)
    value = 0.0 if score is None or score == "" else _number(score, where)
    return Hypothesis(text=clean_text(text), features={TRANSLATION_LOGP: value})


def _number(value: object, where: str) -> float:
    return finite_number(value.strip() if isinstance(value, str) else value, wanted="a finite score", where=where)


def _from_tsv(path: Path, utterances: Sequence[Utterance]) -> Iterator[_Given]:
    for number, line in numbered_lines(path):
        fields = line.split("\t")
        if len(fields) not in (2, 3):
            raise DataError(
                wanted="an id, a tab, a translation and perhaps a tab and its score",
                found=f"{len(fields)} fields",
                where=at(path, number),
            )
        score = fields[2] if len(fields) == 3 else None
        yield _Given(fields[0].strip(), _hypothesis(fields[1], score, at(path, number)), at(path, number))


def _from_jsonl(path: Path, utterances: Sequence[Utterance]) -> Iterator[_Given]:
    for number, line in numbered_lines(path):
        where = at(path, number)
        row = json_object(line, where=where)
        if "id" not in row:
            raise DataError(wanted='an object with "id"', found=f"'{line[:60]}'", where=where)
        entries = row.get("hypotheses", [row])
        if not isinstance(entries, list) or not entries or not all(isinstance(e, dict) for e in entries):
            raise DataError(wanted='"hypotheses", a list of objects', found=f"'{line[:60]}'", where=where)
        for entry in entries:
            yield _Given(str(row["id"]), _hypothesis(entry.get("text"), entry.get("score"), where), where)


def _from_moses(path: Path, utterances: Sequence[Utterance]) -> Iterator[_Given]:
    lists = read_moses(path, [u.text for u in utterances])
    for row, (utterance, nbest) in enumerate(zip(utterances, lists, strict=True)):
        for h in nbest.hypotheses:
            logp = h.features.get(TRANSLATION_LOGP, sum(h.features.values()))
            known = replace(h, features={**h.features, TRANSLATION_LOGP: logp})
            yield _Given(utterance.id or str(row), known, str(path))


def _from_label_studio(path: Path, utterances: Sequence[Utterance]) -> Iterator[_Given]:
    tasks = json_value(read_text(path), where=str(path))
    if not isinstance(tasks, list):
        raise DataError(wanted="a Label Studio export: a list of tasks", found="no list", where=path)
    for number, task in enumerate(tasks, start=1):
        where = f"{path}, task {number}"
        data = task.get("data") if isinstance(task, dict) else None
        if not isinstance(data, dict) or "id" not in data:
            raise DataError(wanted='tasks with "data" and its "id"', found=f"{task!r:.60}", where=where)
        for text in _annotated_texts(task.get("annotations") or []):
            yield _Given(str(data["id"]), _hypothesis(text, None, where), where)


def _annotated_texts(annotations: object) -> Iterator[object]:
    """Yield the texts of text areas in finished annotations."""
    for annotation in annotations if isinstance(annotations, list) else []:
        if not isinstance(annotation, Mapping) or annotation.get("was_cancelled"):
            continue
        results = annotation.get("result")
        for result in results if isinstance(results, list) else []:
            value = result.get("value") if isinstance(result, Mapping) else None
            text = value.get("text") if isinstance(value, Mapping) else None
            yield from text if isinstance(text, list) else [text] if text is not None else []


_READERS: Mapping[TranslationFormat, Callable[[Path, Sequence[Utterance]], Iterator[_Given]]] = {
    TranslationFormat.TSV: _from_tsv,
    TranslationFormat.JSONL: _from_jsonl,
    TranslationFormat.MOSES: _from_moses,
    TranslationFormat.LABEL_STUDIO: _from_label_studio,
}
