"""The linear NLU model on all of MASSIVE en-US: intent accuracy, slot F1 and calibration on the official test.

Command: python benchmarks/nlu_massive.py
"""

import sys
import time
from pathlib import Path

import numpy as np

from seedcorn.nlu.calibration import calibrate, expected_calibration_error, intent_confidences, slot_confidences
from seedcorn.nlu.linear import train_linear
from seedcorn.nlu.metrics import outcomes
from seedcorn.pipelines.corpus_files import CorpusFile, open_corpus, resolved_path
from seedcorn.runs import Json, digest_of_file, digest_of_json
from seedcorn.studies.results import Results, write_results

MASSIVE = "${SEEDCORN_DATA}/massive/en-US.jsonl.gz"
RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """Train once, and write the results."""
    here = Path.cwd()
    train, test = (
        open_corpus(CorpusFile(path=MASSIVE, where={"partition": name}), relative_to=here).utterances()
        for name in ("train", "test")
    )
    started = time.perf_counter()
    model = train_linear(train)
    seconds = time.perf_counter() - started
    calibration = calibrate(train_linear, train, n_folds=2)
    raw = model.predict([u.text for u in test])
    calibrated = [calibration.calibrated(p) for p in raw]
    found = outcomes(test, raw)
    summary: dict[str, Json] = {
        "intent_accuracy": found.intent_accuracy,
        "slot_f1": found.slot_f1,
        "semantic_error_rate": found.semantic_error_rate,
        "training_seconds": round(seconds, 1),
    }
    for name, confidences in (("intent", intent_confidences), ("slot", slot_confidences)):
        summary[f"{name}_calibration_error_before"] = expected_calibration_error(*confidences(test, raw))
        summary[f"{name}_calibration_error_after"] = expected_calibration_error(*confidences(test, calibrated))
    rows: list[dict[str, Json]] = [
        {"intent": str(intent), "n_test": int(own.sum()), "accuracy": float(found.intent_correct[own].mean())}
        for intent in np.unique(found.wanted_intents)
        for own in [found.wanted_intents == intent]
    ]
    results = Results(
        name="nlu-massive",
        command="python benchmarks/nlu_massive.py",
        config_digest=digest_of_json("defaults"),
        data_digests={"en-US.jsonl.gz": digest_of_file(resolved_path(MASSIVE, relative_to=here))},
        random_seeds=[0],
        rows=rows,
        summary=summary,
    )
    sys.stdout.write(f"{write_results(results, RESULTS)}\n{summary}\n")


if __name__ == "__main__":
    main()
