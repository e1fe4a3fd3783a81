"""Score a pool larger than memory and keep the best of it, in one pass; memory is a few batches and what is kept."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa

from seedcorn.corpus.parallel import Mapper, map_in_order
from seedcorn.errors import DataError
from seedcorn.progress import track
from seedcorn.selection import FloatArray, PositionArray, Scores, Selection

Scorer: TypeAlias = Callable[[pa.StringArray], Scores]
Cut: TypeAlias = Callable[[Scores, pa.StringArray], Selection]

_ROWS_BEFORE_COMPACTING = 100_000


@dataclass(frozen=True, kw_only=True)
class KeptRows:
    """The kept rows of a pool, best first: all their columns, their positions in the pool and their scores."""

    rows: pa.Table
    positions: PositionArray
    scores: Scores
    n_rows: int
    n_unscored: int


class _Candidates(NamedTuple):
    """Rows that may still be kept, by position: every batch's best, those of a union are among them."""

    rows: pa.Table
    positions: PositionArray
    scores: Scores


class _Part(NamedTuple):
    candidates: _Candidates
    n_rows: int
    n_unscored: int


def sample_texts(
    batches: Iterable[pa.StringArray], *, n_texts: int, n_rows: int, rng: np.random.Generator
) -> pa.StringArray:
    """Return ``n_texts`` texts drawn at random from the first ``n_rows`` of a pool, in its order; all if fewer.

    Does not depend on how the pool is batched. Memory is the sample and a batch.
    """
    texts, keys, n_read = pa.array([], pa.string()), np.zeros(0), 0
    for batch in track(batches, "sampling the pool, batches"):
        rows = batch[: n_rows - n_read].cast(pa.string())
        n_read += len(rows)
        keys = np.concatenate([keys, rng.random(len(rows))])
        chosen = np.sort(np.argsort(keys, kind="stable")[:n_texts])
        texts, keys = pa.concat_arrays([texts, rows]).take(pa.array(chosen)), keys[chosen]
        if n_read >= n_rows:
            break
    return texts


def keep_from_stream(
    batches: Iterable[pa.RecordBatch],
    score: Scorer,
    cut: Cut,
    *,
    cut_parts: Cut | None = None,
    n_threads: int = 1,
    mapper: Mapper | None = None,
) -> KeptRows:
    """Score every batch of a pool and return what ``cut`` keeps of the whole pool, best first, ties by position.

    ``cut_parts`` says what of a part of the pool ``cut`` may need: by default what ``cut`` keeps of the part, which is
    right for thresholds, top-k and quotas; word budgets take words_candidates, and fractions are top-k of counted rows.
    ``mapper`` carries the pass out, by default ``n_threads`` threads. The result does not depend on it or on the
    batches. Raises DataError for an empty pool.
    """
    keep = cut_parts or cut
    mapper = mapper or partial(map_in_order, n_threads=n_threads)
    parts = mapper(lambda batch: _best_of_batch(batch, score, keep), batches)
    n_rows = n_unscored = n_held = n_compacted = 0
    held: list[_Candidates] = []
    for part in track(parts, "scoring batches"):
        held.append(part.candidates._replace(positions=part.candidates.positions + n_rows))
        n_rows, n_unscored = n_rows + part.n_rows, n_unscored + part.n_unscored
        n_held += len(part.candidates.positions)
        if n_held > 2 * n_compacted + _ROWS_BEFORE_COMPACTING:
            held = [_kept(_joined(held), keep)]
            n_held = n_compacted = len(held[0].positions)
    if n_rows == 0:
        raise DataError(wanted="a pool of at least one row", found="an empty one")
    best = _best(_joined(held), cut)
    return KeptRows(rows=best.rows, positions=best.positions, scores=best.scores, n_rows=n_rows, n_unscored=n_unscored)


def _best_of_batch(batch: pa.RecordBatch, score: Scorer, cut: Cut) -> _Part:
    scores = score(batch.column("text"))
    everything = _Candidates(pa.Table.from_batches([batch]), np.arange(batch.num_rows), scores)
    n_unscored = 0 if scores.missing is None else int(scores.missing.sum())
    return _Part(_kept(everything, cut), batch.num_rows, n_unscored)


def _best(candidates: _Candidates, cut: Cut) -> _Candidates:
    """Return what ``cut`` keeps, best first."""
    return _taken(candidates, cut(candidates.scores, _texts(candidates.rows)).positions)


def _kept(candidates: _Candidates, cut: Cut) -> _Candidates:
    """Return what ``cut`` keeps, by position."""
    return _taken(candidates, np.sort(cut(candidates.scores, _texts(candidates.rows)).positions))


def _taken(candidates: _Candidates, places: PositionArray) -> _Candidates:
    values: FloatArray = candidates.scores.values[places]
    return _Candidates(
        # A copy: a slice or a view would hold on to the whole batch.
        candidates.rows.take(pa.array(places)),
        candidates.positions[places],
        replace(candidates.scores, values=values, missing=None),
    )


def _joined(parts: list[_Candidates]) -> _Candidates:
    values = np.concatenate([part.scores.values for part in parts])
    return _Candidates(
        pa.concat_tables([part.rows for part in parts]),
        np.concatenate([part.positions for part in parts]),
        replace(parts[0].scores, values=values, missing=None),
    )


def _texts(rows: pa.Table) -> pa.Array:
    return rows.column("text").combine_chunks()
