"""Pool rows that repeat each other or the evaluation text, found in one pass over any number of rows.

Texts are compared normalised (corpus.text.normalise), and are equal when that is. Near-equal means that the Jaccard
similarity of their sets of character 5-grams reaches a threshold, exactly (see gram_index).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from seedcorn.config import Settings
from seedcorn.corpus.gram_index import GramIndex, HashArray, gram_index, gram_sets, match_sets
from seedcorn.corpus.normalising import Texts
from seedcorn.corpus.parallel import Mapper, map_in_order
from seedcorn.corpus.resuming import Arrays, AsArrays, map_resumable
from seedcorn.errors import ConfigError
from seedcorn.progress import track
from seedcorn.selection import FloatArray, PositionArray, Selection

REPEATED = "repeats an earlier row"
EQUAL_TO_EVALUATION = "equal to an evaluation text"
NEAR_TO_EVALUATION = "nearly equal to an evaluation text"


@dataclass(frozen=True, kw_only=True)
class NearDuplicates:
    """Pool rows at least ``threshold`` similar to an evaluation text, by position, with the most similar one of those.

    Arrays of shape (k,): ``positions`` in the pool, ``matches`` in the evaluation text (the first of equally similar
    ones), ``similarities`` and whether the normalised texts are ``equal``.
    """

    positions: PositionArray
    matches: PositionArray
    similarities: FloatArray
    equal: NDArray[np.bool_]
    n_rows: int


@dataclass(frozen=True, kw_only=True)
class Screening:
    """What of a pool may be used: ``selection`` in pool order, and how many rows each kept one stands for.

    ``n_copies`` (n_rows,) is 1 for a kept row that nothing repeats, 0 for a rejected one; gains of the selection equal
    it. ``evaluation`` lists the rows that were too near to evaluation text.
    """

    selection: Selection
    n_copies: NDArray[np.int64]
    evaluation: NearDuplicates


class _Compared(NamedTuple):
    """One batch against the evaluation text: the keys of all rows, and the rows that are near to a text."""

    n_rows: int
    keys: HashArray
    rows: PositionArray
    matches: PositionArray
    similarities: FloatArray
    equal: NDArray[np.bool_]


class CopySettings(Settings):
    """``similarity`` is the Jaccard similarity of character 5-grams from which a row counts as a copy."""

    similarity: float = Field(0.8, gt=0, le=1)


def screen_pool(
    batches: Iterable[pa.StringArray],
    evaluation: Texts,
    *,
    threshold: float = 0.8,
    n_threads: int = 1,
    mapper: Mapper | None = None,
    folder: Path | str | None = None,
) -> Screening:
    """Keep the first of equal pool rows, unless it is equal or nearly equal to an ``evaluation`` text (dev and test).

    One pass, which ``mapper`` carries out, by default ``n_threads`` threads; memory grows by 8 bytes a row. The result
    does not depend on it or on the batches. With a ``folder`` an interrupted pass goes on from its finished shards.
    """
    mapper = mapper or partial(map_in_order, n_threads=n_threads)
    compared = list(_compared(batches, evaluation, threshold, mapper, None if folder is None else Path(folder)))
    near = _collected(compared)
    first = _first_of_equal([batch.keys for batch in compared])
    codes = np.where(first == np.arange(near.n_rows), -1, 0).astype(np.int16)
    codes[near.positions] = np.where(near.equal, 1, 2)
    kept = np.flatnonzero(codes < 0)
    n_copies = np.zeros(near.n_rows, np.int64)
    n_copies[kept] = np.bincount(first, minlength=near.n_rows)[kept]
    selection = Selection(
        positions=kept,
        gains=n_copies[kept].astype(np.float64),
        reject_codes=codes,
        reject_reasons=(REPEATED, EQUAL_TO_EVALUATION, NEAR_TO_EVALUATION),
    )
    return Screening(selection=selection, n_copies=n_copies, evaluation=near)


def exact_duplicates(batches: Iterable[pa.StringArray], *, n_threads: int = 1) -> PositionArray:
    """Return for each row the position of the first row with the same normalised text (its own for that first one).

    Texts are compared by a 64-bit hash: among 20 million distinct texts, two are confused with probability 1e-5.
    """
    return _first_of_equal(list(map_in_order(lambda texts: gram_sets(texts).keys, batches, n_threads=n_threads)))


def near_duplicates(
    batches: Iterable[pa.StringArray], evaluation: Texts, *, threshold: float = 0.8, n_threads: int = 1
) -> NearDuplicates:
    """Return the rows of ``batches`` whose Jaccard similarity with an ``evaluation`` text is at least ``threshold``.

    A text of fewer than five characters is one gram; texts without words are like nothing. Memory does not grow with
    the pool. Raises ConfigError for a threshold outside (0, 1].
    """
    without_keys, mapper = np.zeros(0, np.uint64), partial(map_in_order, n_threads=n_threads)
    return _collected([c._replace(keys=without_keys) for c in _compared(batches, evaluation, threshold, mapper)])


def _compared(
    batches: Iterable[pa.StringArray],
    evaluation: Texts,
    threshold: float,
    mapper: Mapper,
    folder: Path | None = None,
) -> Iterator[_Compared]:
    if not 0 < threshold <= 1:
        raise ConfigError(wanted="a similarity threshold above 0 and up to 1", found=str(threshold))
    wanted = gram_sets(evaluation)
    compare = partial(_compare, keys=wanted.keys, index=gram_index(wanted, threshold), threshold=threshold)
    results = map_resumable(mapper, compare, batches, folder=folder, as_arrays=AsArrays(_to_arrays, _from_arrays))
    return track(results, "comparing batches with the evaluation text")


def _to_arrays(compared: _Compared) -> Arrays:
    return {name: np.asarray(value) for name, value in compared._asdict().items()}


def _from_arrays(arrays: Arrays) -> _Compared:
    return _Compared(
        n_rows=int(arrays["n_rows"]),
        keys=arrays["keys"].astype(np.uint64),
        rows=arrays["rows"].astype(np.int64),
        matches=arrays["matches"].astype(np.int64),
        similarities=arrays["similarities"].astype(np.float64),
        equal=arrays["equal"].astype(np.bool_),
    )


# Not inside the function above: another process would compile the kernels anew that a closure brings along.
def _compare(texts: pa.StringArray, *, keys: HashArray, index: GramIndex, threshold: float) -> _Compared:
    """Return the rows of ``texts`` that are near to the evaluation text of ``index``, whose texts have ``keys``."""
    found = gram_sets(texts)
    best, similarities = np.full(len(texts), -1, np.int64), np.zeros(len(texts))
    match_sets(found, index, threshold, best, similarities)
    rows = np.flatnonzero(best >= 0)
    matches = best[rows]
    return _Compared(len(texts), found.keys, rows, matches, similarities[rows], found.keys[rows] == keys[matches])


def _collected(batches: list[_Compared]) -> NearDuplicates:
    starts = np.cumsum([0, *(batch.n_rows for batch in batches)])
    rows = [batch.rows + start for batch, start in zip(batches, starts, strict=False)]
    return NearDuplicates(
        positions=np.concatenate([np.zeros(0, np.int64), *rows]),
        matches=np.concatenate([np.zeros(0, np.int64), *(batch.matches for batch in batches)]),
        similarities=np.concatenate([np.zeros(0), *(batch.similarities for batch in batches)]),
        equal=np.concatenate([np.zeros(0, np.bool_), *(batch.equal for batch in batches)]),
        n_rows=int(starts[-1]),
    )


def _first_of_equal(keys: list[HashArray]) -> PositionArray:
    joined = np.concatenate([np.zeros(0, np.uint64), *keys])
    _, first, group = np.unique(joined, return_index=True, return_inverse=True)
    return first[group].astype(np.int64)
