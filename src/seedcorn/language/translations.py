"""Stages that translate the in-domain source text with a trained translator, slot values in place or as entities."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from seedcorn.config import Settings
from seedcorn.corpus.utterances import Utterance
from seedcorn.files import InputFile, writing_whole
from seedcorn.language.data import LanguageData, Transcripts
from seedcorn.language.nbest_lists import NBestLists
from seedcorn.language.translators import TranslatorFolder
from seedcorn.runs import Context, Stage
from seedcorn.translation.settings import (
    EntitySettings,
    Treatment,
)

if TYPE_CHECKING:
    from seedcorn.translation.entities import Candidates, Reject


Translated: TypeAlias = "tuple[list[Candidates], list[Reject]]"
SOURCES_PER_PART = 2_000


class Entities(EntitySettings):
    """The treatment of slot values; catalogue values are those of the transcripts' own slots.

    ``lexicon`` is a file of words and their spelling in the target script, for transliteration.
    """

    default: Treatment = Treatment.CATALOGUE
    lexicon: InputFile | None = None

    def spellings(self) -> dict[str, str]:
        """Return the user's spellings of words in the target script, none without a file of them."""
        from seedcorn.translation.transliteration import read_lexicon

        return {} if self.lexicon is None else read_lexicon(self.lexicon.path)


class Translation(Settings):
    """How in-domain source text becomes ``n_best`` target texts, and what becomes of slot values."""

    n_best: int = Field(10, ge=1)
    entities: Entities = Entities()


class TranslateSource(Stage[NBestLists]):
    """Translate all in-domain source text as plain text: slot values are translated as any other words."""

    is_random: ClassVar[bool] = False

    n_best: int = Field(10, ge=1)

    def __call__(self, data: LanguageData, translator: TranslatorFolder, *, context: Context) -> NBestLists:
        """Return the n-best lists."""
        from seedcorn.translation.entities import translate_utterances
        from seedcorn.translation.translator import load_translator

        loaded = load_translator(translator.folder)

        def translate(part: Sequence[Utterance], rng: np.random.Generator) -> Translated:
            return translate_utterances(part, loaded, settings=EntitySettings(), rng=rng, n_best=self.n_best)

        return translate_in_parts([replace(u, slots=()) for u in data.source], translate, context=context)


class TranslateEntities(Stage[NBestLists]):
    """Translate all in-domain source text, slot values treated as ``entities`` says."""

    n_best: int = Field(10, ge=1)
    entities: Entities = Entities()

    def __call__(
        self, data: LanguageData, transcripts: Transcripts, translator: TranslatorFolder, *, context: Context
    ) -> NBestLists:
        """Return the n-best lists, each hypothesis with its slots."""
        from seedcorn.translation.entities import catalogue_of, translate_utterances
        from seedcorn.translation.translator import load_translator

        loaded = load_translator(translator.folder)
        catalogue, lexicon = catalogue_of(transcripts.utterances), self.entities.spellings()
        settings = self.entities.where_known(catalogue, {s.type for u in data.source for s in u.slots})

        def translate(part: Sequence[Utterance], rng: np.random.Generator) -> Translated:
            return translate_utterances(
                part, loaded, settings=settings, rng=rng, catalogue=catalogue, lexicon=lexicon, n_best=self.n_best
            )

        return translate_in_parts(data.source, translate, context=context)


def translate_in_parts(
    utterances: Sequence[Utterance],
    translate: Callable[[Sequence[Utterance], np.random.Generator], Translated],
    *,
    context: Context,
) -> NBestLists:
    """Return the n-best lists of ``utterances`` and the rejects, each row with its position.

    Finished parts are kept with the checkpoints, so that a long translation goes on where it stopped. The randomness of
    a part follows from its number alone.
    """
    parts = [NBestLists.of([], [])]
    with context.working_folder() as working:
        for number, start in enumerate(range(0, len(utterances), SOURCES_PER_PART)):
            folder = working / f"part-{number}"
            if not (folder / "nbest.parquet").exists():
                folder.mkdir(exist_ok=True)
                part = utterances[start : start + SOURCES_PER_PART]
                translated = translate(part, np.random.default_rng([context.random_seed, number]))
                _write_part(NBestLists.of(*translated, first=start), folder)
            parts.append(NBestLists.load(folder))
    return NBestLists(
        lists=pa.concat_tables([p.lists for p in parts]), rejects=pa.concat_tables([p.rejects for p in parts])
    )


def _write_part(part: NBestLists, folder: Path) -> None:
    """Write the lists last and whole: they say that the part is done."""
    pq.write_table(part.rejects, folder / "rejects.parquet")
    with writing_whole(folder / "nbest.parquet") as partial:
        pq.write_table(part.lists, partial)
