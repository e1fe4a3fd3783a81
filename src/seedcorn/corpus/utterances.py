"""The Utterance columns and Corpus: utterances as Arrow record batches, in memory or streamed from disk."""

import html
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypedDict

import pyarrow as pa

from seedcorn.corpus.parallel import mapped, pieces_of
from seedcorn.corpus.utterance_columns import UTTERANCE_SCHEMA, with_utterance_columns
from seedcorn.errors import DataError

ROWS_PER_BATCH = 65_536
_SHOWN = 5


@dataclass(frozen=True, order=True)
class Slot:
    """A labelled span of an utterance: character offsets into its text, ``end`` exclusive."""

    start: int
    end: int
    type: str


@dataclass(frozen=True, kw_only=True)
class Utterance:
    """One row of a Corpus as a Python object, for code that looks at single utterances.

    ``intent`` is empty for unlabelled text. Slots are sorted and do not overlap.
    """

    text: str
    id: str = ""
    lang: str = ""
    domain: str = ""
    intent: str = ""
    slots: tuple[Slot, ...] = ()
    origin: str = ""

    def value(self, slot: Slot) -> str:
        """Return the text under ``slot``."""
        return self.text[slot.start : slot.end]


class UtteranceRow(TypedDict):
    """An Utterance as the plain dictionary that Arrow and JSON see."""

    id: str
    text: str
    lang: str
    domain: str
    intent: str
    slots: list[dict[str, int | str]]
    origin: str


def check_slots(text: str, slots: Sequence[Slot], *, where: str = "") -> tuple[Slot, ...]:
    """Return ``slots`` sorted by start; raise DataError when one is empty, outside ``text`` or overlaps another."""
    ordered = tuple(sorted(slots))
    end_before = 0
    for slot in ordered:
        if not 0 <= slot.start < slot.end <= len(text):
            raise DataError(
                wanted=f"a slot inside the {len(text)} characters of '{text}'",
                found=f"{slot.type} at {slot.start}..{slot.end}",
                where=where,
                fix="Slot offsets count characters from 0, end exclusive.",
            )
        if slot.start < end_before:
            raise DataError(
                wanted="slots that do not overlap",
                found=f"{slot.type} at {slot.start}..{slot.end} inside the slot before it in '{text}'",
                where=where,
            )
        if not slot.type:
            raise DataError(wanted="a slot type", found=f"none at {slot.start}..{slot.end} of '{text}'", where=where)
        end_before = slot.end
    return ordered


def row_of(utterance: Utterance) -> UtteranceRow:
    """Return the Arrow/JSON form of ``utterance``."""
    return UtteranceRow(
        id=utterance.id,
        text=utterance.text,
        lang=utterance.lang,
        domain=utterance.domain,
        intent=utterance.intent,
        slots=[{"start": s.start, "end": s.end, "type": s.type} for s in utterance.slots],
        origin=utterance.origin,
    )


def _utterance_of(row: UtteranceRow) -> Utterance:
    return Utterance(
        id=row["id"] or "",
        text=row["text"],
        lang=row["lang"] or "",
        domain=row["domain"] or "",
        intent=row["intent"] or "",
        slots=tuple(Slot(int(s["start"]), int(s["end"]), str(s["type"])) for s in row["slots"] or ()),
        origin=row["origin"] or "",
    )


def utterances_of(batch: pa.RecordBatch | pa.Table) -> list[Utterance]:
    """Return the rows of ``batch`` as Utterance objects, in order."""
    return [_utterance_of(row) for row in batch.select(UTTERANCE_SCHEMA.names).to_pylist()]


def table_of(utterances: Iterable[Utterance]) -> pa.Table:
    """Return ``utterances`` as a table with the Utterance columns."""
    return pa.Table.from_pylist([dict(row_of(u)) for u in utterances], schema=UTTERANCE_SCHEMA)


@dataclass(frozen=True)
class Corpus:
    """Utterances with the columns of UTTERANCE_SCHEMA (extra columns are kept after them).

    ``open_batches`` starts a fresh pass over the record batches each time it is called, so that a corpus can be larger
    than memory and read more than once; a Sharded one can be read in pieces, by other processes. Row positions count
    from 0 over all batches, in order.
    """

    open_batches: Callable[[], Iterator[pa.RecordBatch]]
    schema: pa.Schema = field(default=UTTERANCE_SCHEMA)

    @staticmethod
    def from_table(table: pa.Table) -> "Corpus":
        """Return a corpus over a table in memory; missing Utterance columns are added empty."""
        complete = with_utterance_columns(table)
        return Corpus(lambda: iter(complete.to_batches(max_chunksize=ROWS_PER_BATCH)), complete.schema)

    @staticmethod
    def from_utterances(utterances: Iterable[Utterance]) -> "Corpus":
        """Return a corpus in memory of ``utterances``."""
        return Corpus.from_table(table_of(utterances))

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the record batches, in order, from the first row."""
        return self.open_batches()

    def pieces(self) -> Iterable[pa.RecordBatch]:
        """Return the record batches, in order, for a Mapper: as what it can share out where there is such."""
        return pieces_of(self.open_batches)

    def text_pieces(self) -> Iterable[pa.StringArray]:
        """Return the text column of ``pieces``."""
        return mapped(self.pieces(), text_of)

    def table(self) -> pa.Table:
        """Return all rows in memory."""
        return pa.Table.from_batches(list(self.batches()), schema=self.schema)

    def utterances(self) -> list[Utterance]:
        """Return all rows as Python objects; only for corpora that fit in memory many times over."""
        return [u for batch in self.batches() for u in utterances_of(batch)]

    def count(self) -> int:
        """Return the number of rows, by one pass."""
        return sum(batch.num_rows for batch in self.batches())

    def __len__(self) -> int:
        """Return the number of rows, by one pass."""
        return self.count()

    def __iter__(self) -> Iterator[Utterance]:
        """Yield the rows as Python objects, one batch in memory at a time."""
        for batch in self.batches():
            yield from utterances_of(batch)

    def head(self, n_rows: int = 5) -> list[Utterance]:
        """Return the first rows as Python objects."""
        return list(itertools.islice(self, n_rows))

    def __repr__(self) -> str:
        """Show the first rows and the columns; reads no more than one batch."""
        shown = "".join(f"\n  {u.text!r} {u.intent or '-'}" for u in self.head(_SHOWN + 1)[:_SHOWN])
        more = "\n  ..." if len(self.head(_SHOWN + 1)) > _SHOWN else ""
        return f"Corpus with the columns {', '.join(self.schema.names)}:{shown}{more}"

    def _repr_html_(self) -> str:
        """Show the first rows as a table in notebooks."""
        head = "".join(f"<th>{name}</th>" for name in ("text", "intent", "slots", "origin"))
        rows = "".join(
            "<tr>" + "".join(f"<td dir='auto'>{html.escape(str(cell))}</td>" for cell in _cells(u)) + "</tr>"
            for u in self.head(_SHOWN)
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"

    def texts(self) -> Iterator[pa.StringArray]:
        """Yield the text column batch by batch."""
        for batch in self.batches():
            yield batch.column("text")


def text_of(batch: pa.RecordBatch) -> pa.StringArray:
    """Return the text column of ``batch``."""
    return batch.column("text")


def _cells(utterance: Utterance) -> tuple[str, str, str, str]:
    """Return an utterance as the cells of a table."""
    slots = "; ".join(f"{slot.type}: {utterance.text[slot.start : slot.end]}" for slot in utterance.slots)
    return utterance.text, utterance.intent, slots, utterance.origin
