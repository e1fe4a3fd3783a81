"""A large language model as one more source of utterances, and as one more view of labels, by any compatible server.

*Generate* asks for new utterances in the seed's form, slots in brackets: ``wake me at [time : five]``. They are a pool
like any other: to be selected, gated and deduplicated. *Label* asks for the slots of given texts; an answer that is not
the same words, or names a slot type that the seed has not, is none. Every answer is kept on disk by what was asked, so
that nothing is paid for twice and a run repeats. Nothing here is used unless it is called.
"""

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import numpy as np

from seedcorn.chat_server import ServerSettings, asking
from seedcorn.corpus.formats.massive_markup import bracketed, bracketed_slots
from seedcorn.corpus.text import clean_text
from seedcorn.corpus.utterances import Utterance, check_slots
from seedcorn.errors import DataError
from seedcorn.files import writing_whole

GENERATED = "generated"
Chat: TypeAlias = Callable[[str], str]
"""Answers a prompt."""

_SLOT = re.compile(r"\[[^\[\]:]+:([^\[\]]*)\]")
_LIST_MARK = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+")
_N_EXAMPLES = 12
_N_PER_REQUEST = 20


def chat_with(settings: ServerSettings, folder: Path) -> Chat:
    """Return the model of ``settings`` as a function from prompt to answer, whose answers are kept in ``folder``.

    Raises MissingExtraError without the extra `llm`; the function raises SeedcornError when the server does not answer.
    """
    ask = asking(settings, wanted=f"an answer of '{settings.model}'")

    def chat(prompt: str) -> str:
        completion = ask([{"role": "user", "content": prompt}], 1)
        return str(completion.choices[0].message.content or "") if completion.choices else ""

    decisive = json.dumps([settings.model, settings.temperature, settings.n_tokens_max])
    return kept_answers(chat, folder, about=decisive)


def kept_answers(chat: Chat, folder: Path, *, about: str = "") -> Chat:
    """Return ``chat`` with every prompt and its answer kept in ``folder``; ``about`` is what else decides an answer."""
    folder.mkdir(parents=True, exist_ok=True)

    def ask(prompt: str) -> str:
        key = hashlib.sha256("\n".join((about, prompt)).encode()).hexdigest()[:32]
        path = folder / f"{key}.json"
        if path.exists():
            return str(json.loads(path.read_text("utf-8"))["answer"])
        answer = chat(prompt)
        with writing_whole(path) as partial:
            partial.write_text(json.dumps({"prompt": prompt, "answer": answer}, ensure_ascii=False), "utf-8")
        return answer

    return ask


def generate(seed: Sequence[Utterance], *, chat: Chat, n_requests: int = 10, random_seed: int = 0) -> list[Utterance]:
    """Return the new utterances of ``n_requests`` answers, in order, none twice and none of the seed.

    Each request shows other examples, drawn from ``seed``, of one intent after the other. Lines that cannot be read, or
    have slot types unknown to the seed, are left out.
    """
    intents, rng = sorted({u.intent for u in seed}), np.random.default_rng(random_seed)
    types, seen = {s.type for u in seed for s in u.slots}, {clean_text(u.text) for u in seed}
    found: list[Utterance] = []
    for number in range(n_requests if seed else 0):
        intent = intents[number % len(intents)]
        own = [u for u in seed if u.intent == intent]
        shown = [own[i] for i in np.sort(rng.permutation(len(own))[:_N_EXAMPLES])]
        for line in chat(_generating(shown, types, number)).splitlines():
            utterance = _read(line, types)
            if utterance is not None and clean_text(utterance.text) not in seen:
                seen.add(clean_text(utterance.text))
                found.append(replace(utterance, intent=intent, origin=GENERATED))
    return found


def label(texts: Sequence[str], seed: Sequence[Utterance], *, chat: Chat) -> list[Utterance | None]:
    """Return each text with the slots that the model sees, its intent left empty; None where it does not answer so."""
    types = {s.type for u in seed for s in u.slots}
    examples = "\n".join(f"{u.text}\n{bracketed(u)}" for u in seed[:_N_EXAMPLES])
    return [_labelled(text, chat(_labelling(text, examples, types)), types) for text in texts]


def _generating(shown: Sequence[Utterance], types: set[str], number: int) -> str:
    examples = "\n".join(bracketed(u) for u in shown)
    return (
        f"These are things that people say to a voice assistant, all with the same purpose:\n{examples}\n\n"
        f"Write {_N_PER_REQUEST} more with that purpose, in the same language, one a line, in other words and with "
        f"other values (list {number + 1}). "
        f"Mark values as above, with these names only: {', '.join(sorted(types)) or 'none'}."
    )


def _labelling(text: str, examples: str, types: set[str]) -> str:
    return (
        f"Mark the values in the last text as in the examples, with these names only: {', '.join(sorted(types))}. "
        f"Answer with the marked text in one line, its words unchanged.\n\n{examples}\n{text}"
    )


def _read(line: str, types: set[str]) -> Utterance | None:
    """Return the utterance that ``line`` spells in brackets, or None where it does not."""
    marked = clean_text(_LIST_MARK.sub("", line).strip().strip('"'))
    text = " ".join(_SLOT.sub(lambda slot: slot[1].strip(), marked).split())
    return _labelled(text, marked, types) if text and not set(text) & set("[]") else None


def _labelled(text: str, answer: str, types: set[str]) -> Utterance | None:
    marked = next((line.strip() for line in answer.splitlines() if line.strip()), "")
    try:
        slots = check_slots(text, bracketed_slots(marked, text))
    except DataError:  # a model may answer anything
        return None
    return Utterance(text=text, slots=slots) if {s.type for s in slots} <= types else None
