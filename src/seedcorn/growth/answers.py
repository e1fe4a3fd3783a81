"""What people answered: labels, what they were unsure of, and where they contradict each other."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from seedcorn.config import read_yaml
from seedcorn.corpus.formats import read_corpus
from seedcorn.corpus.utterances import Utterance, utterances_of
from seedcorn.errors import ConfigError, DataError, nearest
from seedcorn.files import Json
from seedcorn.nlu.out_of_scope import OUT_OF_SCOPE

ANNOTATED = "annotated"


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """Different labels of one utterance: each label with its annotators. Nobody has decided yet which is right."""

    id: str
    text: str
    labels: tuple[tuple[Utterance, tuple[str, ...]], ...]


@dataclass(frozen=True, kw_only=True)
class Answers:
    """The labels that can be trained on; ``unsure`` and ``conflicts`` are shown and wait for people."""

    labels: tuple[Utterance, ...]
    unsure: tuple[Utterance, ...]
    conflicts: tuple[Conflict, ...]


def read_answers(paths: Sequence[Path], *, asked: Collection[Utterance], intents: Collection[str]) -> Answers:
    """Return the answers in ``paths``: JSON lines of our page, an export of Label Studio, or any annotated format.

    Of Label Studio each annotation is an answer of its own; tasks that nobody annotated are none, skipped ones unsure.
    An answer without an intent is an unsure one. Raises DataError, naming file and row, for an answer whose id is none
    of ``asked`` (by text where it has no id), whose text is another one, or whose intent is none of ``intents``.
    """
    by_id = {u.id: u for u in asked if u.id}
    by_text = {u.text: u for u in asked}
    answered: dict[str, dict[Utterance, list[str]]] = {}
    for path in paths:
        for row, (utterance, who) in enumerate(_given(path), 1):
            where = f"{path}, row {row}"
            question = _question(utterance, by_id, by_text, where)
            _check_intent(utterance, intents, where)
            label = replace(question, intent=utterance.intent, slots=utterance.slots, origin=ANNOTATED)
            answered.setdefault(question.id or question.text, {}).setdefault(label, []).append(who)
    return _sorted_out(answered)


def _given(path: Path) -> list[tuple[Utterance, str]]:
    """Return the answers in a file, each with its annotator, by default the name of the file."""
    tasks = _label_studio_tasks(path)
    if tasks is None:
        table = read_corpus(path).table()
    elif not tasks:
        return []
    else:
        with TemporaryDirectory(prefix="seedcorn-") as folder:
            one_by_one = Path(folder) / path.name
            one_by_one.write_text(json.dumps(tasks), "utf-8")
            table = read_corpus(one_by_one).table()
    annotators = [str(row.get("annotator") or path.name) for row in table.to_pylist()]
    return list(zip(utterances_of(table), annotators, strict=True))


def _label_studio_tasks(path: Path) -> list[dict[str, object]] | None:
    """Return one task an annotation, which says by whom, of an export of Label Studio; None of another file."""
    if path.suffix != ".json":
        return None
    try:
        tasks = json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return None  # the reader of corpora says what is wrong with it
    if not isinstance(tasks, list) or not all(isinstance(t, dict) and isinstance(t.get("data"), dict) for t in tasks):
        return None
    return [
        {
            "data": {**task["data"], "annotator": _annotator(annotation.get("completed_by"), path)},
            "annotations": [{"result": [] if annotation.get("was_cancelled") else annotation.get("result", [])}],
        }
        for number, task in enumerate(tasks, 1)
        for annotation in _annotations(task.get("annotations"), where=f"{path}, task {number}")
    ]


def _annotations(found: object, *, where: str) -> list[dict[str, Json]]:
    """Return the annotations of a task. Raises DataError when they are something else."""
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(annotation, dict) for annotation in found):
        raise DataError(wanted="a list of annotations", found=f"{found!r:.60}", where=where)
    return found


def _annotator(completed_by: object, path: Path) -> str:
    match completed_by:
        case {"email": str(email)}:
            return email
        case None:
            return path.name
        case _:
            return f"annotator {completed_by}"


def _question(
    answer: Utterance, by_id: Mapping[str, Utterance], by_text: Mapping[str, Utterance], where: str
) -> Utterance:
    question = by_id.get(answer.id) if answer.id else by_text.get(answer.text)
    if question is None:
        raise DataError(
            wanted="answers about the utterances that were given out",
            found=f"the unknown id '{answer.id}'" if answer.id else f"the unknown text '{answer.text}'",
            where=where,
            fix="Give the answers of this pool, or the pool that they are about.",
        )
    if question.text != answer.text:
        raise DataError(
            wanted=f"the text '{question.text}' under the id '{answer.id}'", found=f"'{answer.text}'", where=where
        )
    return question


def _check_intent(answer: Utterance, intents: Collection[str], where: str) -> None:
    if answer.intent and answer.intent != OUT_OF_SCOPE and answer.intent not in intents:
        raise DataError(
            wanted="an intent that the agent has",
            found=f"'{answer.intent}'",
            where=where,
            fix=f"{nearest(answer.intent, sorted(intents))} A new intent needs a seed; a renamed one a mapping.",
        )


def _sorted_out(answered: Mapping[str, Mapping[Utterance, Sequence[str]]]) -> Answers:
    labels: list[Utterance] = []
    unsure: list[Utterance] = []
    conflicts: list[Conflict] = []
    for given in answered.values():
        sure = {label: who for label, who in given.items() if label.intent}
        first = next(iter(given))
        if not sure:
            unsure.append(first)
        elif len(sure) == 1:
            labels.append(next(iter(sure)))
        else:
            their = tuple((label, tuple(who)) for label, who in sure.items())
            conflicts.append(Conflict(id=first.id, text=first.text, labels=their))
    return Answers(labels=tuple(labels), unsure=tuple(unsure), conflicts=tuple(conflicts))


@dataclass(frozen=True, kw_only=True)
class Renamed:
    """Utterances with the intents of today; those of an intent that was split lost theirs and want a new label."""

    utterances: tuple[Utterance, ...]
    to_annotate: tuple[Utterance, ...]


def read_renames(path: Path, *, intents: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return what each old intent became, from a YAML file: ``old: new``, or ``old: [one, other]`` for a split.

    Raises ConfigError when it is something else, or names an old intent that there was none of.
    """
    tree, _ = read_yaml(path)
    if not isinstance(tree, dict):
        raise ConfigError(wanted="a mapping of intents, 'old: new'", found=type(tree).__name__, where=path)
    renames: dict[str, tuple[str, ...]] = {}
    for old, new in tree.items():
        if old not in intents:
            raise ConfigError(
                wanted="an intent of the run before",
                found=f"'{old}'",
                where=path,
                fix=nearest(str(old), sorted(intents)),
            )
        names = [new] if isinstance(new, str) else new
        if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
            raise ConfigError(wanted=f"the new name of '{old}', or a list of names", found=repr(new), where=path)
        renames[str(old)] = tuple(names)
    return renames


def with_renames(utterances: Sequence[Utterance], renames: Mapping[str, Sequence[str]]) -> Renamed:
    """Return ``utterances`` under the new names; none is guessed for those of an intent that was split."""
    kept: list[Utterance] = []
    split: list[Utterance] = []
    for utterance in utterances:
        names = renames.get(utterance.intent, (utterance.intent,))
        if len(names) == 1:
            kept.append(replace(utterance, intent=names[0]))
        else:
            split.append(replace(utterance, intent="", slots=()))
    return Renamed(utterances=tuple(kept), to_annotate=tuple(split))
