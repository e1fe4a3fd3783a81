"""Studies of the language pipeline: systems x numbers of transcripts x random subsets of them.

A cell is one number of transcripts with one random seed. It is a run of its own inside the study's folder, so that a
study goes on where it stopped. Translators, plain translations and posteriors are made once, in the run "shared": the
translators learn from the pairs nearest to the transcripts of the first cell. Pairs as general text, entity values,
rescoring, keep/reject and language models follow from the transcripts of each cell. Decoder weights are tuned in the
first cell, for the baseline, and held fixed for every system of every cell.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, Self

import numpy as np
from pydantic import Field, model_validator

from seedcorn.config import Settings
from seedcorn.evaluation.wer import word_errors
from seedcorn.pipelines import language_model_stages as model_stages
from seedcorn.pipelines import language_speech_stages as speech_stages
from seedcorn.pipelines import language_stages as stages
from seedcorn.pipelines.language_data import LanguageDataSettings
from seedcorn.pipelines.language_measures import rates, slice_rows
from seedcorn.pipelines.language_pairs import PairChoice
from seedcorn.pipelines.language_recogniser import RecogniserSettings
from seedcorn.pipelines.language_systems import LanguageModelSettings, System, TranslatorName, translations_of
from seedcorn.pipelines.language_translation import TranslationSettings, TranslatorsSettings
from seedcorn.pipelines.stage_files import Done, read_json, read_utterances, write_json
from seedcorn.runs import Json, Run, StageFolder
from seedcorn.selection import FloatArray


class LanguageStudyConfig(Settings):
    """The configuration file of a language study; configs/study-language-hi.yaml explains every setting.

    With ``largest_once`` the largest size is made with the first random seed only: where it is all the transcripts that
    there are, it has but one subset. ``baseline`` is what everything is compared with, ``general`` the stronger
    baseline (transcripts and general text), ``reported`` the full system, ``ceiling`` the one with true translations.
    """

    study: Literal["language"]
    name: str = Field(min_length=1)
    random_seeds: tuple[int, ...] = Field((1, 2, 3), min_length=1)
    sizes: tuple[int, ...] = Field(min_length=1)
    largest_once: bool = False
    data: LanguageDataSettings
    pairs: PairChoice = PairChoice()
    translators: TranslatorsSettings = TranslatorsSettings()
    translation: TranslationSettings = TranslationSettings()
    language_model: LanguageModelSettings = LanguageModelSettings()
    recogniser: RecogniserSettings
    systems: Mapping[str, System] = Field(min_length=2)
    baseline: str
    reported: str
    general: str | None = None
    ceiling: str | None = None

    @model_validator(mode="after")
    def _named_systems_exist(self) -> Self:
        for role in (self.baseline, self.reported, self.general, self.ceiling):
            if role is not None and role not in self.systems:
                raise ValueError(f"'{role}' is not one of the systems {', '.join(self.systems)}")
        return self


class LanguageCell(NamedTuple):
    """One number of transcripts, drawn with one random seed."""

    n_transcripts: int
    random_seed: int

    @property
    def name(self) -> str:
        """The name of the cell's folder."""
        return f"{self.n_transcripts}-{self.random_seed}"


@dataclass(frozen=True, kw_only=True)
class Shared:
    """What all cells share: clean pairs, translators and their plain translations, and what was heard."""

    cleaned: Done
    translators: Mapping[TranslatorName, Done]
    translated: Mapping[str, Done]
    heard: Done


def cells_of(config: LanguageStudyConfig) -> list[LanguageCell]:
    """Return all cells in the order in which they are made: every size once before the next random seed."""
    first, once = config.random_seeds[0], max(config.sizes) if config.largest_once else None
    return [
        LanguageCell(size, random_seed)
        for random_seed in config.random_seeds
        for size in config.sizes
        if random_seed == first or size != once
    ]


def make_shared(config: LanguageStudyConfig, *, folder: Path, relative_to: Path) -> Shared:
    """Run the stages whose outcome is the same for all cells."""
    first = cells_of(config)[0]
    run = Run(folder=folder / "shared", random_seed=first.random_seed)
    data = stages.data(run, _sized(config.data, first), relative_to=relative_to)
    cleaned = stages.clean(run, config.data, relative_to=relative_to)
    wanted = translations_of(config.systems.values())
    translators: Mapping[TranslatorName, Done] = {}
    if wanted:
        translators = stages.translators(
            run,
            data,
            cleaned,
            stages.choose(run, data, cleaned, config.pairs),
            config.translators,
            wanted={name for name, _ in wanted},
            placeholder_fraction=config.pairs.placeholder_fraction,
            lm_order=config.language_model.order,
            relative_to=relative_to,
        )
    plain = [(name, with_entities) for name, with_entities in wanted if not with_entities]
    return Shared(
        cleaned=cleaned,
        translators=translators,
        translated=stages.translations(
            run, data, translators, config.translation, wanted=plain, relative_to=relative_to
        ),
        heard=speech_stages.posteriors(run, data, cleaned, config.recogniser, relative_to=relative_to),
    )


