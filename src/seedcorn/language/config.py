"""The configuration of the language pipeline: its sections are the stages."""

import re
from collections.abc import Mapping
from typing import Self

from pydantic import Field, field_validator, model_validator

from seedcorn.config import Settings
from seedcorn.engines.settings import EngineSettings
from seedcorn.language.annotation import ChooseToTranscribe, ChooseToTranslate
from seedcorn.language.back_translation import BackTranslate, TrainReverse
from seedcorn.language.data import DrawTranscripts, ReadLanguageData
from seedcorn.language.distillation import Distil
from seedcorn.language.key_terms import ChooseKeyTerms
from seedcorn.language.models import EstimateDomain, EstimateText, MixModels
from seedcorn.language.nbest_lists import TranslationSet
from seedcorn.language.outside_translations import AskEndpoint, GivenTranslations
from seedcorn.language.pair_noise import DropNoisyPairs
from seedcorn.language.pairs import CleanPairFiles, SelectPairs
from seedcorn.language.posteriors import SynthesiseSpeech
from seedcorn.language.recogniser import Decoder, Recogniser, TuneDecoder, Tuning
from seedcorn.language.rescoring import TuneRescoring
from seedcorn.language.sources import OracleTarget, Translations
from seedcorn.language.systems import AnySource, System, default_systems
from seedcorn.language.translations import TranslateEntities, TranslateSource, Translation
from seedcorn.language.translators import MADE_ELSEWHERE, SelfTrain, TrainTranslator, TranslatorName


def folder_name(system: str) -> str:
    """Return the name of ``system`` as a folder can have it."""
    return re.sub(r"[^\w-]+", "-", system)


class LanguageModels(Settings):
    """Order of the n-grams, and to how many n-grams a finished model is pruned (not at all when not given).

    The texts of the reported system are ``chosen_on_dev``: it has its first one and those that lower the perplexity of
    dev beyond chance, as no text that hurts should be in the model that is exported. Other systems have all of theirs.
    """

    order: int = Field(3, ge=1, le=6)
    n_ngrams: int | None = Field(None, ge=1)
    chosen_on_dev: bool = True


class Translators(Settings):
    """The translators that systems choose from.

    ``all_pairs`` and ``reverse`` are trained as ``selected`` is where they are not set. ``given`` are translations that
    whoever made elsewhere, ``endpoint`` a model at a server; what is theirs is rescored, kept or rejected, and measured
    as our own translations are; by ``distillation`` a translator of ours learns from them. Where ``noise`` is set,
    self-training and back-translation leave out the pairs that the selected translator and its reverse find noisy.
    """

    selected: TrainTranslator = TrainTranslator()
    all_pairs: TrainTranslator | None = None
    self_training: SelfTrain = SelfTrain()
    reverse: TrainReverse | None = None
    noise: DropNoisyPairs | None = None
    back_translation: BackTranslate = BackTranslate()
    distillation: Distil = Distil()
    given: GivenTranslations | None = None
    endpoint: AskEndpoint | None = None

    def training_of_reverse(self) -> TrainReverse:
        """Return how the translator of the other direction is trained."""
        return self.reverse or TrainReverse.model_validate(self.selected.model_dump(exclude={"folder"}))


