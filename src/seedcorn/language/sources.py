"""Where the text of a language model comes from: one class a technique. A system of the pipeline is a list of them.

A new technique is a subclass of Source with a name of its own in ``source``, added to ``AnySource`` below: its settings
are what a configuration may say of it, ``needs`` which results it is made from, and its call makes the text.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self, TypeAlias

import numpy as np
import pyarrow as pa
from pydantic import BeforeValidator, Field

from seedcorn.corpus.normalising import normalise_all
from seedcorn.corpus.pair_cleaning import scripts_of
from seedcorn.corpus.pairs import PairCorpus
from seedcorn.corpus.tables import read_texts, read_utterances, write_texts, write_utterances
from seedcorn.corpus.templates import resample_slot_values
from seedcorn.corpus.utterances import Utterance
from seedcorn.language.data import LanguageData, Transcripts
from seedcorn.language.pairs import CleanPairs, SelectedPairs
from seedcorn.language.translations import NBestLists, TranslationSet, TunedWeights
from seedcorn.language.translators import TranslatorFolder, TranslatorName
from seedcorn.lm.domain_model import DomainModel
from seedcorn.progress import say
from seedcorn.runs import Context, Result, Stage, StageResult
from seedcorn.translation.choosing import best_translations, keep_in_domain
from seedcorn.translation.settings import NO_RESCORING, TRANSLATION_ORIGIN, KeepSettings

N_SLOT_VARIANTS = 20
_TRANSLITERATED_INTO = "DEVANAGARI"


@dataclass(frozen=True, kw_only=True)
class Texts:
    """Folded text, and the utterances that it is the text of where those have intents or slots."""

    normalised: list[str]
    utterances: list[Utterance] = field(default_factory=list)

    @classmethod
    def of(cls, utterances: Sequence[Utterance]) -> Self:
        """Return the text of ``utterances``."""
        return cls(normalised=normalise_all([u.text for u in utterances]), utterances=list(utterances))

    def translated(self) -> list[Utterance]:
        """Return the utterances that are translations."""
        return [u for u in self.utterances if u.origin == TRANSLATION_ORIGIN]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many sentences there are."""
        return {"n_sentences": len(self.normalised)}

    def save(self, folder: Path) -> None:
        """Write both as Parquet."""
        write_texts(self.normalised, folder / "texts.parquet")
        write_utterances(self.utterances, folder / "utterances.parquet")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote."""
        utterances = read_utterances(folder / "utterances.parquet")
        return cls(normalised=read_texts(folder / "texts.parquet"), utterances=utterances)


@dataclass(frozen=True, kw_only=True)
class Materials:
    """The results that text can be made from."""

    data: Result[LanguageData]
    transcripts: Result[Transcripts]
    pairs: Result[CleanPairs]
    nearest: Result[SelectedPairs]
    domain: Result[DomainModel]
    translators: Mapping[TranslatorName, Result[TranslatorFolder]] = field(default_factory=dict)
    nbest: Mapping[TranslationSet, Result[NBestLists]] = field(default_factory=dict)
    weights: Mapping[tuple[TranslationSet, int], Result[TunedWeights]] = field(default_factory=dict)


class Source(Stage[Texts]):
    """Base of all sources of text."""

    is_random: ClassVar[bool] = False
    label: ClassVar[str]
    """What reports call the text."""

    source: str

    @property
    def name(self) -> str:
        """The name of the source and of what it is set to other than by default: a folder of its own for each."""
        changed = self.model_dump(mode="json", exclude={"source"}, exclude_defaults=True)
        return "-".join(["text", self.source, *_parts(changed)])

    def needs(self, materials: Materials) -> tuple[Result[StageResult], ...]:
        """Return the results that the call takes, in order."""
        raise NotImplementedError

    def translation_sets(self) -> Iterator[TranslationSet]:
        """Yield the n-best lists that the source is made from."""
        return iter(())


def _parts(settings: Mapping[str, object]) -> Iterator[str]:
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            yield from (f"{key}.{part}" for part in _parts(value))
        else:  # what is true, or a group as it is by default, needs no value
            yield key if value is True or value == {} else f"{key}={value}"


class TranscribedText(Source):
    """The transcripts."""

    label: ClassVar[str] = "transcripts"
    source: Literal["transcripts"] = "transcripts"

    def needs(self, materials: Materials) -> tuple[Result[StageResult], ...]:
        """Take the transcripts."""
        return (materials.transcripts,)

    def __call__(self, transcripts: Transcripts, *, context: Context) -> Texts:
        """Return them normalised."""
        return Texts.of(transcripts.utterances)


class SlotVariants(Source):
    """Variants of the transcripts that have slots, their slot values resampled from all of their type."""

    is_random: ClassVar[bool] = True
    label: ClassVar[str] = "slot variants"
    source: Literal["slot_variants"] = "slot_variants"
    n_variants: int = Field(N_SLOT_VARIANTS, ge=1)

    def needs(self, materials: Materials) -> tuple[Result[StageResult], ...]:
        """Take the transcripts."""
        return (materials.transcripts,)

    def __call__(self, transcripts: Transcripts, *, context: Context) -> Texts:
        """Return ``n_variants`` of each transcript that has slots."""
        seen = transcripts.utterances
        if not any(u.slots for u in seen):
            say(f"none of {len(seen):,} transcripts has slots: there are no slot variants")
        return Texts.of(resample_slot_values(seen, n_variants=self.n_variants, rng=context.rng()))


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
    source: Literal["translations"] = "translations"
    translator: TranslatorName = TranslatorName.SELECTED
    entities: bool = False
    n_hypotheses: int = Field(1, ge=1)
    rescored: bool = False
    kept: Annotated[KeepSettings | None, BeforeValidator(_or_default)] = None

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
        source = normalise_all([u.text for u in data.source])
        return Texts(normalised=transliterated(source, target_lang=data.target_lang))


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


def _from_name(value: object) -> object:
    """Let the name of a source stand for the source as it is by default."""
    return {"source": value} if isinstance(value, str) else value


AnySource: TypeAlias = Annotated[
    Annotated[
        TranscribedText
        | SlotVariants
        | GeneralText
        | AllGeneralText
        | DictionaryWords
        | Translations
        | SourceText
        | TransliteratedSourceText
        | OracleTarget,
        Field(discriminator="source"),
    ],
    BeforeValidator(_from_name),
]
System: TypeAlias = Annotated[tuple[AnySource, ...], Field(min_length=1)]


def default_systems() -> dict[str, tuple[AnySource, ...]]:
    """Return the ablation of one run: what each step adds to transcripts and general text, and all of them together."""
    known: tuple[AnySource, ...] = (TranscribedText(), GeneralText())
    further: tuple[AnySource, ...] = (AllGeneralText(), DictionaryWords())
    self_trained = TranslatorName.SELF_TRAINED
    full = Translations(translator=self_trained, entities=True, rescored=True, kept=KeepSettings())
    return {
        "transcripts": (TranscribedText(),),
        "general text": known,
        "raw translations": (*known, Translations()),
        "self-training": (*known, Translations(translator=self_trained)),
        "rescoring": (*known, Translations(rescored=True)),
        "keep/reject": (*known, Translations(kept=KeepSettings())),
        "entities": (*known, Translations(entities=True)),
        "slot variants": (TranscribedText(), SlotVariants(), GeneralText()),
        "all general text": (*known, *further),
        "code-switching": (*known, Translations(), SourceText(), TransliteratedSourceText()),
        "all": (TranscribedText(), SlotVariants(), GeneralText(), *further, full),
    }


def target_side(pairs: PairCorpus) -> pa.ChunkedArray:
    """Return the target texts of ``pairs``."""
    return pa.chunked_array([batch.column("target") for batch in pairs.batches()], pa.string())


def transliterated(source: Sequence[str], *, target_lang: str) -> list[str]:
    """Return normalised ``source`` texts in the script of the target language; none where no table leads there."""
    from seedcorn.translation.transliteration import transliterate

    if _TRANSLITERATED_INTO not in scripts_of(target_lang):
        return []
    return normalise_all([transliterate(text) for text in source])
