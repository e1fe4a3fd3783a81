"""Systems of the pipeline: lists of sources of text, of which one language model is made."""

from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, Field

from seedcorn.language.sources import (
    AllGeneralText,
    DictionaryWords,
    GeneralText,
    OracleTarget,
    SlotVariants,
    SourceText,
    TranscribedText,
    Translations,
    TransliteratedSourceText,
)
from seedcorn.language.translators import TranslatorName
from seedcorn.translation.settings import KeepSettings


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
