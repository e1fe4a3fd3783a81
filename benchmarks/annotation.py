"""25 and 50 chosen labels against 25 and 50 random ones, on MASSIVE en-US and SNIPS, by hidden labels.

Command: python benchmarks/annotation.py [--seeds 3] [--encoder NAME], the encoder frozen and fine-tuned beside n-grams

An agent has 20 labelled utterances of each of ten intents and 200 others; its pool holds up to 1,000 utterances of
these intents and 1,000 others, unlabelled. With "dev" as argument all strategies are compared on development intents
and the dev partition, by which the default was chosen; else the default is measured on the reported intents and SNIPS.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence

import numpy as np

from growth_data import DEVELOPMENT, REPORTED, RESULTS, Setting, cut, data_file, massive, measured, train
from seedcorn.corpus.formats import read_corpus
from seedcorn.deployment.proposals import propose
from seedcorn.diversity.annotate import AnnotationSettings
from seedcorn.diversity.methods import Strategy
from seedcorn.files import Json
from seedcorn.input_files import digest_of_file
from seedcorn.nlu.linear import LinearNlu
from seedcorn.runs import digest_of_json
from seedcorn.selection import FloatArray
from seedcorn.studies.results import Results, write_results

SIZES = (25, 50)
RANDOM_RELEVANT = "random of what the model takes to be in scope"
COMPARED = (
    ("chosen_25_vs_random_25", ("mixed", 25), ("random", 25)),
    ("chosen_25_vs_random_50", ("mixed", 25), ("random", 50)),
    ("chosen_50_vs_random_50", ("mixed", 50), ("random", 50)),
    ("chosen_25_vs_random_in_scope_25", ("mixed", 25), (RANDOM_RELEVANT, 25)),
)


def chosen_rows(setting: Setting, model: LinearNlu, strategy: str, size: int, random_seed: int) -> list[int]:
    """Return the rows of the pool that are annotated; a smaller batch is the beginning of a larger one."""
    texts = [u.text for u in setting.pool]
    if strategy == RANDOM_RELEVANT:
        taken = [i for i, p in enumerate(model.predict(texts)) if p.intent in setting.intents]
        return [int(i) for i in np.random.default_rng(random_seed).permutation(taken)[:size]]
    batch = propose(
        texts,
        model=model,
        labelled=setting.labelled,
        intents=setting.intents,
        settings=AnnotationSettings(strategy=Strategy(strategy), batch_size=size),
        random_seed=random_seed,
    )
    return [p.position for p in batch.proposals]


def false_alarm_rate(model: LinearNlu, setting: Setting) -> float | None:
    """Return which share of the utterances of other intents the model takes for its own; None where there are none."""
    if not setting.outside:
        return None
    return float(np.isin(measured(model, setting.outside).found_intents, setting.intents).mean())


def rows_of(
    name: str, setting: Setting, strategies: Sequence[str], encoder: str | None, random_seed: int
) -> Iterator[tuple[dict[str, Json], FloatArray]]:
    """Yield the measured rates of each strategy and size, and the semantic errors by utterance."""
    first = train(setting.labelled, setting.intents, encoder)
    chosen = {s: chosen_rows(setting, first, s, max(SIZES), random_seed) for s in strategies}
    for strategy, size in [("none", 0), *((s, n) for s in strategies for n in SIZES)]:
        labels = [setting.pool[i] for i in chosen[strategy][:size]] if size else []
        model = train([*setting.labelled, *labels], setting.intents, encoder) if size else first
        found = measured(model, setting.test)
        row: dict[str, Json] = {
            "data": name,
            "random_seed": random_seed,
            "strategy": strategy,
            "n_labels": size,
            "n_in_scope": sum(u.intent in setting.intents for u in labels),
            "semantic_error": found.semantic_error_rate,
            "intent_error": 1 - found.intent_accuracy,
            "slot_f1": found.slot_f1,
            "false_alarm_rate": false_alarm_rate(model, setting),
        }
        sys.stdout.write(json.dumps(row) + "\n")
        sys.stdout.flush()
        yield row, found.semantic_errors.astype(np.float64)


def settings_of(which: str, random_seed: int) -> dict[str, Setting]:
    """Return the settings of the development or of the reported intents, and of SNIPS beside the latter."""
    if which == "dev":
        return {"massive": cut(massive("train"), massive("dev"), DEVELOPMENT, n_seed=20, random_seed=random_seed)}
    train, test = (read_corpus(data_file(f"snips/slotgated/{part}")).utterances() for part in ("train", "test"))
    intents = sorted({u.intent for u in train})
    return {
        "massive": cut(massive("train"), massive("test"), REPORTED, n_seed=20, random_seed=random_seed),
        "snips": cut(train, test, intents, n_seed=20, random_seed=random_seed),
    }


def difference(
    errors: dict[tuple[str, int, str, int], FloatArray],
    data: str,
    a: tuple[str, int],
    b: tuple[str, int],
    rng: np.random.Generator,
) -> dict[str, Json]:
    """Return how much lower the semantic error is with ``a`` than with ``b``, with a 95 % interval over utterances."""
    seeds = sorted({seed for d, seed, *_ in errors if d == data})
    gains = np.mean([errors[data, s, *b] - errors[data, s, *a] for s in seeds], axis=0)
    means = [gains[rng.integers(0, len(gains), len(gains))].mean() for _ in range(2000)]
    low, high = np.quantile(means, [0.025, 0.975]).tolist()
    return {"mean": float(gains.mean()), "low": low, "high": high}


def mean_errors(rows: Sequence[dict[str, Json]], data: str) -> dict[str, Json]:
    """Return the mean semantic error of each strategy and size over the random seeds."""
    of: dict[str, list[float]] = {}
    for row in rows:
        if row["data"] == data:
            of.setdefault(f"{row['strategy']}-{row['n_labels']}", []).append(float(str(row["semantic_error"])))
    return {name: float(np.mean(errors)) for name, errors in of.items()}


def main() -> None:
    """Measure, print every row, and write the results of the reported intents."""
    options = argparse.ArgumentParser()
    options.add_argument("which", nargs="?", default="reported")
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--encoder", help="a name on the model hub or a folder")
    given = options.parse_args()
    strategies = [s.value for s in Strategy] if given.which == "dev" else ["mixed", "random"]
    strategies.append(RANDOM_RELEVANT)
    rows: list[dict[str, Json]] = []
    errors: dict[tuple[str, int, str, int], FloatArray] = {}
    for random_seed in range(1, given.seeds + 1):
        for name, setting in settings_of(given.which, random_seed).items():
            setting.test.sort(key=lambda u: u.id)  # the same utterances in one order, whatever the random seed
            for row, wrong in rows_of(name, setting, strategies, given.encoder, random_seed):
                rows.append(row)
                errors[name, random_seed, str(row["strategy"]), int(str(row["n_labels"]))] = wrong
    names = list(dict.fromkeys(str(row["data"]) for row in rows))
    summary: dict[str, Json] = {name: {"semantic_error": mean_errors(rows, name)} for name in names}
    sys.stdout.write(json.dumps(summary, indent=1) + "\n")
    if given.which == "dev":
        return
    rng = np.random.default_rng(0)
    for name in names:
        for key, one, other in COMPARED:
            summary[f"{name}_{key}"] = difference(errors, name, one, other, rng)
    write_results(
        Results(
            name="growth-annotation-encoder" if given.encoder else "growth-annotation",
            command="python benchmarks/annotation.py"
            + (f" --encoder NAME --seeds {given.seeds}" if given.encoder else ""),
            config_digest=digest_of_json({"sizes": list(SIZES), "intents": list(REPORTED)}),
            data_digests={"massive": digest_of_file(data_file("massive/en-US.jsonl.gz"))},
            random_seeds=list(range(1, given.seeds + 1)),
            rows=rows,
            summary=summary,
        ),
        RESULTS,
    )


if __name__ == "__main__":
    main()
