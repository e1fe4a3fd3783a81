"""What is to be annotated, as files for people: an offline page of our own, and tasks for Label Studio."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from html import escape
from importlib import resources
from pathlib import Path

from seedcorn.corpus.utterances import Slot, Utterance
from seedcorn.deployment.proposals import AnnotationBatch, Proposal
from seedcorn.errors import ConfigError
from seedcorn.files import Json, write_text_whole
from seedcorn.nlu.out_of_scope import OUT_OF_SCOPE
from seedcorn.nlu.tokens import tokens_of


@dataclass(frozen=True, kw_only=True)
class Task:
    """An utterance to annotate: the label proposed for it, the likeliest intents, and why it was chosen."""

    utterance: Utterance
    intents: tuple[str, ...]
    probability: float
    why: str


@dataclass(frozen=True, kw_only=True)
class TaskBatch:
    """Tasks in order, and the intents and slot types that they can be labelled with."""

    name: str
    tasks: tuple[Task, ...]
    intents: tuple[str, ...]
    slot_types: tuple[str, ...]


def tasks_of(batch: AnnotationBatch, rows: Sequence[Utterance]) -> tuple[Task, ...]:
    """Return the tasks of what was proposed for ``rows``, which have ids."""
    return tuple(_task(proposal, rows[proposal.position]) for proposal in batch.proposals)


def _task(proposal: Proposal, row: Utterance) -> Task:
    """Return the task of a proposal; an utterance that the model takes for none of its intents has no proposal."""
    found = proposal.prediction
    in_scope = found.intent != OUT_OF_SCOPE
    return Task(
        utterance=Utterance(
            id=row.id,
            text=proposal.text,
            lang=row.lang,
            intent=found.intent if in_scope else "",
            slots=found.slots if in_scope else (),
        ),
        intents=tuple(intent for intent, _ in proposal.intents if intent not in ("", OUT_OF_SCOPE)),
        probability=found.intent_probability,
        why=proposal.why,
    )


def with_ids(utterances: Iterable[Utterance]) -> list[Utterance]:
    """Return utterances that all have an id: their own, or one that follows from the text."""
    return [u if u.id else replace(u, id=f"log-{sha256(u.text.encode()).hexdigest()[:12]}") for u in utterances]


def write_tasks(batch: TaskBatch, path: Path) -> None:
    """Write ``batch`` as a page where ``path`` ends in .html, as Label Studio tasks (.json), or as JSON lines (.jsonl).

    Beside the tasks of Label Studio goes their labelling interface, with the ending .xml. Raises ConfigError for
    another ending.
    """
    match path.suffix:
        case ".html":
            write_text_whole(path, annotation_page(batch))
        case ".json":
            write_text_whole(path, json.dumps(label_studio_tasks(batch), ensure_ascii=False, indent=1) + "\n")
            write_text_whole(path.with_suffix(".xml"), label_studio_interface(batch))
        case ".jsonl":
            write_text_whole(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in _rows(batch)))
        case _:
            raise ConfigError(
                wanted="a file to annotate in: .html (a page), .json (Label Studio) or .jsonl", found=f"'{path}'"
            )


def annotation_page(batch: TaskBatch) -> str:
    """Return the offline page: one HTML document that loads nothing and keeps its state in the browser."""
    rows = _rows(batch)
    content: dict[str, Json] = {
        "name": batch.name,
        "key": sha256(json.dumps(rows, ensure_ascii=False).encode()).hexdigest()[:16],
        "none": OUT_OF_SCOPE,
        "intents": batch.intents,
        "slot_types": batch.slot_types,
        "tasks": rows,
    }
    page = (resources.files("seedcorn.deployment") / "templates" / "annotate.html").read_text("utf-8")
    return page.replace("/*BATCH*/", _script_safe(content))


def _rows(batch: TaskBatch) -> list[dict[str, Json]]:
    return [
        {
            "id": task.utterance.id,
            "text": task.utterance.text,
            "lang": task.utterance.lang,
            "intent": task.utterance.intent,
            "slots": [asdict(slot) for slot in task.utterance.slots],
            "intents": task.intents,
            "tokens": [[token.start, token.end] for token in tokens_of(task.utterance.text)],
            "why": task.why,
        }
        for task in batch.tasks
    ]


def _script_safe(content: Mapping[str, Json]) -> str:
    """Return ``content`` as JSON that cannot end the script element it stands in."""
    text = json.dumps(content, ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def label_studio_tasks(batch: TaskBatch) -> list[dict[str, Json]]:
    """Return the tasks as Label Studio imports them, our labels as predictions that annotators start from."""
    return [
        {
            "data": {"id": task.utterance.id, "text": task.utterance.text, "why": task.why},
            "predictions": [
                {
                    "model_version": batch.name,
                    "score": task.probability,
                    "result": [*_choice(task.utterance.intent), *_spans(task.utterance.text, task.utterance.slots)],
                }
            ],
        }
        for task in batch.tasks
    ]


def _choice(intent: str) -> list[dict[str, Json]]:
    if not intent:
        return []
    return [{"from_name": "intent", "to_name": "text", "type": "choices", "value": {"choices": [intent]}}]


def _spans(text: str, slots: Sequence[Slot]) -> list[dict[str, Json]]:
    return [
        {
            "from_name": "slots",
            "to_name": "text",
            "type": "labels",
            "value": {
                "start": slot.start,
                "end": slot.end,
                "text": text[slot.start : slot.end],
                "labels": [slot.type],
            },
        }
        for slot in slots
    ]


def label_studio_interface(batch: TaskBatch) -> str:
    """Return the labelling interface, which a Label Studio project of these tasks is set up with."""
    types = "".join(f'    <Label value="{escape(name)}"/>\n' for name in batch.slot_types)
    intents = "".join(f'    <Choice value="{escape(name)}"/>\n' for name in (*batch.intents, OUT_OF_SCOPE))
    return (
        "<View>\n"
        f'  <Labels name="slots" toName="text">\n{types}  </Labels>\n'
        '  <Text name="text" value="$text"/>\n'
        f'  <Choices name="intent" toName="text" choice="single">\n{intents}  </Choices>\n'
        "</View>\n"
    )
