"""Where the text of a language model comes from: one class a technique. A system of the pipeline is a list of them.

A new technique is a subclass of Source with a name of its own in ``source``, added to ``AnySource`` in
language.systems: its settings are what a configuration may say of it, ``needs`` which results it is made from, and its
call makes the text.
"""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from seedcorn.corpus.normalising import normalise_all
from seedcorn.corpus.templates import resample_slot_values
from seedcorn.language.data import LanguageData, Transcripts
from seedcorn.language.nbest_lists import NBestLists, TranslationSet
from seedcorn.language.pairs import CleanPairs, SelectedPairs
from seedcorn.language.rescoring import TunedWeights
from seedcorn.language.texts import Materials, Source, Texts, target_side, transliterated
from seedcorn.language.translators import MADE_ELSEWHERE, TranslatorName
from seedcorn.lm.domain_model import DomainModel
from seedcorn.progress import say
from seedcorn.runs import Context, Result, StageResult
from seedcorn.translation.choosing import best_translations, keep_in_domain
from seedcorn.translation.settings import NO_RESCORING, KeepSettings
from seedcorn.translation.spoken_values import spoken_values_of

N_SLOT_VARIANTS = 20


class TranscribedText(Source):
    """The transcripts."""

    label: ClassVar[str] = "transcripts"
    in_domain: ClassVar[bool] = True
    source: Literal["transcripts"] = "transcripts"

    def needs(self, materials: Materials) -> tuple[Result[StageResult], ...]:
        """Take the transcripts."""
        return (materials.transcripts,)

    def __call__(self, transcripts: Transcripts, *, context: Context) -> Texts:
        """Return them normalised."""
        return Texts.of(transcripts.utterances)


class SlotVariants(Source):
    """Variants of the transcripts that have slots, their slot values resampled from all of their type.

    With ``spoken_values`` the numbers, times, dates and amounts in slots of the source text are values too, said by
    rule in the target language.
    """

    is_random: ClassVar[bool] = True
    label: ClassVar[str] = "slot variants"
    source: Literal["slot_variants"] = "slot_variants"
    n_variants: int = Field(N_SLOT_VARIANTS, ge=1)
    spoken_values: bool = False

    def needs(self, materials: Materials) -> tuple[Result[StageResult], ...]:
        """Take the transcripts, and the data where their values are said."""
        return (materials.transcripts, materials.data) if self.spoken_values else (materials.transcripts,)

    def __call__(self, transcripts: Transcripts, data: LanguageData | None = None, *, context: Context) -> Texts:
        """Return ``n_variants`` of each transcript that has slots."""
        seen, rng = transcripts.utterances, context.rng()
        if not any(u.slots for u in seen):
            say(f"none of {len(seen):,} transcripts has slots: there are no slot variants")
        said = (
            {}
            if data is None
            else spoken_values_of(data.source, source_lang=data.source_lang, target_lang=data.target_lang, rng=rng)
        )
        return Texts.of(resample_slot_values(seen, n_variants=self.n_variants, rng=rng, further_values=said))


class GeneralText(Source):
    """The target side of the selected pairs."""

    label: ClassVar[str] = "general"
    source: Literal["general"] = "general"

    def needs(self, materials: Materials) -> tuple[Result[StageResult], ...]:
        """Take the selected pairs."""
        return (materials.nearest,)

    def __call__(self, nearest: SelectedPairs, *, context: Context) -> Texts:
        """Return it normalised."""
        return Texts(normalised=normalise_all(target_side(nearest.pairs)))


class AllGeneralText(Source):
    """The target side of all clean pairs: further words."""

    label: ClassVar[str] = "all general"
    source: Literal["all_general"] = "all_general"

    def needs(self, materials: Materials) -> tuple[Result[StageResult], ...]:
        """Take the clean pairs."""
        return (materials.pairs,)

    def __call__(self, clean: CleanPairs, *, context: Context) -> Texts:
        """Return it normalised."""
        return Texts(normalised=normalise_all(target_side(clean.pairs)))


