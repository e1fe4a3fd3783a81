"""What was found in one text: an intent and slots, each with its probability."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from seedcorn.corpus.utterance_columns import SLOT_TYPE
from seedcorn.corpus.utterances import Slot

PREDICTION_SCHEMA = pa.schema(
    [
        ("text", pa.string()),
        ("intent", pa.string()),
        ("intent_probability", pa.float64()),
        ("slots", pa.list_(SLOT_TYPE)),
        ("slot_probabilities", pa.list_(pa.float64())),
    ]
)


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """The intent and the slots found in one text, each with its probability; slots are sorted and do not overlap.

    ``all_slots_probability`` is that of the slots being just these: none wrong and none missing.
    """

    intent: str
    intent_probability: float
    slots: tuple[Slot, ...] = ()
    slot_probabilities: tuple[float, ...] = ()
    all_slots_probability: float = 1.0


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