class LanguagePipeline(EngineSettings):
    """What runs and studies of the language pipeline have in common.

    A system is a list of sources of text; of its text a language model is made. ``baseline`` is what all are compared
    with, by default the first system; ``reported`` the one whose changes are shown and that is exported, by default the
    last (``export_all``: every system is); of its in-domain text ``key_terms`` are chosen, where set. What people
    should do next are the source requests ``to_translate``, chosen by the reported system's translations, and the
    recordings ``to_transcribe``. With the recogniser "none" language models are made and measured by perplexity alone.
    The command line with several threads makes the posteriors of dev and test in a process of its own meanwhile.
    """

    data: ReadLanguageData
    pair_selection: SelectPairs = SelectPairs()
    translators: Translators = Translators()
    translation: Translation = Translation()
    rescoring: TuneRescoring = TuneRescoring()
    language_model: LanguageModels = LanguageModels()
    systems: Mapping[str, System] = default_systems()
    baseline: str = ""
    reported: str = ""
    export_all: bool = False
    key_terms: ChooseKeyTerms | None = None
    to_translate: ChooseToTranslate | None = ChooseToTranslate()
    to_transcribe: ChooseToTranscribe | None = None
    recogniser: Recogniser | None = Recogniser(test_bed=SynthesiseSpeech())

    @field_validator("recogniser", mode="before")
    @classmethod
    def _none(cls, value: object) -> object:
        return None if value == "none" else value

    @model_validator(mode="after")
    def _systems_fit(self) -> Self:
        if len(self.systems) < 2:
            raise ValueError("give at least two 'systems': a baseline and the one to export")
        for role in ("baseline", "reported"):
            name = getattr(self, role)
            if name and name not in self.systems:
                raise ValueError(f"{role}: '{name}' is not one of the systems {', '.join(self.systems)}")
        if len({folder_name(name) for name in self.systems}) < len(self.systems):
            raise ValueError("give the 'systems' names that differ in their letters and digits")
        oracles = [name for name, s in self.systems.items() if any(isinstance(x, OracleTarget) for x in s)]
        if oracles and self.data.oracle_target is None:
            raise ValueError(f"the system '{oracles[0]}' with oracle_target needs data.oracle_target")
        for elsewhere in self.sets_made_elsewhere():
            if self.made_elsewhere(elsewhere.translator) is None:
                name = elsewhere.translator.value
                users = f"'{name}'" if elsewhere in self.translation_sets() else "'distilled'"
                raise ValueError(f"systems with the translator {users} need translators.{name}")
        return self

    @property
    def baseline_name(self) -> str:
        """The system that all are compared with."""
        return self.baseline or next(iter(self.systems))

    @property
    def reported_name(self) -> str:
        """The system that is exported."""
        return self.reported or list(self.systems)[-1]

    @property
    def transcripts(self) -> DrawTranscripts:
        """The stage that draws the transcripts."""
        return DrawTranscripts(n_transcripts=self.data.n_transcripts)

    @property
    def pair_cleaning(self) -> CleanPairFiles:
        """The stage that reads the pairs."""
        data = self.data
        return CleanPairFiles(
            source_lang=data.source_lang, target_lang=data.target_lang, pairs=data.pairs, dictionary=data.dictionary
        )

    @property
    def domain_model(self) -> EstimateDomain:
        """The stage that estimates what is known of the domain."""
        return EstimateDomain(order=self.language_model.order, lexicon=self.translation.entities.lexicon)

    @property
    def self_training(self) -> SelfTrain:
        """The stage that goes on training the selected translator."""
        return self.translators.self_training.model_copy(update={"order": self.language_model.order})

    def made_elsewhere(self, translator: TranslatorName) -> GivenTranslations | AskEndpoint | None:
        """Return the stage that takes over the translations of ``translator``, None where that is trained here."""
        stages = {TranslatorName.GIVEN: self.translators.given, TranslatorName.ENDPOINT: self.translators.endpoint}
        return stages.get(translator)

    def translate(self, wanted: TranslationSet) -> TranslateSource | TranslateEntities:
        """Return the stage that makes the n-best lists ``wanted``."""
        if not wanted.entities:
            return TranslateSource(n_best=self.translation.n_best)
        return TranslateEntities(n_best=self.translation.n_best, entities=self.translation.entities)

    def tune_rescoring(self, n_hypotheses: int) -> TuneRescoring:
        """Return the stage that finds the weights for the best ``n_hypotheses`` of each list."""
        return self.rescoring.model_copy(update={"n_hypotheses": n_hypotheses})

    def estimate(self, source: AnySource) -> EstimateText:
        """Return the stage that estimates the model of the text of ``source``."""
        return EstimateText(order=self.language_model.order, label=source.label)

    def mixing(self, system: str) -> MixModels:
        """Return the stage that interpolates the models of ``system``."""
        chosen = self.language_model.chosen_on_dev and system == self.reported_name
        return MixModels(n_ngrams=self.language_model.n_ngrams, chosen_on_dev=chosen)

    @property
    def decoder(self) -> Decoder:
        """The settings of the decoder."""
        return Decoder() if self.recogniser is None else self.recogniser.decoder

    def tuned_for(self, system: str) -> str:
        """Return the system that the decoder is tuned for when it decodes with ``system``."""
        return system if self.decoder.tuning is Tuning.EACH else self.baseline_name

    @property
    def decoder_tuning(self) -> TuneDecoder:
        """The stage that finds the decoder's weights."""
        return TuneDecoder(decoder=self.decoder)

    def sources(self) -> dict[str, AnySource]:
        """Return every source of any system once, by its name."""
        return {source.name: source for system in self.systems.values() for source in system}

    def translation_sets(self) -> list[TranslationSet]:
        """Return the n-best lists that the systems use."""
        return sorted({wanted for source in self.sources().values() for wanted in source.translation_sets()})

    def translators_used(self) -> set[TranslatorName]:
        """Return the translators of these lists, and the one that the distilled one begins as."""
        wanted = {translation_set.translator for translation_set in self.translation_sets()}
        return wanted | ({self.translators.distillation.student} if self._distils else set())

    def sets_made_elsewhere(self) -> list[TranslationSet]:
        """Return the n-best lists that are made elsewhere, the ones that a translator is to learn from among them."""
        taught = {self.translators.distillation.taught} if self._distils else set[TranslationSet]()
        return sorted(w for w in {*self.translation_sets(), *taught} if w.translator in MADE_ELSEWHERE)

    @property
    def _distils(self) -> bool:
        wanted = any(
            translation_set.translator is TranslatorName.DISTILLED for translation_set in self.translation_sets()
        )
        return wanted and self.translators.distillation.folder is None

    def reported_set(self) -> TranslationSet | None:
        """Return the n-best lists that the reported system uses last, None where it uses none."""
        wanted = [wanted for source in self.systems[self.reported_name] for wanted in source.translation_sets()]
        return wanted[-1] if wanted else None

    def rescored_sets(self) -> list[tuple[TranslationSet, int]]:
        """Return which of the n-best lists are rescored, and how many hypotheses of each list are taken."""
        rescored = [s for s in self.sources().values() if isinstance(s, Translations) and s.rescored]
        return sorted({(wanted, s.n_hypotheses) for s in rescored for wanted in s.translation_sets()})