def with_decoder_threads(config: LanguageStudyConfig, n_threads: int) -> LanguageStudyConfig:
    """Return ``config`` with so many decoding threads, on which no result depends."""
    decoder = config.recogniser.decoder.model_copy(update={"n_threads": n_threads})
    recogniser = config.recogniser.model_copy(update={"decoder": decoder})
    return config.model_copy(update={"recogniser": recogniser})


def _sized(data: LanguageDataSettings, cell: LanguageCell) -> LanguageDataSettings:
    return data.model_copy(update={"n_transcripts": cell.n_transcripts})


def run_cell(
    config: LanguageStudyConfig,
    cell: LanguageCell,
    shared: Shared,
    *,
    folder: Path,
    relative_to: Path,
    decoder_weights: Done | None,
) -> tuple[Done, Done]:
    """Run all systems of ``cell`` unless that is done; return its rows and outcomes, and the decoder's weights.

    The weights are those given, or, in the first cell, tuned for the baseline.
    """
    run = Run(folder=folder / cell.name, random_seed=cell.random_seed)
    data = stages.data(run, _sized(config.data, cell), relative_to=relative_to)
    pairs = stages.choose(run, data, shared.cleaned, config.pairs)
    with_entities = [wanted for wanted in translations_of(config.systems.values()) if wanted[1]]
    translated = {
        **shared.translated,
        **stages.translations(
            run, data, shared.translators, config.translation, wanted=with_entities, relative_to=relative_to
        ),
    }
    weights = model_stages.rescoring(
        run,
        data,
        shared.cleaned,
        pairs,
        translated,
        config.systems.values(),
        config.translation,
        lm_order=config.language_model.order,
        target_lang=config.data.target_lang,
        relative_to=relative_to,
    )
    models = model_stages.language_models(
        run,
        data,
        shared.cleaned,
        pairs,
        translated,
        weights,
        config.systems,
        config.language_model,
        config.translation,
        target_lang=config.data.target_lang,
        relative_to=relative_to,
    )
    names, choice = list(config.systems), config.recogniser.decoder
    tuned = decoder_weights or speech_stages.decoder_weights(
        run, data, models, shared.heard, choice, number=names.index(config.baseline)
    )
    decoded = {
        name: speech_stages.decoding(run, data, models, shared.heard, tuned, choice, number=number)
        for number, name in enumerate(names)
    }
    return _outcomes(run, cell, data, models, decoded), tuned


def _outcomes(run: Run, cell: LanguageCell, data: Done, models: Done, decoded: Mapping[str, Done]) -> Done:
    """Measure every system of a cell: rows.json, slices.json, and errors and lengths by utterance in outcomes.npz."""

    def work(folders: StageFolder) -> dict[str, int]:
        test, transcripts = (read_utterances(data.folder / f"{name}.parquet") for name in ("test", "transcripts"))
        measured = read_json(models.folder / model_stages.SYSTEMS_FILE)
        of_models = {str(row["system"]): row for row in measured} if isinstance(measured, list) else {}
        rows: list[dict[str, Json]] = []
        slices: list[dict[str, Json]] = []
        arrays: dict[str, FloatArray] = {}
        for name, stage in decoded.items():
            for lexicon, found in speech_stages.hypotheses(stage).items():
                rows.append({**cell._asdict(), "lexicon": lexicon, **of_models[name], **rates(test, found)})
                arrays[f"{name}/{lexicon}"] = word_errors([u.text for u in test], found).statistics()
                slices += [
                    {**cell._asdict(), "system": name, "lexicon": lexicon, **row}
                    for row in slice_rows(test, found, transcripts)
                ]
        write_json(rows, folders.output / "rows.json")
        write_json(slices, folders.output / "slices.json")
        np.savez_compressed(folders.output / "outcomes.npz", **arrays)  # type: ignore[arg-type]  # allow_pickle is no array
        return {"n_systems": len(decoded), "n_test": len(test)}

    inputs = data.digest | models.digest | {k: v for stage in decoded.values() for k, v in stage.digest.items()}
    record = run.stage("outcomes", work, settings={"cell": list(cell)}, inputs=inputs)
    return Done(record=record, folder=run.folder / "outcomes")
