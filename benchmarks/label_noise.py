"""Label noise found, out-of-scope text told and learning curves foretold, on ten intents of MASSIVE en-US.

Command: python benchmarks/label_noise.py

Noise: 2, 5 and 10 % of the intents, and of the types of slots, are swapped in 500 training utterances of the intents;
precision is that of as many most suspicious labels as were swapped. Out of scope: a model of 50 utterances an intent
and 200 of other intents; AUROC of test utterances against text of the open pool (Tatoeba, CLINC150) and of MASSIVE's
other intents. Forecasts: six intents, each with 200 others, from half of 48 labels for all. With "dev", the development
intents are measured on the dev partition, and nothing is written.
"""

import json
import sys
from collections.abc import Sequence
from functools import partial

import numpy as np

from growth_data import DEVELOPMENT, REPORTED, RESULTS, cut, data_file, massive, open_text, train, trainer
from seedcorn.corpus.utterances import Utterance
from seedcorn.files import digest_of_file
from seedcorn.nlu.linear import LinearSettings, train_linear
from seedcorn.nlu.out_of_scope import fit_scope_gate, scope_scores
from seedcorn.runs import Json, digest_of_json
from seedcorn.studies.growth_labels import ForecastCell, forecast_cell, noise_precision, spoil
from seedcorn.studies.results import Results, write_results

FRACTIONS = (0.02, 0.05, 0.1)
RANDOM_SEEDS = (1,)
N_NOISE = 500
N_FORECAST_INTENTS = 6


def shown(row: dict[str, Json]) -> dict[str, Json]:
    """Print ``row`` and return it."""
    sys.stdout.write(json.dumps(row) + "\n")
    sys.stdout.flush()
    return row


def noise_rows(intents: Sequence[str]) -> list[dict[str, Json]]:
    """Return the precision by fraction of swapped labels."""
    rows = [u for u in massive("train") if u.intent in intents]
    rows = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))[:N_NOISE].tolist()]
    found = []
    for fraction in FRACTIONS:
        spoilt = spoil(rows, fraction=fraction, rng=np.random.default_rng(1))
        precision = noise_precision(
            partial(train_linear, settings=LinearSettings(n_crf_iterations=20)), spoilt, n_folds=3
        )
        found.append(shown({"measure": "label noise", "fraction": fraction, "n": len(rows), **precision}))
    return found


def scope_rows(intents: Sequence[str], test: Sequence[Utterance]) -> list[dict[str, Json]]:
    """Return the AUROC on each kind of out-of-scope text, and the gate's recall at 5 % false alarms."""
    setting = cut(massive("train"), test, intents, n_seed=50, random_seed=1)
    model = train(setting.labelled, intents)
    own = scope_scores(model, [u.text for u in setting.test], intents=intents)
    kinds = {
        "tatoeba": open_text("tatoeba_en", 2000),
        "clinc150": open_text("clinc150", 2000),
        "massive, other intents": setting.outside,
    }
    rows = []
    for kind, texts in kinds.items():
        outside = scope_scores(model, [u.text for u in texts], intents=intents)
        gate = fit_scope_gate(own, outside[::2], most_false_alarms=0.05)
        passed = float(gate.passes(outside[1::2]).mean())
        rows.append(
            shown(
                {
                    "measure": "out of scope",
                    "text": kind,
                    "auroc": gate.auroc,
                    "recall": gate.recall,
                    "false_alarm_rate": passed,
                    "bound": gate.false_alarm_rate,
                }
            )
        )
    return rows


def forecast_rows(intents: Sequence[str], test: Sequence[Utterance]) -> list[dict[str, Json]]:
    """Return a forecast for each intent and random seed, with what came."""
    rows = []
    for random_seed in RANDOM_SEEDS:
        for intent in intents[:N_FORECAST_INTENTS]:
            setting = cut(massive("train"), test, [intent], n_seed=48, random_seed=random_seed, n_pool=(0, 0))
            own = [u for u in setting.labelled if u.intent == intent]
            others = [u for u in setting.labelled if u.intent != intent]
            cell = forecast_cell(trainer([intent]), own, setting.test, background=others, random_seed=random_seed)
            rows.append(shown({"measure": "forecast", "intent": intent, "random_seed": random_seed, **_as_row(cell)}))
    return rows


def _as_row(cell: ForecastCell) -> dict[str, Json]:
    return {**cell.__dict__, "is_covered": cell.is_covered}


def main() -> None:
    """Measure and write the results of the reported intents."""
    is_dev = sys.argv[1:] == ["dev"]
    intents, test = (DEVELOPMENT, massive("dev")) if is_dev else (REPORTED, massive("test"))
    noise, scope, forecasts = noise_rows(intents), scope_rows(intents, test), forecast_rows(intents, test)
    missed = [abs(float(str(r["forecast"])) - float(str(r["truth"]))) for r in forecasts]
    summary: dict[str, Json] = {
        **{f"label_noise_precision_{round(100 * f)}": r["intents"] for f, r in zip(FRACTIONS, noise, strict=True)},
        **{f"slot_noise_precision_{round(100 * f)}": r["slots"] for f, r in zip(FRACTIONS, noise, strict=True)},
        **{f"out_of_scope_auroc_{str(r['text']).split(',')[0]}": r["auroc"] for r in scope},
        "forecast_coverage": float(np.mean([bool(r["is_covered"]) for r in forecasts])),
        "forecast_mean_absolute_error": float(np.mean(missed)),
    }
    shown(summary)
    if is_dev:
        return
    write_results(
        Results(
            name="growth-labels",
            command="python benchmarks/label_noise.py",
            config_digest=digest_of_json({"intents": list(REPORTED), "fractions": list(FRACTIONS)}),
            data_digests={
                name: digest_of_file(data_file(path))
                for name, path in (("massive", "massive/en-US.jsonl.gz"), ("pool", "pool/en.tsv.gz"))
            },
            random_seeds=list(RANDOM_SEEDS),
            rows=[*scope, *forecasts, *noise],
            summary=summary,
        ),
        RESULTS,
    )


if __name__ == "__main__":
    main()
