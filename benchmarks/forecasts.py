"""Learning curves foretold, on agents of five intents of MASSIVE en-US.

Command: python benchmarks/forecasts.py

Each agent has 48 labels of each of its intents and 200 utterances of others; from half of the labels the error with all
of them is foretold. With "dev", the development intents are measured on the dev partition, and nothing is written.
"""

import sys
from collections.abc import Sequence

import numpy as np

from growth_data import DEVELOPMENT, REPORTED, cut, massive, shown, trainer, written
from seedcorn.corpus.utterances import Utterance
from seedcorn.files import Json
from seedcorn.studies.growth_labels import forecast_cell

RANDOM_SEEDS = (1, 2, 3)
N_INTENTS = 5


def forecast_rows(intents: Sequence[str], test: Sequence[Utterance]) -> list[dict[str, Json]]:
    """Return a forecast for each agent and random seed, with what came."""
    groups = [intents[start : start + N_INTENTS] for start in range(0, len(intents) - N_INTENTS + 1, N_INTENTS)]
    return [shown(forecast_row(group, test, random_seed)) for random_seed in RANDOM_SEEDS for group in groups]


def forecast_row(intents: Sequence[str], test: Sequence[Utterance], random_seed: int) -> dict[str, Json]:
    """Return the forecast for an agent of ``intents``."""
    setting = cut(massive("train"), test, intents, n_seed=48, random_seed=random_seed, n_pool=(0, 0))
    own = [u for u in setting.labelled if u.intent in intents]
    others = [u for u in setting.labelled if u.intent not in intents]
    cell = forecast_cell(trainer(intents), own, setting.test, background=others, random_seed=random_seed)
    about = {"measure": "forecast", "intents": list(intents), "random_seed": random_seed}
    return {**about, **cell.__dict__, "is_covered": cell.is_covered}


def main() -> None:
    """Measure, and write the results of the reported intents."""
    is_dev = sys.argv[1:] == ["dev"]
    rows = forecast_rows(*((DEVELOPMENT, massive("dev")) if is_dev else (REPORTED, massive("test"))))
    missed = [abs(float(str(r["forecast"])) - float(str(r["truth"]))) for r in rows]
    summary: dict[str, Json] = {
        "forecast_coverage": float(np.mean([bool(r["is_covered"]) for r in rows])),
        "forecast_mean_absolute_error": float(np.mean(missed)),
    }
    shown(summary)
    if not is_dev:
        written("growth-forecasts", rows, summary, {"random_seeds": list(RANDOM_SEEDS)})


if __name__ == "__main__":
    main()
