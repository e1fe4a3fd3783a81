"""The tables and the summary of an intent study: means with intervals, development and reported functionalities apart.

The interval of a mean reduction is Student's t over functionalities: what is to be expected of the next one. Beside it
stands the paired bootstrap over test utterances.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TypeAlias

import numpy as np

from seedcorn.evaluation.bootstrap import Interval, mean_interval, one_minus_f1, paired_bootstrap, sum_rate
from seedcorn.files import Json
from seedcorn.intent.measures import SEED_ONLY, TRUE_LABELS, WITHOUT_POOL
from seedcorn.runs import content_of, digest_of_json
from seedcorn.selection import FloatArray
from seedcorn.studies.intent import IntentStudyConfig, MeasuredCell, systems_of
from seedcorn.studies.results import Results, interval_json

RATES = {"semantic_error": sum_rate, "intent_error": one_minus_f1}
PEER = "setfit"
DEVELOPMENT, REPORTED = "development", "reported"

Row: TypeAlias = dict[str, Json]


def intent_results(
    config: IntentStudyConfig, cells: Sequence[MeasuredCell], *, command: str, random_seed: int = 0
) -> Results:
    """Return rows and summary of finished cells; ``random_seed`` is that of the bootstrap."""
    rng = np.random.default_rng(random_seed)
    corpora = {name: digest_of_json(content_of(corpus.data)) for name, corpus in config.corpora.items()}
    return Results(
        name=config.name,
        command=command,
        config_digest=digest_of_json(content_of(config)),
        data_digests=corpora,
        random_seeds=config.random_seeds,
        rows=[
            *mean_rows(config, cells),
            *functionality_rows(config, cells, rng=rng),
            *({"kind": "cell", **row} for cell in cells for row in cell.rows()),
        ],
        summary=summary(config, cells, rng=rng),
    )


def part_of(config: IntentStudyConfig, functionality: str) -> str:
    """Return whether a functionality is for development or for the report."""
    return REPORTED if functionality in config.reported else DEVELOPMENT


def mean_rows(config: IntentStudyConfig, cells: Sequence[MeasuredCell]) -> list[Row]:
    """Return for every corpus, part and system its mean rates, and its reductions with their intervals."""
    rows: list[Row] = []
    for corpus, part in dict.fromkeys((c.cell.corpus, part_of(config, c.cell.functionality)) for c in cells):
        own = [c for c in cells if c.cell.corpus == corpus and part_of(config, c.cell.functionality) == part]
        for system in systems_of(own):
            row: Row = {"kind": "mean", "corpus": corpus, "part": part, "system": system, "n_cells": len(own)}
            for key in (*RATES, "slot_f1", "false_alarm_rate"):
                row[key] = interval_json(mean_interval(_rates_by_functionality(own, system, key)))
            for baseline in (SEED_ONLY, WITHOUT_POOL):
                for key in RATES:
                    row[f"{key}_reduction_against_{baseline.replace(' ', '_')}"] = interval_json(
                        reduction_interval(own, baseline=baseline, system=system, key=key)
                    )
            rows.append(row)
    return rows


def functionality_rows(
    config: IntentStudyConfig, cells: Sequence[MeasuredCell], *, rng: np.random.Generator
) -> list[Row]:
    """Return for every functionality and system the bootstrapped reductions against the model without the pool."""
    rows: list[Row] = []
    for corpus, functionality in dict.fromkeys((c.cell.corpus, c.cell.functionality) for c in cells):
        own = [c for c in cells if (c.cell.corpus, c.cell.functionality) == (corpus, functionality)]
        for system in systems_of(own):
            row: Row = {"kind": "functionality", "corpus": corpus, "functionality": functionality, "system": system}
            row["part"] = part_of(config, functionality)
            for key, rate in RATES.items():
                before, after = (_summed(own, name, key) for name in (WITHOUT_POOL, system))
                found = paired_bootstrap(before, after, rng=rng, rate=rate)
                row[key] = float(np.mean([_rate(c, system, key) for c in own]))
                row[f"{key}_bootstrap"] = {"relative": found.relative, "low": found.low, "high": found.high}
            row["false_alarm_rate"] = float(np.mean([_rate(c, system, "false_alarm_rate") for c in own]))
            rows.append(row)
    return rows


def summary(config: IntentStudyConfig, cells: Sequence[MeasuredCell], *, rng: np.random.Generator) -> Row:
    """Return what the study says in a few numbers, for the reported functionalities and for development apart.

    The first corpus is the one that stands for the study; ``by_locale`` has all.
    """
    first = next(iter(config.corpora))
    parts: Row = {}
    for part in (REPORTED, DEVELOPMENT):
        own = [c for c in cells if c.cell.corpus == first and part_of(config, c.cell.functionality) == part]
        if own:
            parts[part] = _part_summary(config, own, rng=rng)
    headline = parts.get(REPORTED) or parts.get(DEVELOPMENT)
    return {**(headline if isinstance(headline, Mapping) else {}), **parts, "by_locale": _by_locale(config, cells)}


def _by_locale(config: IntentStudyConfig, cells: Sequence[MeasuredCell]) -> Row:
    """Return the reduction of the semantic error by the first system, of each corpus."""
    system = next(iter(config.systems))
    found: Row = {}
    for corpus in config.corpora:
        own = [c for c in cells if c.cell.corpus == corpus]
        own = [c for c in own if part_of(config, c.cell.functionality) == REPORTED] or own
        found[corpus] = interval_json(
            reduction_interval(own, baseline=WITHOUT_POOL, system=system, key="semantic_error")
        )
    return found


def _part_summary(config: IntentStudyConfig, cells: Sequence[MeasuredCell], *, rng: np.random.Generator) -> Row:
    reported, *others = config.systems
    against = partial(reduction_interval, cells, key="semantic_error")
    pool = against(baseline=WITHOUT_POOL, system=reported)
    found: Row = {
        "pool_reduction": pool.mean,
        "pool_reduction_low": pool.low,
        "semantic_error_reduction": against(baseline=SEED_ONLY, system=reported).mean,
        "pool_intent_error_reduction": reduction_interval(
            cells, baseline=WITHOUT_POOL, system=reported, key="intent_error"
        ).mean,
        "n_worse": n_worse(cells, reported, rng=rng),
        "false_alarm_rate": _mean(cells, reported, "false_alarm_rate"),
        "n_functionalities": len({c.cell.functionality for c in cells}),
    }
    known = systems_of(cells)
    if PEER in known:
        found["vs_setfit_intent_error"] = interval_json(
            reduction_interval(cells, baseline=PEER, system=reported, key="intent_error")
        )
    if TRUE_LABELS in known:
        without, with_pool, oracle = (
            _mean(cells, name, "semantic_error") for name in (WITHOUT_POOL, reported, TRUE_LABELS)
        )
        found["share_of_oracle"] = (without - with_pool) / (without - oracle) if without > oracle else 0.0
    found["gain_kept"] = {name: _share(_mean_gain(cells, name), _mean_gain(cells, reported)) for name in others}
    return found


def n_worse(cells: Sequence[MeasuredCell], system: str, *, rng: np.random.Generator) -> int:
    """Return how many functionalities have more semantic errors with the pool than without, with confidence."""
    worse = 0
    for functionality in dict.fromkeys(c.cell.functionality for c in cells):
        own = [c for c in cells if c.cell.functionality == functionality]
        before, after = (_summed(own, name, "semantic_error") for name in (WITHOUT_POOL, system))
        worse += paired_bootstrap(before, after, rng=rng).high < 0
    return worse


def reduction_interval(cells: Sequence[MeasuredCell], *, baseline: str, system: str, key: str) -> Interval:
    """Return the mean relative reduction of a rate with its interval over functionalities.

    That of a functionality is the reduction of its mean rate over random seeds.
    """
    before = _rates_by_functionality(cells, baseline, key)
    after = _rates_by_functionality(cells, system, key)
    return mean_interval([1 - a / b if b else 0.0 for b, a in zip(before, after, strict=True)])


def _rates_by_functionality(cells: Sequence[MeasuredCell], system: str, key: str) -> list[float]:
    names = dict.fromkeys(c.cell.functionality for c in cells)
    return [float(np.mean([_rate(c, system, key) for c in cells if c.cell.functionality == name])) for name in names]


def _rate(cell: MeasuredCell, system: str, key: str) -> float:
    return float(str(cell.systems[system].rates[key]))


def _mean(cells: Sequence[MeasuredCell], system: str, key: str) -> float:
    return float(np.mean(_rates_by_functionality(cells, system, key)))


def _mean_gain(cells: Sequence[MeasuredCell], system: str) -> float:
    return reduction_interval(cells, baseline=WITHOUT_POOL, system=system, key="semantic_error").mean


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _summed(cells: Sequence[MeasuredCell], system: str, key: str) -> FloatArray:
    """Return the bootstrap statistics of the test utterances, summed over the random seeds of one functionality."""
    return np.sum([cell.systems[system].statistics[key] for cell in cells], axis=0)
