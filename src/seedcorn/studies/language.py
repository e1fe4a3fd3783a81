"""Studies of the language pipeline: systems x numbers of transcripts x random subsets of them.

A cell is one number of transcripts with one random seed: the pipeline itself, in a folder of its own inside the
study's. Finished results are shared through one store. Translators, posteriors and the decoder's weights (tuned
for the baseline) are those of the first cell, and held fixed for every other: the translators learn from the pairs
nearest to its transcripts. All else follows from the transcripts of each cell.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple, Self

from pydantic import Field, model_validator

from seedcorn.language.config import LanguagePipeline
from seedcorn.language.measures import Measures
from seedcorn.language.packages import check_packages
from seedcorn.language.pipeline import Frozen, LanguageConfig, run_language
from seedcorn.language.result import LanguageResult, ModelRow
from seedcorn.runs import Run, StageRecord
from seedcorn.studies.grid import make_cells


class LanguageStudyConfig(LanguagePipeline):
    """The configuration file of a language study; configs/study-language-hi.yaml explains every setting.

    With ``largest_once`` the largest size is made with the first random seed only: where it is all the transcripts that
    there are, it has but one subset. ``baseline`` is what everything is compared with, ``general`` the stronger
    baseline (transcripts and general text), ``translations`` that with the best translations alone, ``reported`` the
    full system, ``oracle`` the one with true translations.
    """

    study: Literal["language"]
    name: str = Field(min_length=1)
    random_seeds: tuple[int, ...] = Field((1, 2, 3), min_length=1)
    sizes: tuple[int, ...] = Field(min_length=1)
    largest_once: bool = False
    general: str = ""
    translations: str = ""
    oracle: str = ""

    @model_validator(mode="after")
    def _named_systems_exist(self) -> Self:
        for role in ("general", "translations", "oracle"):
            name = getattr(self, role)
            if name and name not in self.systems:
                raise ValueError(f"{role}: '{name}' is not one of the systems {', '.join(self.systems)}")
        return self

    def of_cell(self, cell: "LanguageCell", *, n_threads: int) -> LanguageConfig:
        """Return the configuration of the pipeline that is run for ``cell``."""
        shared = {name: getattr(self, name) for name in LanguagePipeline.model_fields}
        data = self.data.model_copy(update={"n_transcripts": cell.n_transcripts})
        own = {"data": data, "n_threads": n_threads, "name": cell.name, "random_seed": cell.random_seed}
        return LanguageConfig.model_construct(**{**shared, **own})


class LanguageCell(NamedTuple):
    """One number of transcripts, drawn with one random seed."""

    n_transcripts: int
    random_seed: int

    @property
    def name(self) -> str:
        """The name of the cell's folder."""
        return f"{self.n_transcripts}-{self.random_seed}"


@dataclass(frozen=True, kw_only=True)
class CellOutcome:
    """What a cell found: measures of its systems, rows of their language models, and the records these follow from.

    There are no measures without a recogniser. ``dev_chrf`` is that of each translator that was trained in the cell.
    """

    measures: Measures | None
    models: list[ModelRow]
    dev_chrf: Mapping[str, float]
    records: tuple[StageRecord, ...]


def cells_of(config: LanguageStudyConfig) -> list[LanguageCell]:
    """Return all cells in the order in which they are made: every size once before the next random seed."""
    first, once = config.random_seeds[0], max(config.sizes) if config.largest_once else None
    return [
        LanguageCell(size, random_seed)
        for random_seed in config.random_seeds
        for size in config.sizes
        if random_seed == first or size != once
    ]


def run_cells(config: LanguageStudyConfig, *, folder: Path, n_workers: int = 1) -> dict[LanguageCell, CellOutcome]:
    """Run all cells that are not done, and return the outcomes of each.

    ``n_workers`` threads decode the first cell, in which the decoder is tuned; then so many cells are made at a time,
    each in a process with its share of the threads. What a cell says does not depend on the number of workers.
    """
    check_packages(config)
    first, *others = cells_of(config)
    found = run_cell(first, config=config, folder=folder, n_threads=n_workers)
    n_threads = max(n_workers // max(len(others), 1), 1)
    make = partial(
        _outcome_of_cell, config=config, folder=folder, n_threads=n_threads, frozen=frozen_from(config, found)
    )
    outcomes = make_cells(make, others, what="further cells", n_workers=n_workers)
    return {first: outcome_of(found)} | dict(zip(others, outcomes, strict=True))


def run_cell(
    cell: LanguageCell,
    *,
    config: LanguageStudyConfig,
    folder: Path,
    n_threads: int = 1,
    frozen: Frozen | None = None,
) -> LanguageResult:
    """Run the pipeline for ``cell``, in its folder and with the store that all cells share."""
    run = Run(folder=folder / cell.name, random_seed=cell.random_seed, store=folder / "store")
    run.folder.mkdir(parents=True, exist_ok=True)
    return run_language(config.of_cell(cell, n_threads=n_threads), run=run, frozen=frozen)


def frozen_from(config: LanguageStudyConfig, first: LanguageResult) -> Frozen:
    """Return what the first cell decides for all others."""
    translators = {name: replace(result) for name, result in first.materials.translators.items()}
    if first.recognition is None:
        return Frozen(translators=translators)
    return Frozen(
        translators=translators,
        posteriors=replace(first.recognition.posteriors),  # without its value, which is large
        decoder_weights=first.recognition.decoder_weights[config.baseline_name],
    )


def outcome_of(result: LanguageResult) -> CellOutcome:
    """Return what a study keeps of the run of a cell."""
    measured = result.recognition.measures if result.recognition else None
    translators = {name.value: found.value.dev_chrf for name, found in result.materials.translators.items()}
    return CellOutcome(
        measures=measured.value if measured else None,
        models=result.models.rows(),
        dev_chrf={name: chrf for name, chrf in translators.items() if chrf is not None},
        records=(result.materials.data.record, *([measured.record] if measured else [])),
    )


def _outcome_of_cell(
    cell: LanguageCell, *, config: LanguageStudyConfig, folder: Path, n_threads: int, frozen: Frozen
) -> CellOutcome:
    return outcome_of(run_cell(cell, config=config, folder=folder, n_threads=n_threads, frozen=frozen))
