"""What is in a corpus and what is odd about it: counts, repeated texts, contradictory labels, duplicate ids."""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from seedcorn.corpus.contamination import exact_duplicates
from seedcorn.corpus.utterances import Corpus
from seedcorn.progress import track
from seedcorn.selection import PositionArray


class Problem(NamedTuple):
    """An oddity: what it is, how many rows have it, and the position and the value of the first one."""

    what: str
    n_rows: int
    first_row: int
    first_value: str


@dataclass(frozen=True, kw_only=True)
class CorpusSummary:
    """Counts over the rows of a corpus; texts are equal when their normalised forms are."""

    n_rows: int
    n_characters: int
    n_repeated_texts: int
    rows_by_intent: Counter[str]
    rows_by_domain: Counter[str]
    rows_by_language: Counter[str]
    rows_by_origin: Counter[str]
    slots_by_type: Counter[str]
    problems: tuple[Problem, ...]


@dataclass
class _Counts:
    """What one pass gathers; ``intents`` has a number a row, -1 without intent."""

    n_rows: int = 0
    n_characters: int = 0
    counters: dict[str, Counter[str]] = field(default_factory=dict)
    slots_by_type: Counter[str] = field(default_factory=Counter)
    intents: list[NDArray[np.int32]] = field(default_factory=list)
    number_of_intent: dict[str, int] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)
    n_repeated_ids: int = 0
    first_repeated_id: tuple[int, str] = (0, "")


def summarise(corpus: Corpus) -> CorpusSummary:
    """Return the counts of ``corpus`` by two passes; memory grows by 12 bytes a row, and by the ids if any."""
    first = exact_duplicates(track(corpus.texts(), "comparing texts (batches)"))
    counts = _Counts(counters={name: Counter() for name in ("intent", "domain", "lang", "origin")})
    for batch in track(corpus.batches(), "counting rows (batches)"):
        _count(batch, counts)
    return CorpusSummary(
        n_rows=counts.n_rows,
        n_characters=counts.n_characters,
        n_repeated_texts=int(np.count_nonzero(first != np.arange(len(first)))),
        rows_by_intent=counts.counters["intent"],
        rows_by_domain=counts.counters["domain"],
        rows_by_language=counts.counters["lang"],
        rows_by_origin=counts.counters["origin"],
        slots_by_type=counts.slots_by_type,
        problems=_problems(counts, first),
    )


def _count(batch: pa.RecordBatch, counts: _Counts) -> None:
    for name, counter in counts.counters.items():
        _add_values(counter, batch.column(name))
    _add_values(counts.slots_by_type, pc.struct_field(pc.list_flatten(batch.column("slots")), "type"))
    counts.n_characters += pc.sum(pc.utf8_length(batch.column("text"))).as_py() or 0
    numbers = [
        counts.number_of_intent.setdefault(intent, len(counts.number_of_intent)) if intent else -1
        for intent in batch.column("intent").to_pylist()
    ]
    counts.intents.append(np.array(numbers, dtype=np.int32))
    _count_ids(batch.column("id").to_pylist(), counts)
    counts.n_rows += batch.num_rows


def _add_values(counter: Counter[str], values: pa.StringArray) -> None:
    counter.update({entry["values"]: entry["counts"] for entry in pc.value_counts(values).to_pylist()})


def _count_ids(ids: list[str], counts: _Counts) -> None:
    for row, row_id in enumerate(ids, start=counts.n_rows):
        if row_id in counts.ids:
            counts.first_repeated_id = counts.first_repeated_id if counts.n_repeated_ids else (row, row_id)
            counts.n_repeated_ids += 1
        elif row_id:
            counts.ids.add(row_id)


def _problems(counts: _Counts, first: PositionArray) -> tuple[Problem, ...]:
    problems = []
    if counts.n_repeated_ids:
        problems.append(Problem("an id that an earlier row has", counts.n_repeated_ids, *counts.first_repeated_id))
    intents = np.concatenate(counts.intents) if counts.intents else np.zeros(0, np.int32)
    earlier = intents[first]
    contradictory = np.flatnonzero((intents != earlier) & (intents >= 0) & (earlier >= 0))
    if len(contradictory):
        names = list(counts.number_of_intent)
        row = int(contradictory[0])
        labels = f"{names[intents[row]]}, before {names[earlier[row]]}"
        problems.append(Problem("the text of an earlier row and another intent", len(contradictory), row, labels))
    return tuple(problems)
