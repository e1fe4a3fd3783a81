"""Sieve streaming shared out: every part of a stream is sieved alone, and greedy chooses among what the sieves took.

This is the two-round scheme of Mirzasoleiman, Karbasi, Sarkar and Krause 2013 ("Distributed submodular maximization")
with sieves in the first round: the result is the better of the merged choice and the best part's. Parts have a fixed
number of rows, so that it depends on neither workers nor batches. Memory: what the parts took, merged again and again.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from scipy.sparse import csr_matrix

from seedcorn.corpus.parallel import Mapper, map_in_order
from seedcorn.diversity.feature_coverage import FeatureCoverage
from seedcorn.diversity.greedy import lazy_greedy
from seedcorn.diversity.methods import Concave
from seedcorn.diversity.objectives import Budget, Picks
from seedcorn.diversity.sieve import StreamBatch, sieve_stream
from seedcorn.errors import DataError
from seedcorn.progress import track
from seedcorn.relevance.ngrams import NgramFeatures, count_words, ngram_matrix
from seedcorn.selection import FloatArray, PositionArray

STREAMED_FEATURES = NgramFeatures(n_bits=18)
ROWS_PER_PART = 65_536
_LEAST_MERGED = 4 * ROWS_PER_PART


@dataclass(frozen=True, kw_only=True)
class SieveSettings:
    """The budget, in words or in utterances, what counts as chosen already, and how a feature loses worth."""

    budget: int
    in_words: bool = False
    seed_rows: csr_matrix | None = None
    concave: Concave = Concave.SQRT
    limit: float = 3.0

    def costs(self, texts: pa.StringArray) -> PositionArray:
        """Return what each of ``texts`` costs."""
        return np.maximum(count_words(texts), 1) if self.in_words else np.ones(len(texts), np.int64)


def sieve_texts(
    batches: Iterable[pa.StringArray],
    *,
    settings: SieveSettings,
    mapper: Mapper = map_in_order,
    rows_per_part: int = ROWS_PER_PART,
) -> Picks:
    """Return a diverse choice from all rows of ``batches``, by their n-grams, in one pass that ``mapper`` carries out.

    Positions count over the whole stream. Raises as ``sieve_stream`` does.
    """
    taken: list[_Taken] = []
    n_seen, n_held = 0, 0
    for part in track(mapper(_Sieve(settings), even_parts(batches, rows_per_part)), "sieving parts"):
        taken.append(part.moved(n_seen))
        n_seen, n_held = n_seen + part.n_rows, n_held + len(part.gains)
        if n_held > max(_LEAST_MERGED, 4 * len(taken[0].gains)):
            taken = [_merged(taken, settings)]
            n_held = len(taken[0].gains)
    if not taken:
        raise DataError(wanted="a pool with at least one utterance", found="an empty pool")
    best = _merged(taken, settings)
    return Picks(best.positions, best.gains)


def even_parts(batches: Iterable[pa.Array], n_rows: int) -> Iterator[pa.Array]:
    """Yield the rows of ``batches`` in arrays of ``n_rows``, the last one shorter."""
    waiting: list[pa.Array] = []
    n_waiting = 0
    for batch in batches:
        waiting.append(batch)
        n_waiting += len(batch)
        while n_waiting >= n_rows:
            joined = pa.concat_arrays(waiting)
            yield joined[:n_rows]
            waiting, n_waiting = [joined[n_rows:]], n_waiting - n_rows
    if n_waiting:
        yield pa.concat_arrays(waiting)


class _Taken(NamedTuple):
    """Rows taken out of ``n_rows``, in the order chosen: their positions, texts and gains."""

    positions: PositionArray
    texts: pa.StringArray
    gains: FloatArray
    n_rows: int

    def moved(self, n_before: int) -> "_Taken":
        return self._replace(positions=self.positions + n_before)


@dataclass(frozen=True)
class _Sieve:
    settings: SieveSettings

    def __call__(self, texts: pa.StringArray) -> _Taken:
        settings = self.settings
        picks = sieve_stream(
            [StreamBatch(ngram_matrix(texts, features=STREAMED_FEATURES), settings.costs(texts))],
            budget=settings.budget,
            n_features=STREAMED_FEATURES.n_buckets,
            seed_rows=settings.seed_rows,
            concave=settings.concave,
            limit=settings.limit,
        )
        chosen = texts.take(pa.array(picks.positions))  # a copy: a slice would hold on to the whole part
        return _Taken(picks.positions, chosen, picks.gains, len(texts))


def _merged(taken: list[_Taken], settings: SieveSettings) -> _Taken:
    """Return the greedy choice from all that was ``taken``, or the best of these where that is worth as much."""
    best = max(taken, key=lambda part: float(part.gains.sum()))
    texts = pa.concat_arrays([part.texts for part in taken])
    if len(taken) == 1 or not len(texts):
        return best
    positions = np.concatenate([part.positions for part in taken])
    objective = FeatureCoverage(
        ngram_matrix(texts, features=STREAMED_FEATURES),
        seed_rows=settings.seed_rows,
        concave=settings.concave,
        limit=settings.limit,
    )
    costs = settings.costs(texts)
    picks = lazy_greedy(objective, Budget(min(settings.budget, int(costs.sum())), costs))
    if float(picks.gains.sum()) <= float(best.gains.sum()):
        return best
    return _Taken(positions[picks.positions], texts.take(pa.array(picks.positions)), picks.gains, len(texts))
