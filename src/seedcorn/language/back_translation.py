"""Stages of back-translation: a translator of the other direction, and both improving each other in turn."""

from typing import ClassVar

import numpy as np
from pydantic import Field

from seedcorn.corpus.pair_cleaning import swapped
from seedcorn.corpus.pairs import PairCorpus, SentencePair
from seedcorn.corpus.templates import resample_slot_values
from seedcorn.input_files import InputFile
from seedcorn.language.data import LanguageData, Transcripts
from seedcorn.language.pairs import SelectedPairs
from seedcorn.language.translators import TrainTranslator, TranslatorFolder, held_out, lasting_folder
from seedcorn.runs import Context, Stage
from seedcorn.translation.settings import BackTranslationSettings


class TrainReverse(TrainTranslator):
    """Train a translator from the target into the source language, on the same pairs the other way round."""

    stage_name: ClassVar[str] = "translator-reverse"

    def sides(self, pairs: PairCorpus) -> PairCorpus:
        """Return ``pairs`` the other way round."""
        return swapped(pairs)


class BackTranslate(BackTranslationSettings, Stage[TranslatorFolder]):
    """Improve a translator by the transcripts translated back, and its reverse by the source text, while dev rises.

    ``n_slot_variants`` variants of each transcript with slots, values resampled, count as transcripts. ``folder`` is a
    translator that was improved before, to be taken instead.
    """

    stage_name: ClassVar[str] = "translator-back_translated"

    folder: InputFile | None = None
    n_slot_variants: int = Field(5, ge=0)

    def __call__(
        self,
        data: LanguageData,
        transcripts: Transcripts,
        selected: SelectedPairs,
        translator: TranslatorFolder,
        reverse: TranslatorFolder,
        *,
        context: Context,
    ) -> TranslatorFolder:
        """Return the best translator of all rounds, the first one included."""
        from seedcorn.translation.back_translation import Direction, back_translate

        pairs, dev = held_out(selected.pairs, data.dev_pairs())
        rng = np.random.default_rng(context.random_seed)
        variants = resample_slot_values(transcripts.utterances, n_variants=self.n_slot_variants, rng=rng)
        texts = [*transcripts.texts, *(variant.text for variant in variants)]
        turned = [SentencePair(source=pair.target, target=pair.source, id=pair.id) for pair in dev]
        found = back_translate(
            Direction(folder=translator.folder, texts=texts, dev=dev),
            Direction(folder=reverse.folder, texts=[u.text for u in data.source], dev=turned),
            pairs,
            lasting_folder(context),
            settings=self,
            random_seed=context.random_seed,
        )
        history, of_reverse = found.dev_chrf_by_round, found.reverse_dev_chrf_by_round
        return TranslatorFolder(
            folder=found.folder,
            counts={"n_rounds": len(history) - 1},
            training={"dev_chrf_by_round": history, "reverse_dev_chrf_by_round": of_reverse},
        )