class DictionaryWords(Source):
    """The target side of the dictionary: further words."""

    label: ClassVar[str] = "dictionary"
    source: Literal["dictionary"] = "dictionary"

    def needs(self, materials: Materials) -> tuple[Result[StageResult], ...]:
        """Take the clean pairs."""
        return (materials.pairs,)

    def __call__(self, clean: CleanPairs, *, context: Context) -> Texts:
        """Return it normalised."""
        return Texts(normalised=normalise_all(target_side(clean.dictionary)))


def _or_default(value: object) -> object:
    """Let true stand for keep/reject as it is by default, and false for none."""
    return ({} if value else None) if isinstance(value, bool) else value


class Translations(Source):
    """Translations of the in-domain source text.

    Slot values are treated as ``translation.entities`` says, or in place without ``entities``; the best
    ``n_hypotheses`` of each utterance are taken after rescoring, or the translator's own; all of them, or those
    ``kept`` by keep/reject (``true`` for its default).
    """

    label: ClassVar[str] = "translations"
    in_domain: ClassVar[bool] = True
    source: Literal["translations"] = "translations"
    translator: TranslatorName = TranslatorName.SELECTED
    entities: bool = False
    n_hypotheses: int = Field(1, ge=1)
    rescored: bool = False
    kept: Annotated[KeepSettings | None, BeforeValidator(_or_default)] = None

    @model_validator(mode="after")
    def _has_entities(self) -> Self:
        if self.entities and self.translator in MADE_ELSEWHERE:
            raise ValueError(f"translations of '{self.translator.value}' are taken as they are: leave entities out")
        return self

    def translation_sets(self) -> Iterator[TranslationSet]:
        """Yield the one set that the translations are of."""
        yield TranslationSet(self.translator, self.entities)

    def needs(self, materials: Materials) -> tuple[Result[StageResult], ...]:
        """Take the n-best lists and what is known of the domain, with the weights if rescored."""
        (wanted,) = self.translation_sets()
        made = (materials.data, materials.nbest[wanted], materials.domain)
        return (*made, materials.weights[wanted, self.n_hypotheses]) if self.rescored else made

    def __call__(
        self,
        data: LanguageData,
        nbest: NBestLists,
        domain: DomainModel,
        tuned: TunedWeights | None = None,
        *,
        context: Context,
    ) -> Texts:
        """Return the translations, with intents and slots, in the order of the source text."""
        best = best_translations(
            nbest.candidates(data.source),
            domain,
            NO_RESCORING if tuned is None else tuned.weights,
            n_hypotheses=self.n_hypotheses,
            lang=data.target_lang,
        )
        if self.kept is None:
            return Texts.of(best)
        kept = keep_in_domain(normalise_all([u.text for u in best]), domain, self.kept)
        return Texts.of([best[row] for row in np.sort(kept.positions)])


class SourceText(Source):
    """The in-domain source text as it is: what is said in the source language."""

    label: ClassVar[str] = "source text"
    source: Literal["source_text"] = "source_text"

    def needs(self, materials: Materials) -> tuple[Result[StageResult], ...]:
        """Take the data."""
        return (materials.data,)

    def __call__(self, data: LanguageData, *, context: Context) -> Texts:
        """Return it normalised."""
        return Texts(normalised=normalise_all([u.text for u in data.source]))


class TransliteratedSourceText(Source):
    """The in-domain source text in the script of the target language, where that is Devanagari."""

    label: ClassVar[str] = "transliterated source text"
    source: Literal["transliterated_source_text"] = "transliterated_source_text"

    def needs(self, materials: Materials) -> tuple[Result[StageResult], ...]:
        """Take the data."""
        return (materials.data,)

    def __call__(self, data: LanguageData, *, context: Context) -> Texts:
        """Return it normalised; nothing where no table leads to the script."""
        return Texts(
            normalised=transliterated(normalise_all([u.text for u in data.source]), target_lang=data.target_lang)
        )


class OracleTarget(Source):
    """The true translations of the source text: an oracle."""

    label: ClassVar[str] = "oracle target"
    source: Literal["oracle_target"] = "oracle_target"

    def needs(self, materials: Materials) -> tuple[Result[StageResult], ...]:
        """Take the data."""
        return (materials.data,)

    def __call__(self, data: LanguageData, *, context: Context) -> Texts:
        """Return them normalised."""
        return Texts(normalised=normalise_all([u.text for u in data.oracle_target]))
