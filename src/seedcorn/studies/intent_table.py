"""From the cells of an intent study to its tables: means with intervals over random seeds, and the paired bootstrap."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np

from seedcorn.evaluation.bootstrap import Interval, Reduction, mean_interval, one_minus_f1, paired_bootstrap, sum_rate
from seedcorn.pipelines.stage_files import Done
from seedcorn.runs import Json
from seedcorn.selection import FloatArray

Row: TypeAlias = Mapping[str, Json]
RATES = {"semantic_error": sum_rate, "intent_error": one_minus_f1}


def reduction_rows(
    rows: Sequence[Row], cells: Sequence[Done], *, baseline: str, rng: np.random.Generator
) -> list[dict[str, Json]]:
    """Return for every functionality, seed size and system its rates and its reductions against ``baseline``.

    A rate and a reduction is the mean over random seeds with the interval of Student's t; ``bootstrap`` is the
    reduction over test utterances, the statistics of an utterance summed over random seeds.
    """
    groups = sorted({(str(r["functionality"]), _number(r["n_seed"])) for r in rows})
    systems = list(dict.fromkeys(str(r["system"]) for r in rows))
    result: list[dict[str, Json]] = []
    for functionality, n_seed in groups:
        own = [r for r in rows if r["functionality"] == functionality and r["n_seed"] == n_seed]
        statistics = _statistics([c for c in cells if _belongs(c, own)], systems)
        for system in systems:
            entry: dict[str, Json] = {"functionality": functionality, "n_seed": n_seed, "system": system}
            entry |= _means(own, system)
            if system != baseline:
                entry |= _reductions(own, system, baseline)
                entry |= _bootstrapped(statistics, system, baseline, rng)
            result.append(entry)
    return result


def fewer_errors(
    rows: Sequence[Row], cells: Sequence[Done], *, system: str, other: str, rng: np.random.Generator
) -> dict[str, Json]:
    """Return the reduction of semantic errors of ``system`` against ``other``: a paired bootstrap over test utterances.

    Those of all functionalities together, the errors of an utterance summed over random seeds.
    """
    groups = sorted({(str(r["functionality"]), _number(r["n_seed"])) for r in rows})
    errors: dict[str, list[FloatArray]] = {system: [], other: []}
    for functionality, n_seed in groups:
        own = [r for r in rows if r["functionality"] == functionality and r["n_seed"] == n_seed]
        found = _statistics([c for c in cells if _belongs(c, own)], [system, other])
        for name, parts in errors.items():
            parts.append(found[name]["semantic_error"])
    return _reduction_json(paired_bootstrap(np.concatenate(errors[other]), np.concatenate(errors[system]), rng=rng))


def mean_over_functionalities(table: Sequence[Row], system: str, key: str) -> float:
    """Return the mean of the means of ``key`` over all functionalities and seed sizes of one system."""
    values = [_mean_of(row[key]) for row in table if row["system"] == system]
    return float(np.mean(values))


def _mean_of(value: Json) -> float:
    return _number(value["mean"]) if isinstance(value, Mapping) else _number(value)


def _number(value: Json) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")


def _belongs(cell: Done, rows: Sequence[Row]) -> bool:
    names = {f"{r['functionality']}-{r['n_seed']}-{r['random_seed']}" for r in rows}
    return cell.record.stage in names


def _of_system(rows: Sequence[Row], system: str) -> dict[float, Row]:
    return {_number(r["random_seed"]): r for r in rows if r["system"] == system}


def _means(rows: Sequence[Row], system: str) -> dict[str, Json]:
    own = _of_system(rows, system).values()
    keys = ("semantic_error", "intent_error", "slot_f1", "false_alarm_rate", "n_added")
    return {key: interval_json(mean_interval([_number(r[key]) for r in own])) for key in keys}


def _reductions(rows: Sequence[Row], system: str, baseline: str) -> dict[str, Json]:
    before, after = _of_system(rows, baseline), _of_system(rows, system)
    result: dict[str, Json] = {}
    for key in RATES:
        values = [_reduction(_number(before[s][key]), _number(after[s][key])) for s in sorted(before)]
        result[f"{key}_reduction"] = interval_json(mean_interval(values))
    changes = [_number(after[s]["false_alarm_rate"]) - _number(before[s]["false_alarm_rate"]) for s in sorted(before)]
    return result | {"false_alarm_change": interval_json(mean_interval(changes))}


def _reduction(before: float, after: float) -> float:
    return 1 - after / before if before else 0.0


def interval_json(interval: Interval) -> dict[str, Json]:
    """Return an interval as results files hold it."""
    return {"mean": interval.mean, "low": interval.low, "high": interval.high}


def _statistics(cells: Sequence[Done], systems: Sequence[str]) -> dict[str, dict[str, FloatArray]]:
    """Return the bootstrap statistics of every system, summed over the cells of one functionality."""
    total: dict[str, dict[str, FloatArray]] = {system: {} for system in systems}
    for cell in cells:
        with np.load(cell.folder / "outcomes.npz", allow_pickle=False) as saved:
            for system in systems:
                for key in RATES:
                    before = total[system].get(key, 0.0)
                    total[system][key] = before + saved[f"{system}/{key}"]
    return total


def _bootstrapped(
    statistics: Mapping[str, Mapping[str, FloatArray]], system: str, baseline: str, rng: np.random.Generator
) -> dict[str, Json]:
    return {
        f"{key}_bootstrap": _reduction_json(
            paired_bootstrap(statistics[baseline][key], statistics[system][key], rng=rng, rate=rate)
        )
        for key, rate in RATES.items()
    }


def _reduction_json(found: Reduction) -> dict[str, Json]:
    return {"relative": found.relative, "low": found.low, "high": found.high, "p_value": found.p_value}
