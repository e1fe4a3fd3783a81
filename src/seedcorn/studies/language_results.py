"""A language study from its configuration to its results file and its page."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from seedcorn.evaluation.bootstrap import mean_interval, paired_bootstrap
from seedcorn.evaluation.wer import error_rate
from seedcorn.files import digest_of_file
from seedcorn.pipelines.language import check_first
from seedcorn.pipelines.language_data import pair_files, text_files
from seedcorn.pipelines.language_model_stages import FIXED, OWN
from seedcorn.pipelines.language_report import table
from seedcorn.pipelines.stage_files import Done, read_json
from seedcorn.report.figures import CurvePoint, bar_figure, curve_figure
from seedcorn.report.page import Figure, Page, Section
from seedcorn.runs import Json, digest_of_json
from seedcorn.selection import FloatArray
from seedcorn.studies.grid import make_cells
from seedcorn.studies.language_study import (
    LanguageCell,
    LanguageStudyConfig,
    Shared,
    cells_of,
    make_shared,
    run_cell,
    with_decoder_threads,
)
from seedcorn.studies.results import Results, interval_json

Row = Mapping[str, Json]
MEASURES = ("wer", "cer", "perplexity", "perplexity_own_words", "oov_fraction", "n_words", "n_ngrams")
SLICES = ("rare intents", "frequent intents", "entity words", "other words", "code-switched words")


def run_cells(
    config: LanguageStudyConfig, *, folder: Path, relative_to: Path, n_workers: int = 1
) -> dict[LanguageCell, Done]:
    """Run all cells that are not done, and return the outcomes of each.

    ``n_workers`` threads decode the first cell, in which the decoder is tuned; then so many cells are made at a time,
    each in one process and one thread. What a cell says does not depend on the number of workers.
    """
    check_first(config.systems.values(), config.recogniser, relative_to=relative_to)
    threaded, config = with_decoder_threads(config, n_workers), with_decoder_threads(config, 1)
    shared = make_shared(config, folder=folder, relative_to=relative_to)
    first, *others = cells_of(config)
    outcome, weights = run_cell(threaded, first, shared, folder=folder, relative_to=relative_to, decoder_weights=None)
    make = partial(
        _outcome_of, config=config, shared=shared, folder=folder, relative_to=relative_to, decoder_weights=weights
    )
    return {first: outcome} | dict(
        zip(others, make_cells(make, others, what="further cells", n_workers=n_workers), strict=True)
    )


def _outcome_of(
    cell: LanguageCell,
    *,
    config: LanguageStudyConfig,
    shared: Shared,
    folder: Path,
    relative_to: Path,
    decoder_weights: Done,
) -> Done:
    outcome, _ = run_cell(config, cell, shared, folder=folder, relative_to=relative_to, decoder_weights=decoder_weights)
    return outcome


def language_results(
    config: LanguageStudyConfig,
    cells: Mapping[LanguageCell, Done],
    *,
    command: str,
    relative_to: Path,
    random_seed: int = 0,
) -> Results:
    """Return the tables and the summary of finished cells; ``random_seed`` is that of the bootstrap."""
    rows = _rows(cells, "rows.json")
    compared = [config.baseline, *([config.general] if config.general else [])]
    systems = _system_rows(config, cells, rows, compared, rng=np.random.default_rng(random_seed))
    slices = _slice_rows(config, _rows(cells, "slices.json"))
    files = text_files(config.data, relative_to=relative_to) | pair_files(config.data, relative_to=relative_to)
    return Results(
        name=config.name,
        command=command,
        config_digest=digest_of_json(config.model_dump(mode="json")),
        data_digests={name: digest_of_file(path) for name, path in files.items()}
        | {
            f"{cell.name} {name}": digest for cell, done in cells.items() for name, digest in done.record.inputs.items()
        },
        random_seeds=config.random_seeds,
        rows=[*systems, *slices, *({"kind": "cell", **row} for row in rows)],
        summary=_summary(config, systems),
    )


def _rows(cells: Mapping[LanguageCell, Done], name: str) -> list[Row]:
    found = [read_json(done.folder / name) for done in cells.values()]
    return [row for rows in found if isinstance(rows, list) for row in rows]


def _number(value: Json) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")


def _system_rows(
    config: LanguageStudyConfig,
    cells: Mapping[LanguageCell, Done],
    rows: Sequence[Row],
    compared: Sequence[str],
    *,
    rng: np.random.Generator,
) -> list[dict[str, Json]]:
    """Return for every size, lexicon and system its rates and its reductions against the systems ``compared``.

    Intervals are those of Student's t over random subsets; ``bootstrap`` resamples test utterances, the errors of an
    utterance summed over subsets.
    """
    result: list[dict[str, Json]] = []
    for size in config.sizes:
        for lexicon in (OWN, FIXED):
            own = [r for r in rows if r["n_transcripts"] == size and r["lexicon"] == lexicon]
            if not own:
                continue
            statistics = _statistics(cells, size, lexicon, list(config.systems))
            for name in config.systems:
                entry: dict[str, Json] = {"kind": "system", "n_transcripts": size, "lexicon": lexicon, "system": name}
                entry |= {key: interval_json(mean_interval(_values(own, name, key))) for key in MEASURES}
                for other in compared:
                    if name != other:
                        entry[f"over {other}"] = _reduction(own, name, other, statistics, rng)
                result.append(entry)
    return result


def _values(rows: Sequence[Row], system: str, key: str) -> list[float]:
    return [_number(row[key]) for row in rows if row["system"] == system]


def _statistics(
    cells: Mapping[LanguageCell, Done], size: int, lexicon: str, systems: Sequence[str]
) -> dict[str, FloatArray]:
    total: dict[str, FloatArray] = {}
    for cell, done in cells.items():
        if cell.n_transcripts == size:
            with np.load(done.folder / "outcomes.npz", allow_pickle=False) as saved:
                for name in systems:
                    found = saved[f"{name}/{lexicon}"]
                    total[name] = total[name] + found if name in total else found
    return total


def _reduction(
    rows: Sequence[Row], system: str, other: str, statistics: Mapping[str, FloatArray], rng: np.random.Generator
) -> dict[str, Json]:
    before, after = _values(rows, other, "wer"), _values(rows, system, "wer")
    over_subsets = mean_interval([1 - a / b for b, a in zip(before, after, strict=True)])
    found = paired_bootstrap(statistics[other], statistics[system], rng=rng, rate=error_rate)
    bootstrap = {"relative": found.relative, "low": found.low, "high": found.high, "p_value": found.p_value}
    return {**interval_json(over_subsets), "bootstrap": bootstrap}


def _slice_rows(config: LanguageStudyConfig, rows: Sequence[Row]) -> list[dict[str, Json]]:
    """Return the mean word error rate of the main slices, and its reduction against the baseline."""
    result: list[dict[str, Json]] = []
    for size in config.sizes:
        own = [r for r in rows if r["n_transcripts"] == size and r["lexicon"] == OWN]
        for name in SLICES:
            of_slice = [r for r in own if r["slice"] == name]
            before = _values(of_slice, config.baseline, "wer")
            for system in config.systems:
                after = _values(of_slice, system, "wer")
                if after:
                    reduction = mean_interval([1 - a / b if b else 0.0 for b, a in zip(before, after, strict=True)])
                    entry: dict[str, Json] = {"kind": "slice", "n_transcripts": size, "slice": name, "system": system}
                    wer = interval_json(mean_interval(after))
                    result.append({**entry, "wer": wer, "reduction": interval_json(reduction)})
    return result


def _summary(config: LanguageStudyConfig, systems: Sequence[Row]) -> dict[str, Json]:
    """Return the reductions of the reported system at every size, and the error rates of all systems."""
    summary: dict[str, Json] = {}
    by_system: dict[str, Json] = {}
    for size in config.sizes:
        own = {str(r["system"]): r for r in systems if r["n_transcripts"] == size and r["lexicon"] == OWN}
        reported = own[config.reported]
        summary[f"wer_reduction_{size}"] = _mean(reported.get(f"over {config.baseline}"))
        if config.general is not None:
            summary[f"wer_reduction_over_general_text_{size}"] = _mean(reported.get(f"over {config.general}"))
        if config.ceiling is not None:
            summary[f"ceiling_wer_reduction_{size}"] = _mean(own[config.ceiling].get(f"over {config.baseline}"))
        by_system[str(size)] = {name: _mean(row["wer"]) for name, row in own.items()}
    return {**summary, "wer_by_system": by_system}


def _mean(value: Json) -> float:
    return _number(value["mean"]) if isinstance(value, Mapping) else 0.0


def study_page(config: LanguageStudyConfig, results: Results) -> Page:
    """Return the study as a page: summary, reductions as bars, and all numbers."""
    systems = [row for row in results.rows if row.get("kind") == "system"]
    slices = [row for row in results.rows if row.get("kind") == "slice"]
    reductions = [f"over {name}" for name in (config.baseline, config.general) if name is not None]
    columns = ("n_transcripts", "lexicon", "system", *MEASURES, *reductions)
    slice_columns = ("n_transcripts", "slice", "system", "wer", "reduction")
    return Page(
        title=f"Seedcorn study: {config.name}",
        summary=tuple((k.replace("_", " "), f"{v:.1%}") for k, v in results.summary.items() if isinstance(v, float)),
        sections=(
            Section(
                title="Relative reduction of word errors",
                text=f"Against {config.baseline}; means over {len(config.random_seeds)} subsets, 95 % intervals.",
                contents=(
                    bar_figure(
                        [_point(row, config.baseline) for row in systems if row["system"] != config.baseline],
                        labels=[
                            f"{row['system']} ({row['n_transcripts']:,})"
                            for row in systems
                            if row["system"] != config.baseline
                        ],
                        y_title="relative reduction of word errors",
                        caption="By number of transcripts.",
                    ),
                    table("Every system.", [_shown(row) for row in systems], columns, filter_column="system"),
                    table("Slices.", [_shown(row) for row in slices], slice_columns, filter_column="slice"),
                ),
            ),
            Section(
                title="The language models",
                text="Means over subsets, with 95 % intervals; perplexity is over one vocabulary for all systems.",
                contents=(
                    _growth(systems, "perplexity", "perplexity on test"),
                    _growth(systems, "n_words", "words that the model knows"),
                ),
            ),
        ),
        signatures=(f"config:{results.config_digest[:12]} command:{results.command}",),
    )


def _growth(systems: Sequence[Row], key: str, title: str) -> Figure:
    """Return what ``key`` measures of each system over the number of transcripts."""
    own = [row for row in systems if row["lexicon"] == OWN]
    return curve_figure(
        [_measured(row[key], x=_number(row["n_transcripts"]), series=str(row["system"])) for row in own],
        x_title="transcripts",
        y_title=title,
        caption=f"{title.capitalize()}, by number of transcripts.",
    )


def _point(row: Row, baseline: str) -> CurvePoint:
    return _measured(row[f"over {baseline}"], x=0, series=f"{row['lexicon']} lexicon")


def _measured(value: Json, *, x: float, series: str) -> CurvePoint:
    mean, low, high = (_number(value[k]) if isinstance(value, Mapping) else 0.0 for k in ("mean", "low", "high"))
    return CurvePoint(x=x, y=mean, low=low, high=high, series=series)


def _shown(row: Row) -> dict[str, str | int | float]:
    return {key: _cell_text(value) for key, value in row.items()}


def _cell_text(value: Json) -> str | int | float:
    if isinstance(value, Mapping):
        mean, low, high = (_number(value[k]) for k in ("mean", "low", "high"))
        return f"{mean:.4g} ({low:.4g} to {high:.4g})"
    return value if isinstance(value, str | int | float) else ""
