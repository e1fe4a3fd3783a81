"""The stage in which a translator learns from translations that are made elsewhere."""

from typing import ClassVar, Literal

from seedcorn.input_files import InputFile
from seedcorn.language.data import LanguageData
from seedcorn.language.nbest_lists import NBestLists, TranslationSet
from seedcorn.language.pairs import SelectedPairs
from seedcorn.language.translators import TranslatorFolder, TranslatorName, held_out, lasting_folder
from seedcorn.runs import Context, Stage
from seedcorn.translation.settings import DistillationSettings

Teacher = Literal[TranslatorName.GIVEN, TranslatorName.ENDPOINT]
Student = Literal[TranslatorName.SELECTED, TranslatorName.SELF_TRAINED, TranslatorName.BACK_TRANSLATED]


class Distil(DistillationSettings, Stage[TranslatorFolder]):
    """Go on training the ``student`` on what the ``teacher`` made of the source text, kept if dev chrF rises.

    The teacher may have translated a part of it only: the student translates all. ``folder`` is a translator that was
    trained before, to be taken instead.
    """

    stage_name: ClassVar[str] = "translator-distilled"

    folder: InputFile | None = None
    teacher: Teacher = TranslatorName.GIVEN
    student: Student = TranslatorName.SELECTED

    @property
    def taught(self) -> TranslationSet:
        """The n-best lists that are learnt from."""
        return TranslationSet(self.teacher, entities=False)

    def __call__(
        self,
        data: LanguageData,
        selected: SelectedPairs,
        translator: TranslatorFolder,
        taught: NBestLists,
        *,
        context: Context,
    ) -> TranslatorFolder:
        """Return the better translator, the student before or after."""
        from seedcorn.translation.distillation import distil, taught_pairs

        pairs, dev = held_out(selected.pairs, data.dev_pairs())
        learnt = taught_pairs((c.nbest for c in taught.candidates(data.source)), n_hypotheses=self.n_hypotheses)
        found = distil(
            translator.folder,
            learnt,
            pairs,
            dev,
            lasting_folder(context) / "student",
            settings=self,
            random_seed=context.random_seed,
        )
        return TranslatorFolder(
            folder=found.folder,
            counts={"n_pairs": len(learnt)},
            training={"dev_chrf_by_round": found.dev_chrf_by_round},
        )
