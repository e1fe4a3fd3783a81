"""Stages that translate the in-domain source text with a trained translator, slot values in place or as entities."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from seedcorn.config import Settings
from seedcorn.corpus.utterances import Utterance
from seedcorn.files import writing_whole
from seedcorn.input_files import InputFile
from seedcorn.language.data import LanguageData, Transcripts
from seedcorn.language.nbest_lists import NBestLists
from seedcorn.language.translators import TranslatorFolder
from seedcorn.runs import Context, Stage
from seedcorn.translation.settings import EntitySettings, Treatment

if TYPE_CHECKING:
    from seedcorn.translation.in_parts import Part, Translated

_LISTS = "nbest.parquet"


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
        from seedcorn.translation.in_parts import TranslatePart

        translate = TranslatePart(
            folder=translator.folder, settings=EntitySettings(), random_seed=context.random_seed, n_best=self.n_best
        )
        return translate_in_parts([replace(u, slots=()) for u in data.source], translate, context=context)


class TranslateEntities(Stage[NBestLists]):
    """Translate all in-domain source text, slot values treated as ``entities`` says."""

    n_best: int = Field(10, ge=1)
    entities: Entities = Entities()

    def __call__(
        self, data: LanguageData, transcripts: Transcripts, translator: TranslatorFolder, *, context: Context
    ) -> NBestLists:
        """Return the n-best lists, each hypothesis with its slots."""
        from seedcorn.translation.entities import catalogue_of
        from seedcorn.translation.in_parts import TranslatePart

        catalogue = catalogue_of(transcripts.utterances)
        translate = TranslatePart(
            folder=translator.folder,
            settings=self.entities.where_known(catalogue, {s.type for u in data.source for s in u.slots}),
            random_seed=context.random_seed,
            catalogue=catalogue,
            lexicon=self.entities.spellings(),
            n_best=self.n_best,
        )
        return translate_in_parts(data.source, translate, context=context)


def translate_in_parts(
    utterances: Sequence[Utterance], translate: "Callable[[Part], Translated]", *, context: Context
) -> NBestLists:
    """Return the n-best lists of ``utterances`` and the rejects, each row with its position.

    Finished parts are kept with the checkpoints, so that a long translation goes on where it stopped.
    """
    from seedcorn.translation.in_parts import parts_of

    with context.working_folder() as working:
        folders = {part.number: working / f"part-{part.number}" for part in parts_of(utterances)}
        left = [part for part in parts_of(utterances) if not (folders[part.number] / _LISTS).exists()]
        for part, translated in zip(left, context.mapper(translate, left), strict=True):
            _write_part(NBestLists.of(*translated, first=part.first), folders[part.number])
        parts = [NBestLists.of([], []), *(NBestLists.load(folder) for folder in folders.values())]
    return NBestLists(
        lists=pa.concat_tables([p.lists for p in parts]), rejects=pa.concat_tables([p.rejects for p in parts])
    )


def _write_part(part: NBestLists, folder: Path) -> None:
    """Write the lists last and whole: they say that the part is done."""
    folder.mkdir(exist_ok=True)
    pq.write_table(part.rejects, folder / "rejects.parquet")
    with writing_whole(folder / _LISTS) as partial:
        pq.write_table(part.lists, partial)
