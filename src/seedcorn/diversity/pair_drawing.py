"""Drawing two utterances at random that share a signature, a template, values, a word, or some of these."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias, TypeVar

import numpy as np

from seedcorn.corpus.templates import Signature, SlotValues, fill, literal_of, signature_of, template_of, values_of
from seedcorn.corpus.text import words
from seedcorn.corpus.utterances import Utterance
from seedcorn.selection import FloatArray

Item = TypeVar("Item")
Rng: TypeAlias = np.random.Generator

SWAPPED_VALUE_FRACTION = 0.5
SHARED_VALUE_FRACTION = 0.5
TRIES_FOR_OTHER_VALUE = 20


class DrawnPair(NamedTuple):
    """Two utterances made or found, and the domain of the first."""

    first: Utterance
    second: Utterance
    domain: str


@dataclass(frozen=True)
class SignatureChoice:
    """Signatures to draw from, each by the square root of its number of templates, so that frequent ones are damped."""

    signatures: tuple[Signature, ...]
    cumulative: FloatArray

    @staticmethod
    def among(signatures: Iterable[Signature], templates: dict[Signature, list[str]]) -> "SignatureChoice":
        """Return the choice among ``signatures``."""
        chosen = tuple(signatures)
        return SignatureChoice(chosen, np.cumsum(np.sqrt([len(templates[s]) for s in chosen])))

    def draw(self, rng: Rng) -> Signature | None:
        """Return one of the signatures, None when there is none."""
        if not self.signatures:
            return None
        place = np.searchsorted(self.cumulative, rng.random() * self.cumulative[-1], side="right")
        return self.signatures[int(place)]


@dataclass(frozen=True, kw_only=True)
class PairMaterial:
    """Annotated utterances, taken apart into what pairs are drawn from.

    ``rephrasable`` signatures have slots, none of a type twice (another order of these could mean something else), and
    two templates or more; ``slotless`` ones have two templates or more and no slots. ``values`` holds every value of a
    slot type, as often as it occurs.
    """

    requests: dict[Signature, list[Utterance]]
    templates: dict[Signature, list[str]]
    any_signature: SignatureChoice
    with_slots: SignatureChoice
    rephrasable: SignatureChoice
    slotless: SignatureChoice
    values: dict[str, list[str]]
    with_slot_type: dict[str, list[Signature]]
    with_word: dict[str, list[Utterance]]

    @staticmethod
    def of(utterances: Sequence[Utterance]) -> "PairMaterial":
        """Return what pairs can be drawn from ``utterances``; their order does not matter.

        Templates with a word that no other template has are left out, as long as half of the utterances remain: such
        a word is content that has no slot, and only one half of a pair of paraphrases would say it.
        """
        requests: defaultdict[Signature, list[Utterance]] = defaultdict(list)
        with_slot_type: defaultdict[str, set[Signature]] = defaultdict(set)
        with_word: defaultdict[str, list[Utterance]] = defaultdict(list)
        values: defaultdict[str, list[str]] = defaultdict(list)
        for utterance in _of_common_words(sorted(utterances, key=lambda u: (u.text, signature_of(u), u.slots))):
            signature = signature_of(utterance)
            requests[signature].append(utterance)
            for slot in utterance.slots:
                values[slot.type].append(utterance.value(slot))
            for slot_type in signature.slot_types:
                with_slot_type[slot_type].add(signature)
            for word in set(words(utterance.text)):
                with_word[word].append(utterance)
        templates = {s: sorted({template_of(u) for u in requests[s]}) for s in sorted(requests)}
        several = [s for s in templates if len(templates[s]) > 1]
        return PairMaterial(
            requests=dict(requests),
            templates=templates,
            any_signature=SignatureChoice.among(templates, templates),
            with_slots=SignatureChoice.among((s for s in templates if s.slot_types), templates),
            rephrasable=SignatureChoice.among((s for s in several if _each_type_once(s)), templates),
            slotless=SignatureChoice.among((s for s in several if not s.slot_types), templates),
            values=dict(values),
            with_slot_type={slot_type: sorted(found) for slot_type, found in with_slot_type.items()},
            with_word=dict(with_word),
        )


def _of_common_words(utterances: Sequence[Utterance]) -> list[Utterance]:
    own_words = [frozenset(words(literal_of(template_of(u)))) for u in utterances]
    n_templates = Counter(
        word for _, split in set(zip(map(template_of, utterances), own_words, strict=True)) for word in split
    )
    common = [u for u, split in zip(utterances, own_words, strict=True) if all(n_templates[word] > 1 for word in split)]
    return common if 2 * len(common) >= len(utterances) else list(utterances)


def _each_type_once(signature: Signature) -> bool:
    return 0 < len(signature.slot_types) == len(set(signature.slot_types))


def other_structure(material: PairMaterial, rng: Rng) -> DrawnPair | None:
    """Draw two templates of one signature, filled with the same values."""
    signature = material.rephrasable.draw(rng)
    if signature is None:
        return None
    values = _drawn_values(signature, material, rng)
    first, second = _two_of(material.templates[signature], rng)
    return DrawnPair(fill(first, values), fill(second, values), signature.domain)


def no_values(material: PairMaterial, rng: Rng) -> DrawnPair | None:
    """Draw two requests of one intent that have no slots."""
    signature = material.slotless.draw(rng)
    if signature is None:
        return None
    first, second = _two_of(material.templates[signature], rng)
    return DrawnPair(fill(first, {}), fill(second, {}), signature.domain)


def other_values(material: PairMaterial, rng: Rng) -> DrawnPair | None:
    """Draw one template, filled twice; at least one value differs."""
    signature = material.with_slots.draw(rng)
    if signature is None:
        return None
    template = _one_of(material.templates[signature], rng)
    values = _drawn_values(signature, material, rng)
    return DrawnPair(fill(template, values), fill(template, _changed(values, material, rng)), signature.domain)


def other_both(material: PairMaterial, rng: Rng) -> DrawnPair | None:
    """Draw two templates of one signature; at least one value differs."""
    signature = material.rephrasable.draw(rng)
    if signature is None:
        return None
    values = _drawn_values(signature, material, rng)
    first, second = _two_of(material.templates[signature], rng)
    return DrawnPair(fill(first, values), fill(second, _changed(values, material, rng)), signature.domain)


def other_intent(material: PairMaterial, rng: Rng) -> DrawnPair | None:
    """Draw two requests of different intents that share a slot value or, equally often, a word."""
    signature = material.any_signature.draw(rng)
    if signature is None:
        return None
    request = _one_of(material.requests[signature], rng)
    shares_value = bool(signature.slot_types) and rng.random() < SHARED_VALUE_FRACTION
    other = (_sharing_value if shares_value else _sharing_word)(request, material, rng)
    if (other.domain, other.intent) == (request.domain, request.intent):
        return None
    return DrawnPair(request, other, request.domain)


def _sharing_value(request: Utterance, material: PairMaterial, rng: Rng) -> Utterance:
    """Return a request with a slot type of ``request``, filled with the value that it has there."""
    own = values_of(request)
    slot_type = _one_of(sorted(own), rng)
    signature = _one_of(material.with_slot_type[slot_type], rng)
    values = dict(_drawn_values(signature, material, rng))
    values[slot_type] = (*own[slot_type], *values[slot_type])[: len(values[slot_type])]
    filled = fill(_one_of(material.templates[signature], rng), values)
    return Utterance(text=filled.text, slots=filled.slots, domain=signature.domain, intent=signature.intent)


def _sharing_word(request: Utterance, material: PairMaterial, rng: Rng) -> Utterance:
    split = words(request.text)
    return _one_of(material.with_word[_one_of(split, rng)], rng) if split else request


def _drawn_values(signature: Signature, material: PairMaterial, rng: Rng) -> SlotValues:
    """Return the values of a real request, half of them swapped for others of their type."""
    values = values_of(_one_of(material.requests[signature], rng))
    return {
        slot_type: tuple(
            _one_of(material.values[slot_type], rng) if rng.random() < SWAPPED_VALUE_FRACTION else value
            for value in own
        )
        for slot_type, own in values.items()
    }


def _changed(values: SlotValues, material: PairMaterial, rng: Rng) -> SlotValues:
    """Return ``values`` with at least one of them changed to one that says something else, where there is one."""
    n_values = sum(map(len, values.values()))
    changed = set(rng.permutation(n_values)[: rng.integers(1, n_values + 1)].tolist())
    place = 0
    result: dict[str, tuple[str, ...]] = {}
    for slot_type, own in values.items():
        places = range(place, place + len(own))
        place += len(own)
        result[slot_type] = tuple(
            _other_value(value, material.values[slot_type], rng) if p in changed else value
            for p, value in zip(places, own, strict=True)
        )
    return result


def _other_value(value: str, known: Sequence[str], rng: Rng) -> str:
    """Return one of the ``known`` values that neither holds all words of ``value`` nor is held by it."""
    own = set(words(value))
    for _ in range(TRIES_FOR_OTHER_VALUE):
        other = _one_of(known, rng)
        split = set(words(other))
        if not own <= split and not split <= own:
            return other
    return value


def _one_of(items: Sequence[Item], rng: Rng) -> Item:
    return items[int(rng.integers(len(items)))]


def _two_of(items: Sequence[Item], rng: Rng) -> tuple[Item, Item]:
    first, second = rng.choice(len(items), 2, replace=False).tolist()
    return items[first], items[second]
