"""What a source of text is: settings, the results that its text is made from, and a call that makes it."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Self

import pyarrow as pa

from seedcorn.corpus.normalising import normalise_all
from seedcorn.corpus.pairs import PairCorpus
from seedcorn.corpus.scripts import scripts_of
from seedcorn.corpus.tables import read_texts, read_utterances, write_texts, write_utterances
from seedcorn.corpus.utterances import Utterance
from seedcorn.language.data import LanguageData, Transcripts
from seedcorn.language.nbest_lists import NBestLists, TranslationSet
from seedcorn.language.pairs import CleanPairs, SelectedPairs
from seedcorn.language.rescoring import TunedWeights
from seedcorn.language.translators import TranslatorFolder, TranslatorName
from seedcorn.lm.domain_model import DomainModel
from seedcorn.runs import Result, Stage, StageResult
from seedcorn.translation.settings import TRANSLATION_ORIGIN

_TRANSLITERATED_INTO = "DEVANAGARI"


@dataclass(frozen=True, kw_only=True)
class Texts:
    """Normalised text, and the utterances that it is the text of where those have intents or slots."""

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


class Source(Stage[Texts], ABC):
    """Base of all sources of text."""

    is_random: ClassVar[bool] = False
    label: ClassVar[str]
    """What reports call the text."""

    in_domain: ClassVar[bool] = False
    """Whether the text is what people would say: key terms are chosen from it."""

    source: str

    @property
    def name(self) -> str:
        """The name of the source and of what it is set to other than by default: a folder of its own for each."""
        changed = self.model_dump(mode="json", exclude={"source"}, exclude_defaults=True)
        return "-".join(["text", self.source, *_parts(changed)])

    @abstractmethod
    def needs(self, materials: Materials) -> tuple[Result[StageResult], ...]:
        """Return the results that the call takes, in order."""

    def translation_sets(self) -> Iterator[TranslationSet]:
        """Yield the n-best lists that the source is made from."""
        return iter(())


def _parts(settings: Mapping[str, object]) -> Iterator[str]:
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            yield from (f"{key}.{part}" for part in _parts(value))
        else:  # what is true, or a group as it is by default, needs no value
            yield key if value is True or value == {} else f"{key}={value}"


def target_side(pairs: PairCorpus) -> pa.ChunkedArray:
    """Return the target texts of ``pairs``."""
    return pa.chunked_array([batch.column("target") for batch in pairs.batches()], pa.string())


def transliterated(source: Sequence[str], *, target_lang: str) -> list[str]:
    """Return normalised ``source`` texts in the script of the target language; none where no table leads there."""
    from seedcorn.translation.transliteration import transliterate

    if _TRANSLITERATED_INTO not in scripts_of(target_lang):
        return []
    return normalise_all([transliterate(text) for text in source])
