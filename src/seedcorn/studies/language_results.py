"""The tables and the summary of a language study: means over random subsets with intervals, and slices.

Systems are compared by word error rate, in a study without a recogniser by perplexity on test.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np

from seedcorn.evaluation.bootstrap import mean_interval, paired_bootstrap
from seedcorn.evaluation.wer import error_rate
from seedcorn.files import Json
from seedcorn.language.measures import FIXED, OWN
from seedcorn.runs import content_of, digest_of_json
from seedcorn.selection import FloatArray
from seedcorn.studies.language import CellOutcome, LanguageCell, LanguageStudyConfig
from seedcorn.studies.results import Results, interval_json

Row = Mapping[str, Json]
Outcomes = Mapping[LanguageCell, CellOutcome]
WER, PERPLEXITY = "wer", "perplexity"
MEASURES = (WER, "cer", PERPLEXITY, "perplexity_own_words", "oov_fraction", "n_words", "n_ngrams")
SLICES = ("rare intents", "frequent intents", "entity words", "other words", "code-switched words")


def language_results(config: LanguageStudyConfig, cells: Outcomes, *, command: str, random_seed: int = 0) -> Results:
    """Return the tables and the summary of finished cells; ``random_seed`` is that of the bootstrap."""
    rows = [row for cell, outcome in cells.items() for row in _cell_rows(cell, outcome)]
    compared = [name for name in (config.baseline_name, config.general) if name]
    systems = _system_rows(config, cells, rows, compared, rng=np.random.default_rng(random_seed))
    chrf = {name: value for outcome in cells.values() for name, value in outcome.dev_chrf.items()}
    inputs = {f"{cell.name} {k}": v for cell, o in cells.items() for r in o.records for k, v in r.inputs.items()}
    return Results(
        name=config.name,
        command=command,
        config_digest=digest_of_json(content_of(config)),
        data_digests={"data": digest_of_json(content_of(config.data)), **inputs},
        random_seeds=config.random_seeds,
        rows=[
            *systems,
            *_slice_rows(config, cells),
            *({"kind": "translator", "translator": name, "dev_chrf": value} for name, value in chrf.items()),
            *({"kind": "cell", **row} for row in rows),
        ],
        summary=_summary(config, systems) | ({"chrf": max(chrf.values())} if chrf else {}),
    )


def _cell_rows(cell: LanguageCell, outcome: CellOutcome) -> list[Row]:
    """Return the error rates of every system and lexicon of a cell, with the measures of its language model."""
    models = {row.system: asdict(row) for row in outcome.models}
    if outcome.measures is None:
        return [{**cell._asdict(), "lexicon": OWN, **row} for row in models.values()]
    measured = ("reduction", "low", "high", "p_value")
    return [
        {
            **cell._asdict(),
            "lexicon": row["lexicon"],
            **models[str(row["system"])],
            **{key: value for key, value in row.items() if key not in measured},
        }
        for row in outcome.measures.systems
    ]


def number(value: Json) -> float:
    """Return ``value`` as a number, NaN when it is none."""
    return float(value) if isinstance(value, int | float) else float("nan")


def _system_rows(
    config: LanguageStudyConfig,
    cells: Outcomes,
    rows: Sequence[Row],
    compared: Sequence[str],
    *,
    rng: np.random.Generator,
) -> list[dict[str, Json]]:
    """Return for every size, lexicon and system its rates and its reductions against the systems ``compared``.

    Intervals are those of Student's t over random subsets; ``bootstrap`` resamples test utterances, the errors of an
    utterance summed over subsets, where they were recognised.
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
                entry |= {k: interval_json(mean_interval(_values(own, name, k))) for k in MEASURES if k in own[0]}
                for other in compared:
                    if name != other:
                        entry[f"over {other}"] = _reduction(own, name, other, statistics, rng)
                result.append(entry)
    return result


def _values(rows: Sequence[Row], system: str, key: str) -> list[float]:
    return [number(row[key]) for row in rows if row["system"] == system]


