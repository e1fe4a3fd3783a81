"""Templates: utterances with slot values replaced by slot types ("play [artist]"), and values put back.

In a template a slot is ``[type]`` and a literal ``[`` of the text is ``[[``, so that any template can be filled again,
in any script. Values belong to slot types: where a type occurs twice, its values are used from left to right.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from seedcorn.corpus.text import normalise
from seedcorn.corpus.utterances import Slot, Utterance
from seedcorn.errors import DataError

SlotValues: TypeAlias = Mapping[str, Sequence[str]]
"""The values of each slot type, from left to right."""

_SLOT_OR_BRACKET = re.compile(r"\[\[|\[([^\[\]]+)\]")


@dataclass(frozen=True, order=True)
class Signature:
    """What an utterance asks for, without its values: domain, intent and the slot types, sorted, with repeats."""

    domain: str
    intent: str
    slot_types: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.domain}/{self.intent}({', '.join(self.slot_types)})"


def template_of(utterance: Utterance) -> str:
    """Return the text of ``utterance`` with each slot value replaced by ``[type]``.

    Raises DataError when a slot type contains a square bracket.
    """
    parts: list[str] = []
    end = 0
    for slot in utterance.slots:
        if "[" in slot.type or "]" in slot.type:
            raise DataError(wanted="a slot type without square brackets", found=f"'{slot.type}'")
        parts += [utterance.text[end : slot.start].replace("[", "[["), f"[{slot.type}]"]
        end = slot.end
    return "".join(parts) + utterance.text[end:].replace("[", "[[")


def signature_of(utterance: Utterance) -> Signature:
    """Return the signature of ``utterance``; two utterances that share it differ in wording and values only."""
    return Signature(utterance.domain, utterance.intent, tuple(sorted(s.type for s in utterance.slots)))


def slot_types_of(template: str) -> tuple[str, ...]:
    """Return the slot types of ``template``, from left to right."""
    return tuple(m[1] for m in _SLOT_OR_BRACKET.finditer(template) if m[1])


def literal_of(template: str) -> str:
    """Return the text of ``template`` outside its slots, each slot leaving a space."""
    return _SLOT_OR_BRACKET.sub(lambda match: " " if match[1] else "[", template)


def values_of(utterance: Utterance) -> dict[str, tuple[str, ...]]:
    """Return the values of each slot type of ``utterance``, from left to right."""
    values: defaultdict[str, list[str]] = defaultdict(list)
    for slot in utterance.slots:
        values[slot.type].append(utterance.value(slot))
    return {slot_type: tuple(texts) for slot_type, texts in values.items()}


def fill(template: str, values: SlotValues) -> Utterance:
    """Return an utterance made from ``template`` with ``values`` in its slots: text and slots, nothing else set.

    Raises DataError when a slot type has fewer values than the template has slots.
    """
    parts: list[str] = []
    slots: list[Slot] = []
    used: Counter[str] = Counter()
    length = end = 0
    for match in _SLOT_OR_BRACKET.finditer(template):
        literal = template[end : match.start()]
        value = _next_value(match[1], values, used, template) if match[1] else "["
        start = length + len(literal)
        length, end = start + len(value), match.end()
        parts += [literal, value]
        if match[1]:
            slots.append(Slot(start, length, match[1]))
    return Utterance(text="".join(parts) + template[end:], slots=tuple(slots))


def _next_value(slot_type: str, values: SlotValues, used: Counter[str], template: str) -> str:
    known = values.get(slot_type, ())
    if used[slot_type] >= len(known):
        raise DataError(
            wanted=f"a value for each slot of the template '{template}'", found=f"{len(known)} of type '{slot_type}'"
        )
    used[slot_type] += 1
    return known[used[slot_type] - 1]


def value_catalogue(utterances: Iterable[Utterance]) -> dict[str, tuple[str, ...]]:
    """Return the distinct values of each slot type, values and types sorted; one spelling for each normalised value."""
    catalogue: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for utterance in utterances:
        for slot in utterance.slots:
            value = utterance.value(slot)
            spellings = catalogue[slot.type]
            key = normalise(value) or value
            spellings[key] = min(value, spellings.get(key, value))
    return {slot_type: tuple(sorted(catalogue[slot_type].values())) for slot_type in sorted(catalogue)}


def resample_slot_values(
    utterances: Sequence[Utterance],
    *,
    n_variants: int,
    rng: np.random.Generator,
    further_values: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> list[Utterance]:
    """Return ``n_variants`` of each utterance that has slots, each slot value drawn from all values of its type.

    A value is as likely as it is frequent in ``utterances`` and ``further_values``: this is a sample of the class-based
    language model whose classes are the slot types (Brown and others 1992), from which an n-gram model learns what can
    follow what.
    """
    values: defaultdict[str, list[str]] = defaultdict(list)
    for utterance in utterances:
        for slot_type, own in values_of(utterance).items():
            values[slot_type] += own
    for slot_type in values:
        values[slot_type] += further_values.get(slot_type, ())
    variants: list[Utterance] = []
    for utterance in utterances:
        if not utterance.slots:
            continue
        template = template_of(utterance)
        for _ in range(n_variants):
            drawn: defaultdict[str, list[str]] = defaultdict(list)
            for slot in utterance.slots:
                drawn[slot.type].append(values[slot.type][rng.integers(len(values[slot.type]))])
            filled = fill(template, drawn)
            variants.append(replace(utterance, text=filled.text, slots=filled.slots))
    return variants


def templates_by_signature(utterances: Iterable[Utterance]) -> dict[Signature, Counter[str]]:
    """Return how often each template occurs under each signature; signatures sorted, templates by first occurrence."""
    grouped: defaultdict[Signature, Counter[str]] = defaultdict(Counter)
    for utterance in utterances:
        grouped[signature_of(utterance)][template_of(utterance)] += 1
    return {signature: grouped[signature] for signature in sorted(grouped)}
