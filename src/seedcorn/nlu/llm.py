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
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np

from seedcorn.chat_server import ServerSettings, asking
from seedcorn.corpus.formats.massive_markup import bracketed, bracketed_slots
from seedcorn.corpus.text import clean_text
from seedcorn.corpus.utterances import Utterance, check_slots
from seedcorn.errors import DataError
from seedcorn.files import read_json, writing_whole
from seedcorn.progress import track

GENERATED = "generated"
Chat: TypeAlias = Callable[[str], str]
"""Answers a prompt."""

_SLOT = re.compile(r"\[[^\[\]:]+:([^\[\]]*)\]")
_LIST_MARK = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+")
_N_EXAMPLES = 12
_N_PER_REQUEST = 20


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """A prompt with its answer, and the tokens of both."""

    prompt: str
    answer: str
    n_prompt_tokens: int
    n_answer_tokens: int


@dataclass(frozen=True)
class KeptChat:
    """A model as a function from prompt to answer: every answer is kept in ``folder``, and not asked for again.

    ``about`` is what else decides an answer. ``exchanges`` are what was asked here, in order, each once.
    """

    ask: Callable[[str], Exchange]
    folder: Path
    about: str = ""
    exchanges: dict[str, Exchange] = field(default_factory=dict)

    def __call__(self, prompt: str) -> str:
        """Return the answer to ``prompt``. Raises DataError for a kept answer that is damaged."""
        key = hashlib.sha256("\n".join((self.about, prompt)).encode()).hexdigest()[:32]
        if key not in self.exchanges:
            path = self.folder / f"{key}.json"
            if not path.exists():
                answered = self.ask(prompt)
                self.folder.mkdir(parents=True, exist_ok=True)
                with writing_whole(path) as partial:
                    partial.write_text(json.dumps(asdict(answered), ensure_ascii=False), "utf-8")
            self.exchanges[key] = read_json(path, Exchange)
        return self.exchanges[key].answer


def chat_with(settings: ServerSettings, folder: Path) -> KeptChat:
    """Return the model of ``settings`` as a function from prompt to answer, whose answers are kept in ``folder``.

    Raises MissingExtraError without the extra `llm`; the function raises SeedcornError when the server does not answer.
    """
    complete = asking(settings, wanted=f"an answer of '{settings.model}'")

    def ask(prompt: str) -> Exchange:
        completion = complete([{"role": "user", "content": prompt}], 1)
        usage = completion.usage
        return Exchange(
            prompt=prompt,
            answer=str(completion.choices[0].message.content or "") if completion.choices else "",
            n_prompt_tokens=usage.prompt_tokens if usage else 0,
            n_answer_tokens=usage.completion_tokens if usage else 0,
        )

    return KeptChat(ask, folder, json.dumps([settings.model, settings.temperature, settings.n_tokens_max]))


def generate(seed: Sequence[Utterance], *, chat: Chat, n_requests: int = 10, random_seed: int = 0) -> list[Utterance]:
    """Return the new utterances of ``n_requests`` answers, in order, none twice and none of the seed.

    Each request shows other examples, drawn from ``seed``, of one intent after the other. Lines that cannot be read, or
    have slot types unknown to the seed, are left out.
    """
    intents, rng = sorted({u.intent for u in seed}), np.random.default_rng(random_seed)
    types, seen = {s.type for u in seed for s in u.slots}, {clean_text(u.text) for u in seed}
    found: list[Utterance] = []
    for number in track(range(n_requests if seed else 0), "asking for utterances", total=n_requests):
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
    asked = track(texts, "asking for slots", total=len(texts))
    return [_labelled(text, chat(_labelling(text, examples, types)), types) for text in asked]


def share_right(seed: Sequence[Utterance], *, chat: Chat) -> float:
    """Return the share of the seed's utterances, those shown as examples left out, all of whose slots are found."""
    asked = seed[_N_EXAMPLES:]
    found = label([u.text for u in asked], seed, chat=chat)
    right = [f is not None and set(f.slots) == set(u.slots) for f, u in zip(found, asked, strict=True)]
    return sum(right) / len(right) if right else 0.0


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
