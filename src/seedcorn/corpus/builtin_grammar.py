"""The notation of the built-in corpus: phrases ``English | Hindi`` with ``{name}`` fillers and ``(a/b/)`` choices."""

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from seedcorn.corpus.utterances import Slot

_PART = re.compile(r"\{(\w+)\}|\(([^()]*)\)")


class Filler(NamedTuple):
    """The place of a ``{name}`` in a phrase."""

    name: str


class Choice(NamedTuple):
    """The place of ``(a/b/)`` in a phrase: one of the options, an empty one standing for nothing."""

    options: tuple[str, ...]


Part: TypeAlias = str | Filler | Choice


class Wording(NamedTuple):
    """The same words in both languages."""

    english: str
    hindi: str


class Rendering(NamedTuple):
    """A phrase written out in one language, with the places of its fillers."""

    text: str
    slots: tuple[Slot, ...]


@dataclass(frozen=True)
class Phrase:
    """A pattern in both languages; ``names`` are its fillers, the same on both sides."""

    english: tuple[Part, ...]
    hindi: tuple[Part, ...]
    names: tuple[str, ...]


Words: TypeAlias = Mapping[str, tuple[Phrase, ...]]


def parse_phrases(lines: str) -> tuple[Phrase, ...]:
    """Return the phrases in ``lines``, one ``English | Hindi`` a line."""
    return tuple(_parse_phrase(line) for line in lines.splitlines() if line.strip())


def _parse_phrase(line: str) -> Phrase:
    english, hindi = (tuple(_parts(side.strip())) for side in line.split("|"))
    return Phrase(english, hindi, tuple(dict.fromkeys(part.name for part in english if isinstance(part, Filler))))


def _parts(side: str) -> Iterator[Part]:
    end = 0
    for match in _PART.finditer(side):
        if match.start() > end:
            yield side[end : match.start()]
        name, options = match.groups()
        yield Filler(name) if name else Choice(tuple(options.split("/")))
        end = match.end()
    if end < len(side):
        yield side[end:]


def fill(phrase: Phrase, words: Words, rng: random.Random) -> dict[str, Wording]:
    """Return a random wording for each filler of ``phrase``, no two of them equal."""
    fillers: dict[str, Wording] = {}
    for name in phrase.names:
        wording = _random_wording(name, words, rng)
        while wording in fillers.values():
            wording = _random_wording(name, words, rng)
        fillers[name] = wording
    return fillers


def _random_wording(name: str, words: Words, rng: random.Random) -> Wording:
    phrase = one_of(words[name], rng)
    fillers = fill(phrase, words, rng)
    return Wording(render_english(phrase, fillers, rng).text, render_hindi(phrase, fillers, rng).text)


def one_of(phrases: tuple[Phrase, ...], rng: random.Random) -> Phrase:
    """Return one phrase, all equally likely."""
    return phrases[int(rng.random() * len(phrases))]


def render_english(phrase: Phrase, fillers: Mapping[str, Wording], rng: random.Random) -> Rendering:
    """Return ``phrase`` in English; the fillers' names become slot types."""
    return _render(phrase.english, {name: wording.english for name, wording in fillers.items()}, rng)


def render_hindi(phrase: Phrase, fillers: Mapping[str, Wording], rng: random.Random) -> Rendering:
    """Return ``phrase`` in Hindi; the fillers' names become slot types."""
    return _render(phrase.hindi, {name: wording.hindi for name, wording in fillers.items()}, rng)


def _render(parts: tuple[Part, ...], values: Mapping[str, str], rng: random.Random) -> Rendering:
    text, slots = "", []
    for part in parts:
        if isinstance(part, Filler):
            value = values[part.name]
            slots.append(Slot(len(text), len(text) + len(value), part.name))
        elif isinstance(part, Choice):
            value = part.options[int(rng.random() * len(part.options))]
        else:
            value = part
        # A choice of nothing leaves two spaces side by side, or one at the start: only one, or none, is kept.
        text += value.lstrip() if not text or text.endswith(" ") else value
    return Rendering(text.rstrip(), tuple(slots))


def code_switched(rendering: Rendering, latin_words: Mapping[str, str], latin_slots: Mapping[str, str]) -> Rendering:
    """Return a Hindi rendering with some words in Latin script: single words, and the whole values of some slot types.

    ``latin_words`` maps a Hindi word to its Latin spelling, ``latin_slots`` a slot type to the value it then has.
    """
    text, slots, end = "", [], 0
    for slot in rendering.slots:
        text += _in_latin(rendering.text[end : slot.start], latin_words)
        value = latin_slots.get(slot.type) or _in_latin(rendering.text[slot.start : slot.end], latin_words)
        slots.append(Slot(len(text), len(text) + len(value), slot.type))
        text += value
        end = slot.end
    return Rendering(text + _in_latin(rendering.text[end:], latin_words), tuple(slots))


def _in_latin(text: str, latin_words: Mapping[str, str]) -> str:
    return " ".join(latin_words.get(word, word) for word in text.split(" "))
