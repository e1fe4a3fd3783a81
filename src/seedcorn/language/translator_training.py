"""The translators of a run, each trained from what it is named after, or taken over."""

from collections.abc import Mapping
from typing import TypeAlias

from seedcorn.language.back_translation import BackTranslate
from seedcorn.language.config import LanguagePipeline
from seedcorn.language.distillation import Distil
from seedcorn.language.texts import Materials
from seedcorn.language.translators import (
    GiveTranslator,
    SelfTrain,
    TrainTranslator,
    TranslatorFolder,
    TranslatorName,
)
from seedcorn.runs import Result, Run, StageResult

Training: TypeAlias = TrainTranslator | SelfTrain | BackTranslate | Distil
Trained: TypeAlias = dict[TranslatorName, Result[TranslatorFolder]]


def train_translators(run: Run, config: LanguagePipeline, known: Materials) -> Trained:
    """Train, or take over, the translators that the systems want."""
    wanted, settings, made = config.translators_used(), config.translators, Trained()
    if TranslatorName.ALL_PAIRS in wanted:
        training = settings.all_pairs or settings.selected
        made[TranslatorName.ALL_PAIRS] = train(run, training, known.data, known.pairs, name="translator-all_pairs")
    if wanted & {TranslatorName.SELECTED, TranslatorName.SELF_TRAINED, TranslatorName.BACK_TRANSLATED}:
        made[TranslatorName.SELECTED] = train(
            run, settings.selected, known.data, known.pairs, known.nearest, name="translator-selected"
        )
    if TranslatorName.SELF_TRAINED in wanted:
        made[TranslatorName.SELF_TRAINED] = train(
            run, config.self_training, known.data, known.transcripts, known.nearest, made[TranslatorName.SELECTED]
        )
    if TranslatorName.BACK_TRANSLATED in wanted:
        made[TranslatorName.BACK_TRANSLATED] = back_translate(run, config, known, made[TranslatorName.SELECTED])
    if TranslatorName.DISTILLED in wanted:
        made[TranslatorName.DISTILLED] = distil(run, settings.distillation, known, made)
    return made


def train(run: Run, stage: Training, *inputs: Result[StageResult], name: str = "") -> Result[TranslatorFolder]:
    """Train a translator on ``inputs``, or take over the one in the folder that the settings name."""
    if stage.folder is not None:
        return run.do(GiveTranslator(folder=stage.folder), name=name or stage.stage_name)
    return run.do(stage, *inputs, name=name)


def back_translate(
    run: Run, config: LanguagePipeline, known: Materials, translator: Result[TranslatorFolder]
) -> Result[TranslatorFolder]:
    """Train a translator of the other direction on the same pairs, and have both improve each other."""
    stage, reverse = config.translators.back_translation, config.translators.training_of_reverse()
    if stage.folder is not None:
        return train(run, stage)
    back = train(run, reverse, known.data, known.pairs, known.nearest)
    return train(run, stage, known.data, known.transcripts, known.nearest, translator, back)


def distil(
    run: Run, stage: Distil, known: Materials, made: Mapping[TranslatorName, Result[TranslatorFolder]]
) -> Result[TranslatorFolder]:
    """Have the student of those ``made`` learn from translations that are made elsewhere."""
    if stage.folder is not None:
        return train(run, stage)
    return train(run, stage, known.data, known.nearest, made[stage.student], known.nbest[stage.taught])
