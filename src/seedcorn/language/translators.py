"""Translators: trained on pairs, trained further on their own translations, or taken over."""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from pydantic import Field, TypeAdapter

from seedcorn.corpus.normalising import normalise_all
from seedcorn.corpus.pair_cleaning import take_pairs
from seedcorn.corpus.pairs import PairCorpus, SentencePair
from seedcorn.files import write_json
from seedcorn.input_files import InputFile
from seedcorn.language.data import LanguageData, Transcripts
from seedcorn.language.pairs import CleanPairs, SelectedPairs
from seedcorn.lm.domain_model import estimate_texts
from seedcorn.runs import Context, Stage
from seedcorn.translation.placeholders import add_placeholders
from seedcorn.translation.settings import RescoringWeights, SelfTrainingSettings, TrainingSettings

_N_HELD_OUT = 400


class TranslatorName(StrEnum):
    """Which translator translations come from."""

    ALL_PAIRS = "all_pairs"  # trained on all clean pairs
    SELECTED = "selected"  # trained on the pairs nearest to the transcripts
    SELF_TRAINED = "self_trained"  # the selected one, trained further on its own in-domain translations
    BACK_TRANSLATED = "back_translated"  # the selected one, trained further on transcripts translated back
    DISTILLED = "distilled"  # another one, trained further on translations that are made elsewhere
    GIVEN = "given"  # whoever made the translations in a file
    ENDPOINT = "endpoint"  # a model at an OpenAI-compatible server


MADE_ELSEWHERE = frozenset({TranslatorName.GIVEN, TranslatorName.ENDPOINT})
"""Translators that are not trained here."""


@dataclass(frozen=True, kw_only=True)
class TranslatorFolder:
    """A trained translator: its folder, and what its training took and reached."""

    folder: Path
    counts: Mapping[str, int]
    training: Mapping[str, float | Mapping[str, float] | Sequence[float]]

    def save(self, folder: Path) -> None:
        """Copy the translator; a full disk ends it at the first file that finds no room."""
        for file in sorted(path for path in self.folder.rglob("*") if path.is_file() and path.name != "record.json"):
            target = folder / file.relative_to(self.folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
        write_json(dict(self.training), folder / "training.json")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the translator in ``folder``."""
        path = folder / "training.json"
        trained = TypeAdapter(dict[str, float | dict[str, float] | list[float]])
        return cls(folder=folder, counts={}, training=trained.validate_json(path.read_bytes()) if path.exists() else {})

    @property
    def dev_chrf(self) -> float | None:
        """The chrF on dev of the translator, None where it was not trained here."""
        once, by_round = self.training.get("dev_chrf"), self.training.get("dev_chrf_by_round")
        if isinstance(once, float):
            return once
        return max(by_round) if isinstance(by_round, Sequence) else None


class GiveTranslator(Stage[TranslatorFolder]):
    """Take over a translator that was trained before."""

    is_random: ClassVar[bool] = False

    folder: InputFile

    def __call__(self, *, context: Context) -> TranslatorFolder:
        """Return the translator. Raises DataError when there is none in the folder."""
        from seedcorn.translation.translator import load_translator

        load_translator(self.folder.path)
        n_files = sum(1 for path in self.folder.path.rglob("*") if path.is_file())
        return replace(TranslatorFolder.load(self.folder.path), counts={"n_files": n_files})


class TrainTranslator(TrainingSettings, Stage[TranslatorFolder]):
    """Train a translator; in ``placeholder_fraction`` of the pairs words become slot placeholders, which it learns.

    ``folder`` is a translator that was trained before, to be taken instead.
    """

    folder: InputFile | None = None
    placeholder_fraction: float = Field(0.25, ge=0, le=1)

    def sides(self, pairs: PairCorpus) -> PairCorpus:
        """Return ``pairs`` in the direction that is learnt."""
        return pairs

    def __call__(
        self, data: LanguageData, clean: CleanPairs, selected: SelectedPairs | None = None, *, context: Context
    ) -> TranslatorFolder:
        """Return the translator of the ``selected`` pairs, or of all clean ones, and the dictionary."""
        from seedcorn.translation.training import train_translator

        pairs, dev = held_out(clean.pairs if selected is None else selected.pairs, data.dev_pairs())
        working = lasting_folder(context)
        learnt = add_placeholders(
            self.sides(pairs),
            self.sides(clean.dictionary),
            pair_fraction=self.placeholder_fraction,
            random_seed=context.random_seed,
        )
        trained = train_translator(
            learnt,
            self.sides(PairCorpus.from_pairs(dev)).pairs(),
            working / "translator",
            settings=self,
            checkpoints=working / "checkpoints",
            random_seed=context.random_seed,
        )
        n_used = {"n_steps": trained.n_steps, "n_target_tokens": trained.n_target_tokens}
        by_step = {str(step): value for step, value in trained.dev_chrf_by_step.items()}
        return TranslatorFolder(
            folder=trained.folder,
            counts={"n_pairs": pairs.count(), **n_used},
            training={"dev_chrf": trained.dev_chrf, "dev_chrf_by_step": by_step},
        )


def lasting_folder(context: Context) -> Path:
    """Return the folder of the checkpoints, or a new one where there is none, that outlives the call."""
    folder = context.checkpoints or Path(tempfile.mkdtemp(prefix="seedcorn-"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def held_out(pairs: PairCorpus, dev: list[SentencePair]) -> tuple[PairCorpus, list[SentencePair]]:
    """Return the training pairs and the dev pairs; without given ones, some of the training pairs are held out."""
    if dev:
        return pairs, dev
    n_pairs = pairs.count()
    rows = np.linspace(0, n_pairs - 1, min(_N_HELD_OUT, max(n_pairs // 10, 1))).astype(np.int64)
    return take_pairs(pairs, np.setdiff1d(np.arange(n_pairs), rows)), take_pairs(pairs, rows).pairs()


class SelfTrain(SelfTrainingSettings, Stage[TranslatorFolder]):
    """Go on training a translator on its own translations of in-domain text, while dev chrF rises.

    ``order`` is that of the language model of the transcripts, which has its say where ``weights.lm`` is not 0.
    """

    stage_name: ClassVar[str] = "translator-self_trained"

    folder: InputFile | None = None
    weights: RescoringWeights = RescoringWeights(lm=0.3)
    order: int = Field(3, ge=1, le=6)

    def __call__(
        self,
        data: LanguageData,
        transcripts: Transcripts,
        selected: SelectedPairs,
        translator: TranslatorFolder,
        *,
        context: Context,
    ) -> TranslatorFolder:
        """Return the best translator of all rounds, the first one included."""
        from seedcorn.translation.self_training import self_train

        pairs, dev = held_out(selected.pairs, data.dev_pairs())
        seen = _spoken(transcripts.texts)
        found = self_train(
            translator.folder,
            _spoken([u.text for u in data.source]),
            pairs,
            dev,
            lasting_folder(context),
            settings=self,
            random_seed=context.random_seed,
            lm=estimate_texts(seen, order=self.order) if self.weights.lm else None,
        )
        history = found.dev_chrf_by_round
        return TranslatorFolder(
            folder=found.folder, counts={"n_rounds": len(history) - 1}, training={"dev_chrf_by_round": history}
        )


def _spoken(texts: Sequence[str]) -> list[str]:
    """Return texts as they are spoken and as translators are trained: normalised, empty ones left out."""
    return [text for text in normalise_all(texts) if text]
