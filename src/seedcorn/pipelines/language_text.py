"""The text that the language models of a run are made of, from the files of the stages before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seedcorn.corpus.folding import fold_all
from seedcorn.corpus.templates import with_values_drawn_anew
from seedcorn.corpus.utterances import Utterance
from seedcorn.pipelines.language_nbest import read_candidates
from seedcorn.pipelines.language_stages import CANDIDATES, DICTIONARY, PAIRS, entity_lexicon, read_pair_table
from seedcorn.pipelines.language_systems import (
    ALL_GENERAL,
    BORROWED,
    DICTIONARY_WORDS,
    GENERAL,
    SLOT_VARIANTS,
    SOURCE,
    TRANSCRIPTS,
    TRANSLATIONS,
    TRUE_TARGET,
    InDomain,
    System,
    best_translations,
    borrowed,
    in_domain_of,
    keep_in_domain,
)
from seedcorn.pipelines.language_translation import EntityChoice, KeepChoice
from seedcorn.pipelines.stage_files import Done, read_json, read_utterances
from seedcorn.progress import say
from seedcorn.translation.rescoring import NO_RESCORING, RescoringWeights

if TYPE_CHECKING:
    from seedcorn.translation.entities import Candidates

RESCORING_WEIGHTS = "weights.json"


def _target_side(pairs: Done, file: str) -> list[str]:
    return [text for b in read_pair_table(pairs, file).batches() for text in b.column("target").to_pylist()]


def candidates_of(data: Done, stage: Done) -> "list[Candidates]":
    """Return the n-best lists of a stage with the source utterances that they translate."""
    return read_candidates(stage.folder / CANDIDATES, read_utterances(data.folder / "source.parquet"))


def rescored_name(translations: str, n_hypotheses: int) -> str:
    """Return what the rescoring weights for so many hypotheses of a set of n-best lists are called."""
    return f"{translations}, {n_hypotheses} best"


@dataclass(frozen=True, kw_only=True)
class TextsAtHand:
    """The folded texts that a run starts from, each read once, and what is known of the domain by them."""

    data: Done
    cleaned: Done
    pairs: Done
    entities: EntityChoice
    order: int
    target_lang: str
    relative_to: Path

    @cached_property
    def source(self) -> list[str]:
        """The in-domain source text."""
        return fold_all(self._raw("source"))

    @cached_property
    def borrowed(self) -> list[str]:
        """The source text in the script of the target language."""
        return borrowed(self.source, target_lang=self.target_lang)

    @cached_property
    def all_general(self) -> list[str]:
        """The target side of all clean pairs."""
        return fold_all(_target_side(self.cleaned, PAIRS))

    @cached_property
    def dictionary_words(self) -> list[str]:
        """The target side of the dictionary."""
        return fold_all(_target_side(self.cleaned, DICTIONARY))

    @cached_property
    def true_target(self) -> list[str]:
        """The true translations of the source text."""
        return fold_all(self._raw("true_target"))

    @cached_property
    def in_domain(self) -> InDomain:
        """What is known of the domain: transcripts, chosen pairs, and the words of all other text at hand."""
        names_and_values = fold_all(sorted(entity_lexicon(self.entities, self.relative_to).values()))
        return in_domain_of(
            self._raw("transcripts"),
            _target_side(self.pairs, PAIRS),
            self._raw("dev"),
            other_texts=(self.source, self.borrowed, self.all_general, self.dictionary_words, names_and_values),
            order=self.order,
        )

    def _raw(self, name: str) -> list[str]:
        return [u.text for u in read_utterances(self.data.folder / f"{name}.parquet")]


@dataclass(frozen=True, kw_only=True)
class SystemTexts:
    """The text of every system; what systems share is made once."""

    at_hand: TextsAtHand
    translated: Mapping[str, Done]
    weights: Done
    keep: KeepChoice
    random_seed: int
    _slot_variants: dict[int, list[str]] = field(default_factory=dict, init=False)

    def components(self, system: System, translations: Sequence[Utterance]) -> dict[str, list[str]]:
        """Return the folded texts that the system's model is interpolated from, by where they come from.

        ``translations`` are those of ``translations_for``.
        """
        texts = self.at_hand
        parts = {
            TRANSCRIPTS: texts.in_domain.transcripts,
            SLOT_VARIANTS: self._with_slots_varied(system.slot_variants) if system.slot_variants else [],
            GENERAL: texts.in_domain.general if system.general else [],
            ALL_GENERAL: texts.all_general if system.all_general else [],
            DICTIONARY_WORDS: texts.dictionary_words if system.all_general else [],
            TRANSLATIONS: fold_all([u.text for u in translations]),
            SOURCE: texts.source if system.source_text else [],
            BORROWED: texts.borrowed if system.source_text else [],
            TRUE_TARGET: texts.true_target if system.true_target else [],
        }
        return {name: part for name, part in parts.items() if any(part)}

    def _with_slots_varied(self, n_variants: int) -> list[str]:
        if n_variants not in self._slot_variants:
            transcripts = read_utterances(self.at_hand.data.folder / "transcripts.parquet")
            if not any(u.slots for u in transcripts):
                say(f"none of {len(transcripts):,} transcripts has slots: there are no slot variants")
            rng = np.random.default_rng(self.random_seed)
            variants = with_values_drawn_anew(transcripts, n_variants=n_variants, rng=rng)
            self._slot_variants[n_variants] = fold_all([u.text for u in variants])
        return self._slot_variants[n_variants]

    @cached_property
    def _weights(self) -> dict[str, RescoringWeights]:
        found = read_json(self.weights.folder / RESCORING_WEIGHTS)
        return {name: RescoringWeights(**value) for name, value in found.items()} if isinstance(found, dict) else {}

    def translations_for(self, system: System) -> list[Utterance]:
        """Return the translations that the system uses, with intents and slots; none without a translator."""
        if system.translations is None:
            return []
        in_domain = self.at_hand.in_domain
        candidates = candidates_of(self.at_hand.data, self.translated[system.translations])
        name = rescored_name(system.translations, system.n_hypotheses)
        weights = self._weights[name] if system.rescored else NO_RESCORING
        best = best_translations(
            candidates, in_domain, weights, n_hypotheses=system.n_hypotheses, lang=self.at_hand.target_lang
        )
        if not system.kept:
            return best
        kept = keep_in_domain(fold_all([u.text for u in best]), in_domain, self.keep, order=self.at_hand.order)
        return [best[row] for row in np.sort(kept.positions)]
