"""The training set that a run makes, which is what users take home, and what was decided on every selected row."""

from collections.abc import Sequence

import pyarrow as pa

from seedcorn.corpus.utterances import Utterance, table_of
from seedcorn.evaluation.nlu_changes import slots_in_words
from seedcorn.intent.data import IntentData
from seedcorn.nlu.self_training import PoolDecision, SelfTraining

_NO_ROUND = "no round of self-training was kept"
_ANNOTATED = "annotated"


def decision_table(found: SelfTraining, selected: pa.Table) -> pa.Table:
    """Return the selected rows with the label and the decision each got; where no round was kept, each says so."""
    decided = {d.position: d for d in found.decisions}
    texts = selected.column("text").to_pylist()
    decisions = [decided.get(position) for position in range(len(texts))]
    columns: dict[str, list[str | float]] = {
        "decision": [_NO_ROUND if d is None else str(d.decision) for d in decisions],
        "intent": ["" if d is None else d.prediction.intent for d in decisions],
        "probability": [0.0 if d is None else d.prediction.intent_probability for d in decisions],
        "slots": [
            "" if d is None else slots_in_words(t, d.prediction.slots) for t, d in zip(texts, decisions, strict=True)
        ],
        "why": ["" if d is None else d.reason for d in decisions],
    }
    table = selected.drop_columns(["intent", "slots", "domain"])
    for name, values in columns.items():
        table = table.append_column(name, pa.array(values))
    return table


def training_set(data: IntentData, selected: pa.Table, found: SelfTraining) -> pa.Table:
    """Return what the model was trained on: seed and background as annotated, then the accepted rows as labelled.

    Columns of an utterance, and ``set`` (seed, background or pool), ``confidence`` (calibrated probability of the
    intent, 1 where annotated), ``weight`` and ``reason``.
    """
    by_position = {d.position: d for d in found.decisions}
    pool = [Utterance(text=t, origin=o) for t, o in zip(*_texts_and_origins(selected), strict=True)]
    accepted = found.pseudo_labelled(pool)
    decisions = [by_position[i] for i in found.accepted_positions]
    table = table_of([*data.labelled, *accepted])
    n_labelled, n_accepted = len(data.labelled), len(accepted)
    columns = {
        "set": ["seed"] * len(data.seed) + ["background"] * len(data.background) + ["pool"] * n_accepted,
        "confidence": [1.0] * n_labelled + [d.prediction.intent_probability for d in decisions],
        "weight": [1.0] * n_labelled + [found.weight] * n_accepted,
        "reason": [_ANNOTATED] * n_labelled + _reasons(decisions),
    }
    for name, values in columns.items():
        table = table.append_column(name, pa.array(values))
    return table


def _texts_and_origins(selected: pa.Table) -> tuple[list[str], list[str]]:
    return selected.column("text").to_pylist(), selected.column("origin").to_pylist()


def _reasons(decisions: Sequence[PoolDecision]) -> list[str]:
    return [d.reason for d in decisions]
