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
        selected = train(run, settings.selected, known.data, known.pairs, known.nearest, name="translator-selected")
        made[TranslatorName.SELECTED] = selected
        if wanted & {TranslatorName.SELF_TRAINED, TranslatorName.BACK_TRANSLATED}:
            made |= improve(run, config, known, selected)
    if TranslatorName.DISTILLED in wanted:
        made[TranslatorName.DISTILLED] = distil(run, settings.distillation, known, made)
    return made


def train(run: Run, stage: Training, *inputs: Result[StageResult], name: str = "") -> Result[TranslatorFolder]:
    """Train a translator on ``inputs``, or take over the one in the folder that the settings name."""
    if stage.folder is not None:
        return run.do(GiveTranslator(folder=stage.folder), name=name or stage.stage_name)
    return run.do(stage, *inputs, name=name)


def improve(run: Run, config: LanguagePipeline, known: Materials, selected: Result[TranslatorFolder]) -> Trained:
    """Go on training the ``selected`` translator as the systems want, beside its pairs or the less noisy of them."""
    wanted, settings, made = config.translators_used(), config.translators, Trained()
    pairs, inputs = known.nearest, (known.data, known.transcripts)
    back_translates = TranslatorName.BACK_TRANSLATED in wanted and settings.back_translation.folder is None
    if back_translates or settings.noise is not None:
        reverse = train(run, settings.training_of_reverse(), known.data, known.pairs, known.nearest)
    if settings.noise is not None:
        pairs = run.do(settings.noise, known.nearest, selected, reverse)
    if TranslatorName.SELF_TRAINED in wanted:
        made[TranslatorName.SELF_TRAINED] = train(run, config.self_training, *inputs, pairs, selected)
    if back_translates:
        made[TranslatorName.BACK_TRANSLATED] = train(run, settings.back_translation, *inputs, pairs, selected, reverse)
    elif TranslatorName.BACK_TRANSLATED in wanted:
        made[TranslatorName.BACK_TRANSLATED] = train(run, settings.back_translation)
    return made


def distil(
    run: Run, stage: Distil, known: Materials, made: Mapping[TranslatorName, Result[TranslatorFolder]]
) -> Result[TranslatorFolder]:
    """Have the student of those ``made`` learn from translations that are made elsewhere, beside the selected pairs."""
    if stage.folder is not None:
        return train(run, stage)
    return train(run, stage, known.data, known.nearest, made[stage.student], known.nbest[stage.taught])
