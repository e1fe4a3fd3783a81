"""What a growth study reports: forgetting, what growth brought, and which share of the way to the oracle."""

from collections.abc import Mapping, Sequence

import numpy as np

from seedcorn.evaluation.bootstrap import mean_interval
from seedcorn.files import Json
from seedcorn.report.figures import CurvePoint, curve_figure
from seedcorn.report.page import Figure, Page, Section, Table
from seedcorn.runs import content_of, digest_of_json
from seedcorn.selection import FloatArray
from seedcorn.studies.growth_label_measures import LabelMeasures, label_summary
from seedcorn.studies.growth_rounds import RoundMeasure, certified
from seedcorn.studies.growth_settings import GrowthStudyConfig
from seedcorn.studies.results import Results, fewer_in_words

_N_RESAMPLES = 2000
_IN_WORDS = {
    "forgetting": "F1 lost on earlier intents",
    "final_semantic_error_reduction": "fewer errors after the last round",
    "share_of_oracle": "share of what true labels would bring",
    "forecast_coverage": "forecasts whose interval held",
    "forecast_mean_absolute_error": "mean error of the forecasts",
    "label_noise_precision_5": "flagged labels that are wrong",
    "slot_noise_precision_5": "flagged slots that are wrong",
}


def growth_results(
    config: GrowthStudyConfig, measured: Sequence[RoundMeasure], labels: Sequence[LabelMeasures], *, command: str
) -> Results:
    """Return what the study leaves behind."""
    corpora = {"train": config.train, "test": config.test, "pool": config.pool}
    forecasts = [{"measure": "forecast", **cell.__dict__} for measure in labels for cell in measure.cells]
    return Results(
        name=config.name,
        command=command,
        config_digest=digest_of_json(content_of(config)),
        data_digests={name: digest_of_json(content_of(corpus)) for name, corpus in corpora.items()},
        random_seeds=list(config.random_seeds),
        rows=[*growth_rows(measured), *forecasts],
        summary={**growth_summary(measured, config), **label_summary(labels)},
    )


def study_page(config: GrowthStudyConfig, results: Results) -> Page:
    """Return the study as a page: error over rounds, and all numbers."""
    columns = ("random_seed", "round", "system", "n_labels", "semantic_error", "slot_f1", "false_alarm_rate")
    rows = [tuple(row[c] for c in columns) for row in results.rows if "system" in row]
    return Page(
        title=f"Seedcorn study: {config.name}",
        lead=_lead(config, results.summary),
        summary=tuple(
            (_IN_WORDS.get(name, name), f"{value:.1%}")
            for name, value in results.summary.items()
            if isinstance(value, float)
        ),
        sections=(
            Section(title="Error over rounds", contents=(_rounds_figure(results),)),
            Section(
                title="All numbers",
                contents=(
                    Table(
                        caption="Each system after each round, on all intents so far.",
                        columns=tuple(c.replace("_", " ") for c in columns),
                        rows=tuple(
                            tuple(v if isinstance(v, int | float) else _said(str(v)) for v in row) for row in rows
                        ),
                        percent_columns=("semantic error", "slot f1", "false alarm rate"),
                        searchable=True,
                    ),
                ),
            ),
        ),
        signatures=(f"config:{results.config_digest[:12]} command:{results.command}",),
    )


def _said(system: str) -> str:
    return system.replace("_", " ")


def _lead(config: GrowthStudyConfig, summary: Mapping[str, Json]) -> str:
    """Return in two sentences what the reported system and the chosen labels gain, and how sure that is."""
    match summary:
        case {
            "final_semantic_error_reduction": float(reduction),
            "chosen_25_vs_random_25": {"mean": float(mean), "low": float(low), "high": float(high)},
        }:
            return (
                f"After the last round '{_said(config.reported)}' gets {fewer_in_words(reduction)} test utterances "
                f"wrong than '{_said(config.baseline)}'. Labels of chosen utterances save {mean:.1%} of the "
                f"utterances more than as many of random ones, with a 95% interval of {low:.1%} to {high:.1%}."
            )
    return ""


