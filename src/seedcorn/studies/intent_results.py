"""An intent study from its configuration to its results file and its page."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seedcorn.evaluation.bootstrap import mean_interval
from seedcorn.files import digest_of_file
from seedcorn.pipelines.diversity_stage import DiversityMethod
from seedcorn.pipelines.intent_data import data_files
from seedcorn.pipelines.stage_files import Done
from seedcorn.progress import ProgressMode, showing_progress
from seedcorn.report.figures import CurvePoint, bar_figure, curve_figure
from seedcorn.report.page import Figure, Page, Section, Table
from seedcorn.runs import Json
from seedcorn.studies.cells import make_cells
from seedcorn.studies.intent_study import (
    Cell,
    IntentStudyConfig,
    Source,
    cells_of,
    digest_of_config,
    read_rows,
    run_cell,
)
from seedcorn.studies.intent_table import fewer_errors, interval_json, mean_over_functionalities, reduction_rows
from seedcorn.studies.results import Results


def run_cells(config: IntentStudyConfig, *, folder: Path, relative_to: Path, n_workers: int) -> list[Done]:
    """Run all cells that are not done, ``n_workers`` at a time, each in one process and one thread, and return them.

    What a cell says does not depend on the number of workers.
    """
    make = partial(_run_cell, config=config, folder=folder, relative_to=relative_to)
    return make_cells(make, cells_of(config), what="cells", n_workers=n_workers)


def _run_cell(cell: Cell, *, config: IntentStudyConfig, folder: Path, relative_to: Path) -> Done:
    with showing_progress(ProgressMode.SILENT):
        return run_cell(config, cell, folder=folder, relative_to=relative_to)


def intent_results(
    config: IntentStudyConfig, cells: Sequence[Done], *, command: str, relative_to: Path, random_seed: int = 0
) -> Results:
    """Return the tables and the summary of finished cells; ``random_seed`` is that of the bootstrap."""
    rows = read_rows(cells)
    table = reduction_rows(rows, cells, baseline=config.baseline, rng=np.random.default_rng(random_seed))
    files = data_files(config.data, relative_to=relative_to)
    return Results(
        name=config.name,
        command=command,
        config_digest=digest_of_config(config),
        data_digests={name: digest_of_file(path) for name, path in files.items()},
        random_seeds=config.random_seeds,
        rows=[*table, *({"kind": "cell", **row} for row in rows)],
        summary=_summary(config, table)
        | _diversity_summary(config, rows, cells, rng=np.random.default_rng(random_seed)),
    )


CHANGE_KEYS = ("semantic_error_reduction", "intent_error_reduction", "false_alarm_change")


def _summary(config: IntentStudyConfig, table: Sequence[Mapping[str, Json]]) -> dict[str, Json]:
    def mean(system: str, key: str) -> float:
        return mean_over_functionalities(table, system, key)

    summary: dict[str, Json] = {key: mean(config.reported, key) for key in CHANGE_KEYS}
    if config.ceiling is not None:
        summary["ceiling_semantic_error_reduction"] = mean(config.ceiling, "semantic_error_reduction")
        summary["ceiling_intent_error_reduction"] = mean(config.ceiling, "intent_error_reduction")
    summary["by_system"] = {
        name: {key: mean(name, key) for key in CHANGE_KEYS} for name in config.systems if name != config.baseline
    }
    return summary


def _diversity_summary(
    config: IntentStudyConfig,
    rows: Sequence[Mapping[str, Json]],
    cells: Sequence[Done],
    *,
    rng: np.random.Generator,
) -> dict[str, Json]:
    """Return which share of the reported system's gain every thinned-out system keeps, and how it differs from random.

    ``more_than_random`` is the difference of reductions with its interval over random seeds, ``errors_below_random``
    the share of errors of the random choice that it avoids, with its interval over test utterances. The better of
    paraphrase and feature is named for half and for a quarter of the data.
    """
    full = np.array(_reduction_by_seed(rows, config.reported, config.baseline))
    by_random = {
        system.diversity.fraction: name
        for name, system in config.systems.items()
        if system.diversity.method is DiversityMethod.RANDOM and not system.diversity.cleaned
    }
    kept: dict[str, dict[str, Json]] = {}
    for name, system in config.systems.items():
        fraction = system.diversity.fraction
        if system.source is not Source.RELEVANT or system.diversity.method is DiversityMethod.ALL:
            continue
        own = np.array(_reduction_by_seed(rows, name, config.baseline))
        kept[name] = {"fraction": fraction, "gain_kept": _share(own, full), "reduction": _interval(own)}
        if fraction in by_random:
            other = by_random[fraction]
            kept[name]["more_than_random"] = _interval(own - np.array(_reduction_by_seed(rows, other, config.baseline)))
            if name != other:
                kept[name]["errors_below_random"] = fewer_errors(rows, cells, system=name, other=other, rng=rng)
    summary: dict[str, Json] = {**kept}
    for fraction in (0.5, 0.25):
        gains = {
            name: float(str(kept[name]["gain_kept"]))
            for name, system in config.systems.items()
            if name in kept and system.diversity.fraction == fraction and system.diversity.method in _DIVERSE
        }
        if gains:
            best = max(gains, key=lambda name: gains[name])
            percent = round(100 * fraction)
            summary |= {f"best_at_{percent}_percent": best, f"gain_kept_at_{percent}_percent": gains[best]}
            if fraction in by_random:
                summary[f"more_than_random_at_{percent}_percent"] = kept[best]["more_than_random"]
                summary[f"errors_below_random_at_{percent}_percent"] = kept[best]["errors_below_random"]
                summary[f"random_gain_kept_at_{percent}_percent"] = kept[by_random[fraction]]["gain_kept"]
    return summary


_DIVERSE = (DiversityMethod.PARAPHRASE, DiversityMethod.FEATURE)


def _share(own: NDArray[np.float64], full: NDArray[np.float64]) -> float:
    return float(own.mean() / full.mean()) if full.mean() else 0.0


def _interval(values: NDArray[np.float64]) -> dict[str, Json]:
    return interval_json(mean_interval(values.tolist()))


def _reduction_by_seed(rows: Sequence[Mapping[str, Json]], system: str, baseline: str) -> list[float]:
    """Return for every random seed the mean reduction of semantic error over the functionalities."""
    error = {
        (r["system"], r["random_seed"], r["functionality"], r["n_seed"]): float(str(r["semantic_error"])) for r in rows
    }
    by_seed: dict[int, list[float]] = {}
    for (name, random_seed, functionality, n_seed), value in error.items():
        if name == system:
            before = error[(baseline, random_seed, functionality, n_seed)]
            by_seed.setdefault(int(str(random_seed)), []).append(1 - value / before if before else 0.0)
    return [float(np.mean(by_seed[random_seed])) for random_seed in sorted(by_seed)]


def study_page(config: IntentStudyConfig, results: Results) -> Page:
    """Return the study as a page: summary, one bar a system and functionality, and all numbers."""
    table = [row for row in results.rows if row.get("kind") != "cell"]
    shown = ("functionality", "n_seed", "system", "n_added", "semantic_error", "intent_error", "slot_f1")
    columns = (*shown, "false_alarm_rate", "semantic_error_reduction", "intent_error_reduction")
    return Page(
        title=f"Seedcorn study: {config.name}",
        summary=tuple((k.replace("_", " "), f"{v:.3f}") for k, v in results.summary.items() if isinstance(v, float)),
        sections=(
            Section(
                title="Relative reduction of semantic error",
                text=f"Against {config.baseline}; mean over {len(config.random_seeds)} random seeds, 95 % intervals.",
                contents=(_bars(table, config.baseline), *_curves(config, results)),
            ),
            Section(
                title="All numbers",
                contents=(
                    Table(
                        caption="Means over random seeds with 95 % intervals.",
                        columns=tuple(c.replace("_", " ") for c in columns),
                        rows=tuple(tuple(_cell_text(row.get(c)) for c in columns) for row in table),
                        searchable=True,
                        filter_column="functionality",
                    ),
                ),
            ),
        ),
        signatures=(f"config:{results.config_digest[:12]} command:{results.command}",),
    )


def _cell_text(value: Json) -> str | int | float:
    if isinstance(value, Mapping):
        mean, low, high = (float(str(value[k])) for k in ("mean", "low", "high"))
        return f"{mean:.3f} ({low:.3f} to {high:.3f})"
    return value if isinstance(value, str | int | float) else ""


def _point(value: Json, *, x: float, series: str) -> CurvePoint:
    mean, low, high = (
        (float(str(value[k])) for k in ("mean", "low", "high")) if isinstance(value, Mapping) else (0.0,) * 3
    )
    return CurvePoint(x=x, y=mean, low=low, high=high, series=series)


def _bars(table: Sequence[Mapping[str, Json]], baseline: str) -> Figure:
    rows = [row for row in table if row["system"] != baseline]
    points = [_point(row["semantic_error_reduction"], x=0, series=str(row["system"])) for row in rows]
    labels = [f"{row['functionality']} ({row['n_seed']} seed)" for row in rows]
    return bar_figure(
        points, labels=labels, y_title="relative reduction of semantic error", caption="By functionality."
    )


def _curves(config: IntentStudyConfig, results: Results) -> list[Figure]:
    """Return the figure of error reduction against the share of the data, when the study has thinned-out systems."""
    points = []
    for name, system in config.systems.items():
        found = results.summary.get(name)
        if isinstance(found, Mapping) and "reduction" in found:
            fraction = system.diversity.fraction
            points.append(_point(found["reduction"], x=fraction, series=name.removesuffix(f"_{round(100 * fraction)}")))
    if not points:
        return []
    return [
        curve_figure(
            points,
            x_title="fraction of the relevant data used",
            y_title="relative reduction of semantic error",
            caption="Mean over functionalities, with the interval over random seeds.",
        )
    ]
