"""Does the pool pay? The systems of the MASSIVE study on its development functionalities, at equal false alarms.

    python benchmarks/pool_development.py --functionalities music calendar_query alarm --encoder FOLDER_OR_NAME

A cell is a few minutes of one thread; what is finished is found again in ``--run-dir``. For each functionality it
prints relevance recall (the share of the hidden utterances of the functionality among the relevant pool) and, for
every system at its own threshold for the budget, the share missed, semantic errors and false alarms on the official
test: n-grams of the seed only; logistic regression on the encoder's sentence vectors, which has no slots; without
pool; with pool; and with the true labels of all that is hidden. The reported functionalities of the study are refused.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from seedcorn.config import load_config
from seedcorn.corpus.utterances import Utterance
from seedcorn.files import Json
from seedcorn.intent.data import IntentData
from seedcorn.intent.oracle import TrainOracle
from seedcorn.intent.pipeline import run_intent
from seedcorn.intent.result import IntentResult
from seedcorn.nlu.cross_validation import folds_alike
from seedcorn.nlu.operating_point import threshold_at_budget
from seedcorn.nlu.sentence_encoder import load_sentence_encoder
from seedcorn.nlu.training import SelfTrainingSettings
from seedcorn.runs import Run
from seedcorn.selection import FloatArray
from seedcorn.studies.intent import Cell, IntentStudyConfig, System, settings_of

STUDY = Path(__file__).parents[1] / "configs" / "study-intent-massive.yaml"
INVERSE_REGULARISATION = 100.0  # of the peer, chosen among 10 and 100 on music, calendar and alarm
N_FOLDS = 3


def peer_log_odds(
    train: Sequence[Utterance], texts: Sequence[str], intents: Sequence[str], *, encoder: str
) -> FloatArray:
    """Return the log odds of the functionality by multinomial regression on sentence vectors."""
    from scipy.special import logsumexp
    from sklearn.linear_model import LogisticRegression

    encode = load_sentence_encoder(encoder).encode
    vectors = encode([u.text for u in train])
    mean = vectors.mean(axis=0)
    model = LogisticRegression(C=INVERSE_REGULARISATION, max_iter=100)
    model.fit(vectors - mean, [u.intent for u in train])
    margins = (encode(texts) - mean) @ model.coef_.T + model.intercept_
    own = np.isin(model.classes_, intents)
    return np.asarray(logsumexp(margins[:, own], axis=1) - logsumexp(margins[:, ~own], axis=1), dtype=np.float64)


def peer(data: IntentData, *, encoder: str, budget: float) -> dict[str, Json]:
    """Return the misses and false alarms of the peer at ``budget``, its threshold from folds and dev as ours are."""
    rows = [*data.seed, *data.background]
    folds = folds_alike([u.intent for u in rows], N_FOLDS, 0)
    others: list[float] = []
    for fold in range(N_FOLDS):
        held_out = [u.text for u, f in zip(rows, folds, strict=True) if f == fold and u.intent not in data.intents]
        train = [u for u, f in zip(rows, folds, strict=True) if f != fold]
        others += peer_log_odds(train, held_out, data.intents, encoder=encoder).tolist()
    dev = [u.text for u in data.dev if u.intent not in data.intents]
    others += peer_log_odds(rows, dev, data.intents, encoder=encoder).tolist()
    found = peer_log_odds(rows, [u.text for u in data.test], data.intents, encoder=encoder)
    above = found > threshold_at_budget(np.array(others), budget=budget).value
    own = np.array([u.intent in data.intents for u in data.test])
    return {"missed": float((~above[own]).mean()), "false_alarm_rate": float(above[~own].mean())}


def missed(result: IntentResult, model_name: str) -> float:
    """Return the share of the functionality's test utterances that a model takes for something else."""
    data = result.data.value
    models = {"without pool": result.teacher.value.model, "with pool": result.trained.value.model}
    models["seed only"] = result.teacher.value.seed_only
    own = [u for u in data.test if u.intent in data.intents]
    predicted = models[model_name].predict([u.text for u in own])
    return float(np.mean([p.intent not in data.intents for p in predicted]))


def rows_of_cell(study: IntentStudyConfig, cell: Cell, *, folder: Path) -> list[Mapping[str, Json]]:
    """Return one row a system of ``cell``."""
    config = settings_of(cell, study, System())
    run = Run(folder=folder / cell.name, random_seed=cell.random_seed)
    result, training = run_intent(config, run=run), config.self_training
    cut = result.data.value
    relevant = set(result.relevant.value.rows.column("text").to_pylist())
    hidden = {u.text for u in cut.hidden if u.intent in cut.intents}
    about: dict[str, Json] = {"relevance_recall": len(hidden & relevant) / len(hidden)}
    rows: list[Mapping[str, Json]] = [
        {**about, **row, "missed": missed(result, str(row["system"]))} for row in result.evaluated.value.systems
    ]
    oracle = TrainOracle(**{name: getattr(training, name) for name in SelfTrainingSettings.model_fields})
    rows.append({"system": "true labels", **run.do(oracle, result.data, result.teacher).value.rates})
    if training.encoder is not None:
        found = peer(cut, encoder=str(training.encoder), budget=training.false_alarm_budget)
        rows.append({"system": "logistic regression", **found})
    return rows


def main() -> None:
    """Print one line a system and cell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--functionalities", nargs="+")
    parser.add_argument("--encoder")
    parser.add_argument("--random-seed", type=int, default=1)
    parser.add_argument("--run-dir", type=Path, default=Path("runs/pool-development"))
    chosen = parser.parse_args()
    encoder = f"run.self_training.encoder={chosen.encoder or 'null'}"
    study = load_config(STUDY, IntentStudyConfig, overrides=[encoder])
    development = [name for name in study.functionalities if name not in study.reported]
    for functionality in chosen.functionalities or development:
        if functionality not in development:
            parser.error(f"{functionality} is not a development functionality; those are {', '.join(development)}")
        cell = Cell("en-US", functionality, 50, chosen.random_seed)
        for row in rows_of_cell(study, cell, folder=chosen.run_dir):
            numbers = " ".join(f"{name} {value:.3f}" for name, value in row.items() if isinstance(value, float))
            sys.stdout.write(f"{functionality:16s}{row['system']:22s}{numbers}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