def _rounds_figure(results: Results) -> Figure:
    errors: dict[tuple[str, int], list[float]] = {}
    for row in results.rows:
        match row:
            case {"system": str(system), "round": int(round_), "semantic_error": float(error)}:
                errors.setdefault((system, round_), []).append(error)
    means = {key: mean_interval(values) for key, values in errors.items()}
    return curve_figure(
        [CurvePoint(x=r, y=m.mean, low=m.low, high=m.high, series=_said(s)) for (s, r), m in means.items()],
        x_title="round (intents so far)",
        y_title="semantic error rate",
        y_percent=True,
        caption="Share of the test utterances of all intents so far whose intent or any slot is wrong.",
    )


def growth_rows(measured: Sequence[RoundMeasure]) -> list[dict[str, Json]]:
    """Return one row a system, round and random seed."""
    return [
        {
            "random_seed": m.random_seed,
            "round": m.round,
            "system": m.system,
            "n_labels": m.n_labels,
            "semantic_error": m.semantic_error,
            "slot_f1": m.slot_f1,
            "false_alarm_rate": m.false_alarm_rate,
            "intent_f1": dict(m.intent_f1),
            "promoted": m.promoted,
        }
        for m in measured
    ]


def growth_summary(measured: Sequence[RoundMeasure], config: GrowthStudyConfig) -> dict[str, Json]:
    """Return the summary keys of the study; all are fractions, means over random seeds."""
    last = max(m.round for m in measured)
    final = {(m.system, m.random_seed): m for m in measured if m.round == last}
    names = list(dict.fromkeys(m.system for m in measured))
    error = {name: _mean([m.semantic_error for (s, _), m in final.items() if s == name]) for name in names}
    base, best = error[config.baseline], error[config.oracle]
    room = base - best
    chosen, random = _errors(measured, config.chosen), _errors(measured, config.random)
    return {
        "forgetting": _mean([forgetting(measured, config.reported, seed) for seed in config.random_seeds]),
        "final_semantic_error": {**error},
        "final_semantic_error_reduction": (base - error[config.reported]) / base if base else 0.0,
        "share_of_oracle": (base - error[config.reported]) / room if room > 0 else 1.0,
        "chosen_25_vs_random_25": difference(random, chosen, rng=np.random.default_rng(0)),
        **_against_twice(measured, config),
        "promoted_share": {
            certified(name): _mean([float(m.promoted) for m in measured if m.system == certified(name)])
            for name, system in config.systems.items()
            if system.certified
        },
        "forgetting_by_system": {
            name: _mean([forgetting(measured, name, seed) for seed in config.random_seeds]) for name in names
        },
    }


def _against_twice(measured: Sequence[RoundMeasure], config: GrowthStudyConfig) -> dict[str, Json]:
    if config.random_twice is None:
        return {}
    chosen, random = _errors(measured, config.chosen), _errors(measured, config.random_twice)
    return {"chosen_25_vs_random_50": difference(random, chosen, rng=np.random.default_rng(0))}


def forgetting(measured: Sequence[RoundMeasure], system: str, random_seed: int) -> float:
    """Return the mean over intents of the F1 lost from the best round to the last (Chaudhry et al. 2018)."""
    own = sorted((m for m in measured if (m.system, m.random_seed) == (system, random_seed)), key=lambda m: m.round)
    lost = []
    for intent, final in own[-1].intent_f1.items():
        before = [m.intent_f1[intent] for m in own[:-1] if intent in m.intent_f1]
        if before:
            lost.append(max(0.0, max(before) - final))
    return _mean(lost)


def difference(
    worse: Mapping[tuple[int, int], FloatArray],
    better: Mapping[tuple[int, int], FloatArray],
    *,
    rng: np.random.Generator,
) -> dict[str, Json]:
    """Return by how much the error of ``better`` is lower, over the rounds of both, with a 95% interval.

    Both map (random seed, round) to the errors of the same test utterances; these are resampled within each.
    """
    gains = [worse[key] - better[key] for key in sorted(worse.keys() & better.keys())]
    drawn = [[g[rng.integers(0, len(g), len(g))].mean() for g in gains] for _ in range(_N_RESAMPLES)]
    low, high = np.quantile(np.mean(drawn, axis=1), [0.025, 0.975]).tolist()
    return {"mean": _mean([float(g.mean()) for g in gains]), "low": low, "high": high}


def _errors(measured: Sequence[RoundMeasure], system: str) -> dict[tuple[int, int], FloatArray]:
    return {(m.random_seed, m.round): np.array(m.errors) for m in measured if m.system == system}


def _mean(values: Sequence[float]) -> float:
    return mean_interval(values).mean if values else 0.0
