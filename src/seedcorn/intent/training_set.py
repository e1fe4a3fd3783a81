"""The training set that a run makes, which is what users take home, and what was decided on every selected row."""

from collections.abc import Sequence

import pyarrow as pa

from seedcorn.corpus.utterances import Utterance, table_of
from seedcorn.evaluation.nlu_changes import slots_in_words
from seedcorn.intent.data import IntentData
from seedcorn.nlu.pool_labels import PSEUDO_LABELLED, PoolLabel

_NO_ROUND = "no round of self-training was kept"
_ANNOTATED = "annotated"


def decision_table(labels: Sequence[PoolLabel], selected: pa.Table) -> pa.Table:
    """Return the selected rows with the label and the decision each got; where no round was kept, each says so."""
    decided = {label.position: label for label in labels}
    texts = selected.column("text").to_pylist()
    decisions = [decided.get(position) for position in range(len(texts))]
    columns: dict[str, list[str | float]] = {
        "decision": [_NO_ROUND if d is None else str(d.decision) for d in decisions],
        "intent": ["" if d is None else d.intent for d in decisions],
        "probability": [0.0 if d is None else d.confidence for d in decisions],
        "slots": ["" if d is None else slots_in_words(t, d.slots) for t, d in zip(texts, decisions, strict=True)],
        "why": ["" if d is None else d.reason for d in decisions],
    }
    table = selected.drop_columns(["intent", "slots", "domain"])
    for name, values in columns.items():
        table = table.append_column(name, pa.array(values))
    return table


def training_set(data: IntentData, selected: pa.Table, labels: Sequence[PoolLabel]) -> pa.Table:
    """Return what the model was trained on: seed and background as annotated, then the accepted rows as labelled.

    Columns of an utterance, and ``set`` (seed, background or pool), ``confidence`` (calibrated probability of the
    intent, 1 where annotated), ``weight`` and ``reason``.
    """
    texts = selected.column("text").to_pylist()
    origins = selected.column("origin").to_pylist()
    accepted = [label for label in labels if label.weight > 0]
    pool = [
        Utterance(text=texts[x.position], intent=x.intent, slots=x.slots, origin=origins[x.position] or PSEUDO_LABELLED)
        for x in accepted
    ]
    n_labelled = len(data.labelled)
    columns = {
        "set": ["seed"] * len(data.seed) + ["background"] * len(data.background) + ["pool"] * len(pool),
        "confidence": [1.0] * n_labelled + [x.confidence for x in accepted],
        "weight": [1.0] * n_labelled + [x.weight for x in accepted],
        "reason": [_ANNOTATED] * n_labelled + [x.reason for x in accepted],
    }
    table = table_of([*data.labelled, *pool])
    for name, values in columns.items():
        table = table.append_column(name, pa.array(values))
    return table
