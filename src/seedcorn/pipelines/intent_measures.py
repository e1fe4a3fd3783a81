"""What the intent pipeline reports of its models: predictions and decisions on disk, rates, reductions, changes."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from seedcorn.corpus.predictions import Prediction
from seedcorn.corpus.utterances import SLOT_TYPE, Slot, Utterance
from seedcorn.evaluation.bootstrap import one_minus_f1, paired_bootstrap, sum_rate
from seedcorn.evaluation.nlu import FunctionalityOutcomes, outcomes
from seedcorn.nlu.self_training import PSEUDO_LABELLED, RoundRecord, SelfTraining
from seedcorn.runs import Json
from seedcorn.selection import FloatArray

PREDICTION_SCHEMA = pa.schema(
    [
        ("text", pa.string()),
        ("intent", pa.string()),
        ("intent_probability", pa.float64()),
        ("slots", pa.list_(SLOT_TYPE)),
        ("slot_probabilities", pa.list_(pa.float64())),
    ]
)
ERROR_SCHEMA = pa.schema([(name, pa.string()) for name in ("change", "text", "wanted", "before", "after")])
MENDED, BROKEN, STILL_WRONG = CHANGES = ("mended", "broken", "still wrong")


def write_predictions(predictions: Sequence[Prediction], texts: Sequence[str], path: Path) -> None:
    """Write one row a text, in order."""
    rows = [
        {
            "text": text,
            "intent": found.intent,
            "intent_probability": found.intent_probability,
            "slots": [asdict(slot) for slot in found.slots],
            "slot_probabilities": list(found.slot_probabilities),
        }
        for text, found in zip(texts, predictions, strict=True)
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema=PREDICTION_SCHEMA), path)


def read_predictions(path: Path) -> list[Prediction]:
    """Return the predictions that ``write_predictions`` wrote."""
    return [
        Prediction(
            intent=row["intent"],
            intent_probability=row["intent_probability"],
            slots=tuple(Slot(**slot) for slot in row["slots"]),
            slot_probabilities=tuple(row["slot_probabilities"]),
        )
        for row in pq.read_table(path).to_pylist()
    ]


def write_decisions(taught: SelfTraining, selected: pa.Table, path: Path) -> int:
    """Write the selected rows with the label and the decision each got; return how many train the model.

    Where no round was kept, every row says so.
    """
    decided = {d.position: d for d in taught.decisions}
    texts = selected.column("text").to_pylist()
    columns: dict[str, list[str | float]] = {"decision": [], "intent": [], "probability": [], "slots": [], "why": []}
    for position, text in enumerate(texts):
        decision = decided.get(position)
        columns["decision"].append("no round of self-training was kept" if decision is None else str(decision.decision))
        columns["intent"].append("" if decision is None else decision.prediction.intent)
        columns["probability"].append(0.0 if decision is None else decision.prediction.intent_probability)
        columns["slots"].append("" if decision is None else slots_in_words(text, decision.prediction.slots))
        columns["why"].append("" if decision is None else decision.reason)
    table = selected.drop_columns(["intent", "slots", "domain"])
    for name, values in columns.items():
        table = table.append_column(name, pa.array(values))
    pq.write_table(table, path)
    pool = [Utterance(text=text) for text in texts]
    return sum(u.origin == PSEUDO_LABELLED for u in taught.pseudo_labelled(pool))


def round_row(record: RoundRecord) -> dict[str, Json]:
    """Return a round of self-training as a row of a table."""
    rates_of_round: dict[str, Json] = {
        "round": record.round,
        "kept": "yes" if record.kept else "no",
        "semantic_error": record.semantic_error_rate,
        "intent_f1": record.intent_f1,
        "slot_f1": record.slot_f1,
        "false_alarm_rate": record.false_alarm_rate,
        "dev_loss": record.dev_loss,
    }
    return rates_of_round | {str(decision): n for decision, n in record.n_by_decision.items()}


def rates(measured: FunctionalityOutcomes) -> dict[str, Json]:
    """Return the reported rates of one model, all fractions."""
    return {
        "semantic_error": measured.semantic_error_rate,
        "intent_error": measured.intent_error,
        "slot_f1": measured.slot_f1,
        "false_alarm_rate": measured.false_alarm_rate,
    }


def bootstrap_statistics(measured: FunctionalityOutcomes) -> dict[str, FloatArray]:
    """Return what the paired bootstrap resamples, one row an utterance: own utterances first, then all others.

    ``semantic_error`` (n_own, 1) are errors; ``intent_error`` (n, 3) true positives, false positives, false negatives.
    """
    right = measured.own.intent_correct.astype(np.float64)
    own_found = np.isin(measured.own.found_intents, sorted(measured.intents)).astype(np.float64)
    others = np.zeros((len(measured.others), 3))
    others[:, 1] = measured.false_alarms
    return {
        "semantic_error": measured.own.semantic_errors.astype(np.float64)[:, np.newaxis],
        "intent_error": np.vstack([np.stack([right, own_found - right, 1 - right], axis=1), others]),
    }


def reductions(
    before: FunctionalityOutcomes, after: FunctionalityOutcomes, *, rng: np.random.Generator
) -> list[dict[str, Json]]:
    """Return by which fraction each error shrinks from ``before`` to ``after``, with interval and p-value."""
    statistics = (bootstrap_statistics(before), bootstrap_statistics(after))
    rows: list[dict[str, Json]] = []
    for measure, rate in (("semantic_error", sum_rate), ("intent_error", one_minus_f1)):
        if not len(statistics[0][measure]):
            continue
        found = paired_bootstrap(statistics[0][measure], statistics[1][measure], rng=rng, rate=rate)
        rows.append(
            {
                "measure": measure,
                "reduction": found.relative,
                "low": found.low,
                "high": found.high,
                "p_value": found.p_value,
            }
        )
    return rows


def errors_before_and_after(
    test: Sequence[Utterance], before: Sequence[Prediction], after: Sequence[Prediction], intents: Collection[str]
) -> list[dict[str, str]]:
    """Return the utterances that one of two models or both get wrong: own ones by meaning, others by false alarm."""
    rows = []
    for utterance, first, second in zip(test, before, after, strict=True):
        was, now = (_is_right(utterance, found, intents) for found in (first, second))
        if not (was and now):
            rows.append(
                {
                    "change": MENDED if now else BROKEN if was else STILL_WRONG,
                    "text": utterance.text,
                    "wanted": meaning_in_words(utterance.text, utterance.intent, utterance.slots),
                    "before": meaning_in_words(utterance.text, first.intent, first.slots),
                    "after": meaning_in_words(utterance.text, second.intent, second.slots),
                }
            )
    return rows


def _is_right(utterance: Utterance, found: Prediction, intents: Collection[str]) -> bool:
    if utterance.intent not in intents:
        return found.intent not in intents
    return not bool(outcomes([utterance], [found]).semantic_errors[0])


def meaning_in_words(text: str, intent: str, slots: Sequence[Slot]) -> str:
    """Return intent and slots as a reader sees them: ``alarm_set (time: five am)``."""
    return f"{intent} ({slots_in_words(text, slots)})" if slots else intent


def slots_in_words(text: str, slots: Sequence[Slot]) -> str:
    """Return the slots as ``type: value`` separated by semicolons."""
    return "; ".join(f"{slot.type}: {text[slot.start : slot.end]}" for slot in slots)
