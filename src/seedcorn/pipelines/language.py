"""A new language: transcripts, source text, pairs -> translator -> in-domain text -> language models -> error rates."""

from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from seedcorn.config import Settings
from seedcorn.errors import require
from seedcorn.pipelines import language_model_stages as model_stages
from seedcorn.pipelines import language_speech_stages as speech_stages
from seedcorn.pipelines import language_stages as stages
from seedcorn.pipelines.language_data import LanguageDataSettings
from seedcorn.pipelines.language_pairs import PairChoice
from seedcorn.pipelines.language_recogniser import RecogniserSettings, TestBedChoice, speech_digests
from seedcorn.pipelines.language_report import write_report
from seedcorn.pipelines.language_systems import (
    LanguageModelSettings,
    System,
    default_systems,
    translations_of,
)
from seedcorn.pipelines.language_translation import TranslationSettings, TranslatorsSettings
from seedcorn.runs import Run, Stage, StageResult


class LanguageConfig(Settings):
    """The configuration file of ``seedcorn language``; configs/language-builtin.yaml explains every setting.

    The first of the ``systems`` is the baseline, the last the one that is exported.
    """

    name: str = Field(min_length=1)
    random_seed: int = Field(1, ge=0)
    data: LanguageDataSettings
    pairs: PairChoice = PairChoice()
    translators: TranslatorsSettings = TranslatorsSettings()
    translation: TranslationSettings = TranslationSettings()
    language_model: LanguageModelSettings = LanguageModelSettings()
    systems: Mapping[str, System] = default_systems()
    recogniser: RecogniserSettings = RecogniserSettings(test_bed=TestBedChoice())

    @model_validator(mode="after")
    def _enough(self) -> Self:
        if len(self.systems) < 2:
            raise ValueError("give at least two systems: a baseline and the one to export")
        if any(system.true_target for system in self.systems.values()) and self.data.true_target is None:
            raise ValueError("a system with true_target needs data.true_target")
        return self

    def stages(self) -> Mapping[str, Stage[StageResult]]:
        """Return no stages: theirs are still made by hand."""
        return {}


def run_language(config: LanguageConfig, *, run: Run, relative_to: Path) -> Path:
    """Run the stages that are not done yet, and return the path of the report.

    Paths in ``config`` count from ``relative_to``. Raises SeedcornError for whatever a user can mend.
    """
    check_first(config.systems.values(), config.recogniser, relative_to=relative_to)
    data = stages.data(run, config.data, relative_to=relative_to)
    cleaned = stages.clean(run, config.data, relative_to=relative_to)
    pairs = stages.choose(run, data, cleaned, config.pairs)
    wanted, lm_order = translations_of(config.systems.values()), config.language_model.order
    translators = stages.translators(
        run,
        data,
        cleaned,
        pairs,
        config.translators,
        wanted={name for name, _ in wanted},
        placeholder_fraction=config.pairs.placeholder_fraction,
        lm_order=lm_order,
        relative_to=relative_to,
    )
    translated = stages.translations(run, data, translators, config.translation, wanted=wanted, relative_to=relative_to)
    weights = model_stages.rescoring(
        run,
        data,
        cleaned,
        pairs,
        translated,
        config.systems.values(),
        config.translation,
        lm_order=lm_order,
        target_lang=config.data.target_lang,
        relative_to=relative_to,
    )
    models = model_stages.language_models(
        run,
        data,
        cleaned,
        pairs,
        translated,
        weights,
        config.systems,
        config.language_model,
        config.translation,
        target_lang=config.data.target_lang,
        relative_to=relative_to,
    )
    heard = speech_stages.posteriors(run, data, cleaned, config.recogniser, relative_to=relative_to)
    decoded = speech_stages.decode_systems(run, data, models, heard, list(config.systems), config.recogniser.decoder)
    baseline, *_, reported = config.systems
    measured = speech_stages.measures(run, data, decoded, baseline=baseline, reported=reported)
    exported = model_stages.export(run, models, heard, number=len(config.systems) - 1)
    made = (data, cleaned, pairs, *translators.values(), *translated.values(), weights, models, heard)
    stages_done = (*made, *decoded.values(), measured, exported)
    return write_report(run, config.name, models=models, measured=measured, stages=stages_done)


def check_first(systems: Iterable[System], recogniser: RecogniserSettings, *, relative_to: Path) -> None:
    """Raise MissingExtraError or DataError now, not after an hour, when a package or a speech file is missing."""
    needed = [("jinja2", "report"), ("altair", "report"), ("vl_convert", "report")]
    if any(system.translator for system in systems):
        needed += [(name, "neural") for name in ("torch", "transformers", "accelerate", "ctranslate2", "sacrebleu")]
    if recogniser.test_bed is not None:
        needed += [(name, "speech") for name in ("torch", "safetensors", "espeakng_loader")]
    if recogniser.files is not None and recogniser.files.checkpoint:
        needed += [("torch", "neural"), ("transformers", "neural"), ("soundfile", "speech")]
    if recogniser.files is not None and recogniser.files.acoustic_model:
        needed += [(name, "speech") for name in ("torch", "safetensors", "soundfile")]
    for module, extra in needed:
        if find_spec(module) is None:
            require(module, extra=extra)
    if recogniser.files is not None:
        speech_digests(recogniser.files, relative_to=relative_to)
