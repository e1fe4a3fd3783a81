"""The translators of a run, each trained from the pairs that it is named after, or taken over."""

from seedcorn.language.back_translation import BackTranslate, TrainReverse
from seedcorn.language.config import LanguagePipeline
from seedcorn.language.pairs import SelectedPairs
from seedcorn.language.texts import Materials
from seedcorn.language.translators import GiveTranslator, SelfTrain, TrainTranslator, TranslatorFolder, TranslatorName
from seedcorn.runs import Result, Run


def train_translators(
    run: Run, config: LanguagePipeline, known: Materials
) -> dict[TranslatorName, Result[TranslatorFolder]]:
    """Train, or take over, the translators that the systems want, each from the pairs it is named after."""
    wanted = {translation_set.translator for translation_set in config.translation_sets()}
    settings, made = config.translators, dict[TranslatorName, Result[TranslatorFolder]]()

    def train(name: TranslatorName, stage: TrainTranslator, *chosen: Result[SelectedPairs]) -> None:
        if stage.folder is not None:
            made[name] = run.do(GiveTranslator(folder=stage.folder), name=f"translator-{name.value}")
        else:
            made[name] = run.do(stage, known.data, known.pairs, *chosen, name=f"translator-{name.value}")

    if TranslatorName.ALL_PAIRS in wanted:
        train(TranslatorName.ALL_PAIRS, settings.all_pairs or settings.selected)
    if {TranslatorName.SELECTED, TranslatorName.SELF_TRAINED, TranslatorName.BACK_TRANSLATED} & wanted:
        train(TranslatorName.SELECTED, settings.selected, known.nearest)
    if TranslatorName.SELF_TRAINED in wanted:
        made[TranslatorName.SELF_TRAINED] = (
            run.do(GiveTranslator(folder=given), name=SelfTrain.stage_name)
            if (given := settings.self_training.folder) is not None
            else run.do(
                config.self_training, known.data, known.transcripts, known.nearest, made[TranslatorName.SELECTED]
            )
        )
    if TranslatorName.BACK_TRANSLATED in wanted:
        made[TranslatorName.BACK_TRANSLATED] = back_translate(run, config, known, made[TranslatorName.SELECTED])
    return made


def back_translate(
    run: Run, config: LanguagePipeline, known: Materials, translator: Result[TranslatorFolder]
) -> Result[TranslatorFolder]:
    """Train a translator of the other direction on the same pairs, and have both improve each other."""
    stage, reverse = config.translators.back_translation, config.translators.training_of_reverse()
    if stage.folder is not None:
        return run.do(GiveTranslator(folder=stage.folder), name=BackTranslate.stage_name)
    if reverse.folder is not None:
        back = run.do(GiveTranslator(folder=reverse.folder), name=TrainReverse.stage_name)
    else:
        back = run.do(reverse, known.data, known.pairs, known.nearest)
    return run.do(stage, known.data, known.transcripts, known.nearest, translator, back)
