"""Predictions from texts to lines: what ``seedcorn nlu predict`` writes, batch by batch."""

import functools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from seedcorn.corpus.parallel import Mapper, map_in_order
from seedcorn.corpus.predictions import Prediction
from seedcorn.nlu.model import NluModel
from seedcorn.nlu.saved_model import load_nlu


def prediction_lines(folder: Path, texts: Iterable[pa.StringArray], *, mapper: Mapper = map_in_order) -> Iterator[str]:
    """Yield what the model in ``folder`` makes of batches of ``texts``, a JSON line a row.

    ``mapper`` carries the pass out; processes that it uses read the model from ``folder`` themselves. Raises DataError
    when there is no model.
    """
    _model_in(folder)  # refuses what is no model before any text is read
    yield from mapper(_PredictLines(folder), texts)


@dataclass(frozen=True)
class _PredictLines:
    folder: Path

    def __call__(self, batch: pa.StringArray) -> str:
        texts = batch.to_pylist()
        found = _model_in(self.folder).predict(texts)
        return "".join(f"{_line(text, prediction)}\n" for text, prediction in zip(texts, found, strict=True))


@functools.lru_cache(maxsize=1)
def _model_in(folder: Path) -> NluModel:
    return load_nlu(folder)


def _line(text: str, prediction: Prediction) -> str:
    slots = [
        {"start": s.start, "end": s.end, "type": s.type, "value": text[s.start : s.end], "probability": round(p, 4)}
        for s, p in zip(prediction.slots, prediction.slot_probabilities, strict=True)
    ]
    row = {"text": text, "intent": prediction.intent, "probability": round(prediction.intent_probability, 4)}
    return json.dumps({**row, "slots": slots}, ensure_ascii=False)