def _statistics(cells: Outcomes, size: int, lexicon: str, systems: Sequence[str]) -> dict[str, FloatArray]:
    total: dict[str, FloatArray] = {}
    measured = (outcome.measures for cell, outcome in cells.items() if cell.n_transcripts == size)
    for measures in filter(None, measured):
        for name in systems:
            found = measures.statistics[f"{name}/{lexicon}"]
            total[name] = total[name] + found if name in total else found
    return total


def _reduction(
    rows: Sequence[Row], system: str, other: str, statistics: Mapping[str, FloatArray], rng: np.random.Generator
) -> dict[str, Json]:
    measure = compared_by(rows[0])
    before, after = _values(rows, other, measure), _values(rows, system, measure)
    over_subsets = interval_json(mean_interval([1 - a / b for b, a in zip(before, after, strict=True)]))
    if not statistics:
        return over_subsets
    found = paired_bootstrap(statistics[other], statistics[system], rng=rng, rate=error_rate)
    bootstrap = {"relative": found.relative, "low": found.low, "high": found.high, "p_value": found.p_value}
    return {**over_subsets, "bootstrap": bootstrap}


def compared_by(row: Row) -> str:
    """Return the measure by which systems are compared, as a ``row`` of one tells it."""
    return WER if WER in row else PERPLEXITY


def _slice_rows(config: LanguageStudyConfig, cells: Outcomes) -> list[dict[str, Json]]:
    """Return the mean word error rate of the main slices, and its reduction against the baseline."""
    result: list[dict[str, Json]] = []
    for size in config.sizes:
        measured = (outcome.measures for cell, outcome in cells.items() if cell.n_transcripts == size)
        own = [row for measures in filter(None, measured) for row in measures.slices]
        for name in SLICES:
            of_slice = [r for r in own if r["slice"] == name]
            before = _values(of_slice, config.baseline_name, "wer")
            for system in config.systems:
                after = _values(of_slice, system, "wer")
                if after:
                    reduction = mean_interval([1 - a / b if b else 0.0 for b, a in zip(before, after, strict=True)])
                    entry: dict[str, Json] = {"kind": "slice", "n_transcripts": size, "slice": name, "system": system}
                    wer = interval_json(mean_interval(after))
                    result.append({**entry, "wer": wer, "reduction": interval_json(reduction)})
    return result


def _summary(config: LanguageStudyConfig, systems: Sequence[Row]) -> dict[str, Json]:
    """Return the reductions of the reported system at every size, and the measure of all systems."""
    summary: dict[str, Json] = {}
    by_system: dict[str, Json] = {}
    measure = compared_by(systems[0])
    for size in config.sizes:
        own = {str(r["system"]): r for r in systems if r["n_transcripts"] == size and r["lexicon"] == OWN}
        reported = own[config.reported_name]
        summary[f"{measure}_reduction_{size}"] = _mean(reported.get(f"over {config.baseline_name}"))
        if config.general:
            summary[f"{measure}_reduction_over_general_text_{size}"] = _mean(reported.get(f"over {config.general}"))
            summary |= _over_general(f"full_over_general_{size}", reported, config)
            if config.translations:
                summary |= _over_general(f"translations_alone_{size}", own[config.translations], config)
        if config.oracle:
            summary[f"oracle_{measure}_reduction_{size}"] = _mean(
                own[config.oracle].get(f"over {config.baseline_name}")
            )
        by_system[str(size)] = {name: _mean(row[measure]) for name, row in own.items()}
    return {**summary, f"{measure}_by_system": by_system}


def _over_general(key: str, system: Row, config: LanguageStudyConfig) -> dict[str, Json]:
    """Return the reduction over the general text and its lower end, by bootstrap of the errors of all subsets."""
    over = system.get(f"over {config.general}")
    found = over.get("bootstrap") if isinstance(over, Mapping) else None
    return {key: found["relative"], f"{key}_low": found["low"]} if isinstance(found, Mapping) else {}


def _mean(value: Json) -> float:
    return number(value["mean"]) if isinstance(value, Mapping) else 0.0
