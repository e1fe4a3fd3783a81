"""The linear NLU model on all of MASSIVE en-US: intent accuracy, slot F1 and calibration on the official test.

Command: python benchmarks/nlu_massive.py

The argument "dev" compares numbers of CRF iterations on the dev partition instead, by which the default was chosen.
"""

import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np

from seedcorn.corpus.settings import CorpusFile, open_corpus
from seedcorn.corpus.utterances import Utterance
from seedcorn.evaluation.nlu import outcomes
from seedcorn.evaluation.reliability import expected_calibration_error, intent_confidences, slot_confidences
from seedcorn.files import Json
from seedcorn.input_files import InputFile
from seedcorn.nlu.calibration import calibrate
from seedcorn.nlu.linear import LinearSettings, train_linear
from seedcorn.runs import digest_of_json
from seedcorn.studies.results import Results, write_results

MASSIVE = "${SEEDCORN_DATA}/massive/en-US.jsonl.gz"
RESULTS = Path(__file__).parent / "results"
ITERATIONS = (60, 100, 150)


def massive(partition: str) -> list[Utterance]:
    """Return a partition of MASSIVE en-US."""
    return open_corpus(CorpusFile(path=InputFile.at(MASSIVE), where={"partition": partition})).utterances()


def compare_on_dev() -> None:
    """Print slot F1 on dev and training time by number of CRF iterations."""
    train, dev = massive("train"), massive("dev")
    for n_iterations in ITERATIONS:
        started = time.process_time()
        model = train_linear(train, settings=LinearSettings(n_crf_iterations=n_iterations))
        seconds = time.process_time() - started
        slot_f1 = outcomes(dev, model.predict([u.text for u in dev])).slot_f1
        sys.stdout.write(f"{n_iterations} iterations: slot F1 {slot_f1:.4f}, {seconds:.0f} s of CPU\n")


def main() -> None:
    """Train once, and write the results."""
    if sys.argv[1:] == ["dev"]:
        compare_on_dev()
        return
    train, test = massive("train"), massive("test")
    started = time.process_time()  # one thread: the time of a quiet machine, whatever else runs
    model = train_linear(train)
    seconds = time.process_time() - started
    calibration = calibrate(train_linear, train, n_folds=2)
    raw = model.predict([u.text for u in test])
    calibrated = [calibration.calibrated(p) for p in raw]
    found = outcomes(test, raw)
    summary: dict[str, Json] = {
        "intent_accuracy": found.intent_accuracy,
        "slot_f1": found.slot_f1,
        "semantic_error_rate": found.semantic_error_rate,
        "training_cpu_seconds": round(seconds, 1),
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
        config_digest=digest_of_json(asdict(LinearSettings())),
        data_digests={"en-US.jsonl.gz": InputFile.at(MASSIVE).digest},
        random_seeds=[0],
        rows=rows,
        summary=summary,
    )
    sys.stdout.write(f"{write_results(results, RESULTS)}\n{summary}\n")


if __name__ == "__main__":
    main()
