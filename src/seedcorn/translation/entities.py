"""Slot values in translation: translated, replaced through placeholders, transliterated, or kept in Latin script.

Every utterance becomes a list of candidate translations with their slots, or a reject with its reason; nothing is lost
silently. Values that are not translated in place travel as placeholders, which are counted after decoding: the first
hypotheses that carry each exactly once are used. Where none does, the values are copied: the text between them is
translated piece by piece around them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from seedcorn.corpus.text import normalise
from seedcorn.corpus.utterances import Slot, Utterance
from seedcorn.errors import ConfigError
from seedcorn.translation.nbest import TRANSLATION_LOGP, Hypothesis, NBest, NBestTranslator
from seedcorn.translation.rescoring import rank
from seedcorn.translation.settings import TRANSLATION_ORIGIN, EntitySettings, Lost, RescoringWeights, Treatment
from seedcorn.translation.slot_places import pieces_around, template_of, with_placed_slots
from seedcorn.translation.subwords import N_PLACEHOLDERS, PLACEHOLDER, placeholder
from seedcorn.translation.transliteration import Lexicon, transliterate

Catalogue = Mapping[str, Sequence[str]]

NO_WORDS = "no words to translate"
TOO_MANY_SLOTS = f"more than {N_PLACEHOLDERS} slots"
NO_CATALOGUE = "no catalogue value for slot type"
PLACEHOLDERS_LOST = "placeholders lost in every hypothesis"
NOT_FOUND = "translated slot value not found in any hypothesis"
EMPTY_TRANSLATION = "empty translation"


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """The translations of one utterance: hypotheses and the slots of each."""

    utterance: Utterance
    nbest: NBest
    slots: tuple[tuple[Slot, ...], ...]

    def chosen(self, weights: RescoringWeights, *, lang: str) -> Utterance:
        """Return the best hypothesis under ``weights`` as an utterance in ``lang`` with intent, domain and slots."""
        return self.best(weights, n_hypotheses=1, lang=lang)[0]

    def best(self, weights: RescoringWeights, *, n_hypotheses: int, lang: str) -> list[Utterance]:
        """Return the best ``n_hypotheses``, or all when there are fewer, as ``chosen`` does; best first."""
        return [
            replace(
                self.utterance,
                text=self.nbest.hypotheses[i].text,
                slots=self.slots[i],
                lang=lang,
                origin=TRANSLATION_ORIGIN,
            )
            for i in rank(self.nbest, weights)[:n_hypotheses]
        ]


@dataclass(frozen=True, kw_only=True)
class Reject:
    """An utterance without a translation, its row among those given, and why."""

    position: int
    utterance: Utterance
    reason: str


def catalogue_of(utterances: Iterable[Utterance]) -> dict[str, tuple[str, ...]]:
    """Return the distinct slot values of each type in ``utterances`` of the target language, sorted."""
    values: dict[str, set[str]] = {}
    for utterance in utterances:
        for slot in utterance.slots:
            values.setdefault(slot.type, set()).add(utterance.value(slot))
    return {slot_type: tuple(sorted(found)) for slot_type, found in values.items()}


def translate_utterances(
    utterances: Sequence[Utterance],
    translator: NBestTranslator,
    *,
    settings: EntitySettings,
    rng: np.random.Generator,
    catalogue: Catalogue | None = None,
    lexicon: Lexicon | None = None,
    n_best: int = 10,
) -> tuple[list[Candidates], list[Reject]]:
    """Return the candidate translations of ``utterances`` and the rejects, both in order.

    Texts are decoded in bulk: once with the values of translated slots in place, once more with placeholders for the
    utterances in which a translated value cannot be found again, and once for the values by themselves. Catalogue
    values are drawn by ``rng``, one a slot, the same in all hypotheses. Raises ConfigError when a catalogue is needed
    and none is given.
    """
    if catalogue is None and Treatment.CATALOGUE in (settings.default, *settings.by_type.values()):
        raise ConfigError(
            wanted="a catalogue of slot values in the target language",
            found="none",
            fix="Give target-language utterances with slots.",
        )
    work = _Work(utterances, translator, settings, catalogue or {}, lexicon or {}, n_best)
    for position, utterance in enumerate(utterances):
        work.plan(position, utterance, rng)
    work.decode_in_place()
    work.decode_with_placeholders()
    work.copy_lost_placeholders()
    return [work.done[p] for p in sorted(work.done)], sorted(work.rejects, key=lambda reject: reject.position)


@dataclass
class _Work:
    """Utterances on their way: ``values`` holds the target value of every slot that travels as a placeholder."""

    utterances: Sequence[Utterance]
    translator: NBestTranslator
    settings: EntitySettings
    catalogue: Catalogue
    lexicon: Lexicon
    n_best: int
    values: dict[int, dict[int, str]] = field(default_factory=dict)
    done: dict[int, Candidates] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)
    translated_values: dict[str, list[str]] = field(default_factory=dict)

    def plan(self, position: int, utterance: Utterance, rng: np.random.Generator) -> None:
        """Decide the target value of each slot that travels as a placeholder, or reject the utterance."""
        if len(utterance.slots) > N_PLACEHOLDERS:
            self.reject(position, TOO_MANY_SLOTS)
            return
        if not self._as_trained(utterance.text).strip():
            self.reject(position, NO_WORDS)
            return
        values: dict[int, str] = {}
        for number, slot in enumerate(utterance.slots):
            value = utterance.value(slot)
            match self.settings.of(slot.type):
                case Treatment.CATALOGUE:
                    known = self.catalogue.get(slot.type, ())
                    if not known:
                        self.reject(position, f"{NO_CATALOGUE} '{slot.type}'")
                        return
                    values[number] = known[int(rng.integers(len(known)))]
                case Treatment.TRANSLITERATE:
                    values[number] = transliterate(value, lexicon=self.lexicon) or value
                case Treatment.LATIN:
                    values[number] = value
                case Treatment.TRANSLATE:
                    pass
        self.values[position] = values

    def decode_in_place(self) -> None:
        """Translate with the values of translated slots in the text, and find them again in the hypotheses."""
        self._translate_values()
        positions = sorted(self.values)
        texts = [self._as_trained(template_of(self.utterances[p], self.values[p])) for p in positions]
        for position, nbest in zip(positions, self.translator.nbest(texts, n_best=self.n_best), strict=True):
            self._keep(position, nbest, self.values[position], in_place=True)

    def decode_with_placeholders(self) -> None:
        """Translate what is left with a placeholder for every slot; translated values are translated by themselves."""
        positions = [p for p in self._left() if len(self.values[p]) < len(self.utterances[p].slots)]
        for position in positions:
            self.values[position] = self._all_values(position)
        texts = [self._as_trained(template_of(self.utterances[p], self.values[p])) for p in positions]
        for position, nbest in zip(positions, self.translator.nbest(texts, n_best=self.n_best), strict=True):
            self._keep(position, nbest, self.values[position], in_place=False)

    def copy_lost_placeholders(self) -> None:
        """Translate what is left piece by piece around its values, or reject it."""
        left = self._left()
        if self.settings.lost is Lost.REJECT:
            for position in left:
                self.reject(position, PLACEHOLDERS_LOST if self.utterances[position].slots else EMPTY_TRANSLATION)
            return
        pieces = [[self._as_trained(piece) for piece in pieces_around(self.utterances[p])] for p in left]
        distinct = sorted({piece for utterance_pieces in pieces for piece in utterance_pieces if normalise(piece)})
        best = {found.source: found.best for found in self.translator.nbest(distinct, n_best=1, beam_size=4)}
        for position, utterance_pieces in zip(left, pieces, strict=True):
            parts = [best[piece] if piece in best else Hypothesis(text="") for piece in utterance_pieces]
            text = parts[0].text
            for number, part in enumerate(parts[1:], start=1):
                text += f" {placeholder(number)} {part.text}"
            logp = sum(part.features.get(TRANSLATION_LOGP, 0.0) for part in parts)
            hypothesis = Hypothesis(text=text, features={TRANSLATION_LOGP: logp})
            nbest = NBest(source=self.utterances[position].text, hypotheses=(hypothesis,))
            self._keep(position, nbest, self._all_values(position), in_place=False)
            if position not in self.done:
                self.reject(position, EMPTY_TRANSLATION)

    def reject(self, position: int, reason: str) -> None:
        """Note why the utterance has no translation."""
        self.rejects.append(Reject(position=position, utterance=self.utterances[position], reason=reason))

    def _left(self) -> list[int]:
        rejected = {reject.position for reject in self.rejects}
        return [p for p in sorted(self.values) if p not in self.done and p not in rejected]

    def _as_trained(self, text: str) -> str:
        if not self.settings.spoken:
            return text
        pieces = PLACEHOLDER.split(text)
        return " ".join(filter(None, (p if PLACEHOLDER.fullmatch(p) else normalise(p) for p in pieces)))

    def _translate_values(self) -> None:
        in_place = {
            utterance.value(slot)
            for utterance in self.utterances
            for slot in utterance.slots
            if self.settings.of(slot.type) is Treatment.TRANSLATE and normalise(utterance.value(slot))
        }
        values = sorted(in_place)
        nbests = self.translator.nbest([self._as_trained(v) for v in values], n_best=min(self.n_best, 5))
        for text, nbest in zip(values, nbests, strict=True):
            self.translated_values[text] = [h.text for h in nbest.hypotheses if normalise(h.text)]

    def _all_values(self, position: int) -> dict[int, str]:
        """Return a target value for every slot: the planned one, else its own best translation, else itself."""
        utterance, planned = self.utterances[position], self.values[position]
        return {
            number: planned.get(number)
            or (self.translated_values.get(utterance.value(slot)) or [utterance.value(slot)])[0]
            for number, slot in enumerate(utterance.slots)
        }

    def _keep(self, position: int, nbest: NBest, values: Mapping[int, str], *, in_place: bool) -> None:
        """Keep the hypotheses in which every slot has its place; with none, the utterance stays undone."""
        utterance = self.utterances[position]
        found = [
            (h, with_placed_slots(h.text, utterance, values, self.translated_values, in_place))
            for h in nbest.hypotheses
        ]
        placed = [(replace(h, text=result[0]), result[1]) for h, result in found if result is not None]
        if placed:
            self.done[position] = Candidates(
                utterance=utterance,
                nbest=NBest(source=utterance.text, hypotheses=tuple(h for h, _ in placed)),
                slots=tuple(slots for _, slots in placed),
            )
