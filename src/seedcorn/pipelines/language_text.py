"""The text that the language models of a run are made of, from the files of the stages before."""

from collections.abc import Mapping
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


def in_domain_text(
    data: Done, cleaned: Done, pairs: Done, entities: EntityChoice, *, order: int, target_lang: str, relative_to: Path
) -> InDomain:
    """Return what a run knows of the domain: transcripts, chosen pairs, and the words of all other text at hand."""
    transcripts, dev, source = (
        [u.text for u in read_utterances(data.folder / f"{name}.parquet")] for name in ("transcripts", "dev", "source")
    )
    kept = fold_all(source)
    other_texts = (
        kept,
        borrowed(kept, target_lang=target_lang),
        fold_all(_target_side(cleaned)),
        fold_all(_target_side(cleaned, DICTIONARY)),
        fold_all(sorted(entity_lexicon(entities, relative_to).values())),
    )
    return in_domain_of(transcripts, _target_side(pairs), dev, other_texts=other_texts, order=order)


def _target_side(pairs: Done, file: str = PAIRS) -> list[str]:
    return [text for b in read_pair_table(pairs, file).batches() for text in b.column("target").to_pylist()]


def candidates_of(data: Done, stage: Done) -> "list[Candidates]":
    """Return the n-best lists of a stage with the source utterances that they translate."""
    return read_candidates(stage.folder / CANDIDATES, read_utterances(data.folder / "source.parquet"))


def rescored_name(translations: str, n_hypotheses: int) -> str:
    """Return what the rescoring weights for so many hypotheses of a set of n-best lists are called."""
    return f"{translations}, {n_hypotheses} best"


@dataclass(frozen=True, kw_only=True)
class SystemTexts:
    """The text of every system; what systems share is read and chosen once."""

    in_domain: InDomain
    data: Done
    cleaned: Done
    translated: Mapping[str, Done]
    weights: Done
    keep: KeepChoice
    order: int
    target_lang: str
    random_seed: int
    _slot_variants: dict[int, list[str]] = field(default_factory=dict, init=False)

    def components(self, system: System) -> dict[str, list[str]]:
        """Return the folded texts that the system's model is interpolated from, by where they come from."""
        parts = {
            TRANSCRIPTS: self.in_domain.transcripts,
            SLOT_VARIANTS: self._with_slots_varied(system.slot_variants) if system.slot_variants else [],
            GENERAL: self.in_domain.general if system.general else [],
            ALL_GENERAL: self._all_general if system.all_general else [],
            DICTIONARY_WORDS: self._dictionary_words if system.all_general else [],
            TRANSLATIONS: fold_all([u.text for u in self.translations_for(system)]),
            SOURCE: self._source if system.source_text else [],
            BORROWED: self._borrowed if system.source_text else [],
            TRUE_TARGET: self._true_target if system.true_target else [],
        }
        return {name: texts for name, texts in parts.items() if any(texts)}

    def _with_slots_varied(self, n_variants: int) -> list[str]:
        if n_variants not in self._slot_variants:
            transcripts = read_utterances(self.data.folder / "transcripts.parquet")
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

    @cached_property
    def _all_general(self) -> list[str]:
        return fold_all(_target_side(self.cleaned))

    @cached_property
    def _dictionary_words(self) -> list[str]:
        return fold_all(_target_side(self.cleaned, DICTIONARY))

    @cached_property
    def _source(self) -> list[str]:
        return self._folded("source")

    @cached_property
    def _borrowed(self) -> list[str]:
        return borrowed(self._source, target_lang=self.target_lang)

    @cached_property
    def _true_target(self) -> list[str]:
        return self._folded("true_target")

    def _folded(self, name: str) -> list[str]:
        return fold_all([u.text for u in read_utterances(self.data.folder / f"{name}.parquet")])

    def translations_for(self, system: System) -> list[Utterance]:
        """Return the translations that the system uses, with intents and slots; none without a translator."""
        if system.translations is None:
            return []
        candidates = candidates_of(self.data, self.translated[system.translations])
        name = rescored_name(system.translations, system.n_hypotheses)
        weights = self._weights[name] if system.rescored else NO_RESCORING
        best = best_translations(
            candidates, self.in_domain, weights, n_hypotheses=system.n_hypotheses, lang=self.target_lang
        )
        if not system.kept:
            return best
        kept = keep_in_domain(fold_all([u.text for u in best]), self.in_domain, self.keep, order=self.order)
        return [best[row] for row in np.sort(kept.positions)]
