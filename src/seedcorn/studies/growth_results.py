"""What a growth study reports: forgetting, what growth brought, and which share of the way to the oracle."""

from collections.abc import Mapping, Sequence

import numpy as np

from seedcorn.evaluation.bootstrap import mean_interval
from seedcorn.runs import Json
from seedcorn.selection import FloatArray
from seedcorn.studies.growth import GrowthStudyConfig, RoundMeasure

_N_RESAMPLES = 2000


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
        }
        for m in measured
    ]


def growth_summary(measured: Sequence[RoundMeasure], config: GrowthStudyConfig) -> dict[str, Json]:
    """Return the summary keys of the study; all are fractions, means over random seeds."""
    last = max(m.round for m in measured)
    final = {(m.system, m.random_seed): m for m in measured if m.round == last}
    error = {name: _mean([m.semantic_error for (s, _), m in final.items() if s == name]) for name in config.systems}
    base, best = error[config.baseline], error[config.oracle]
    room = base - best
    chosen, random = _errors(measured, config.chosen), _errors(measured, config.random)
    return {
        "forgetting": _mean([forgetting(measured, config.reported, seed) for seed in config.random_seeds]),
        "final_semantic_error": {**error},
        "final_semantic_error_reduction": (base - error[config.reported]) / base if base else 0.0,
        "share_of_oracle": (base - error[config.reported]) / room if room > 0 else 1.0,
        "chosen_25_vs_random_25": difference(random, chosen, rng=np.random.default_rng(0)),
    }


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
    """Return by how much the error of ``better`` is lower, over all rounds of equal labels, with a 95 % interval.

    Both map (random seed, round) to the errors of the same test utterances; these are resampled within each.
    """
    gains = [worse[key] - better[key] for key in sorted(worse.keys() & better.keys())]
    drawn = [[g[rng.integers(0, len(g), len(g))].mean() for g in gains] for _ in range(_N_RESAMPLES)]
    low, high = np.quantile(np.mean(drawn, axis=1), [0.025, 0.975]).tolist()
    return {"mean": _mean([float(g.mean()) for g in gains]), "low": low, "high": high}


def _errors(measured: Sequence[RoundMeasure], system: str) -> dict[tuple[int, int], FloatArray]:
    return {(m.random_seed, m.round): m.errors for m in measured if m.system == system}


def _mean(values: Sequence[float]) -> float:
    return mean_interval(values).mean if values else 0.0
