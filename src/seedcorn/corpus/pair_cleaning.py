"""Which sentence pairs are fit to teach a translator, and why each of the others is not."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seedcorn.corpus.normalising import normalise_all
from seedcorn.corpus.pair_direction import check_direction
from seedcorn.corpus.pairs import PAIR_SCHEMA, PairCorpus
from seedcorn.corpus.parallel import Mapper, map_in_order
from seedcorn.corpus.scripts import own_script
from seedcorn.progress import track
from seedcorn.selection import PositionArray, Selection

EMPTY, COPY, WRONG_SCRIPT = "empty side", "target copies source", "wrong script"
LENGTH_RATIO, TOO_LONG, DUPLICATE = "length ratio", "too long", "duplicate"
REASONS = (EMPTY, COPY, WRONG_SCRIPT, TOO_LONG, LENGTH_RATIO, DUPLICATE)


@dataclass(frozen=True, kw_only=True)
class CleaningSettings:
    """What a pair must keep to.

    At most ``n_words_max`` words a side; word counts, each plus ``n_words_slack``, that differ at most
    ``length_ratio_max`` times; at least ``own_script_fraction`` of a side's letters in the script of its language.
    """

    n_words_max: int = 80
    length_ratio_max: float = 2.5
    n_words_slack: int = 3
    own_script_fraction: float = 0.5


def clean_pairs(
    pairs: PairCorpus,
    *,
    source_lang: str,
    target_lang: str,
    settings: CleaningSettings | None = None,
    where: str | os.PathLike[str] = "",
    mapper: Mapper = map_in_order,
) -> Selection:
    """Keep the pairs fit for training, in their order; each other row is rejected for the first of REASONS it meets.

    Languages are codes such as "hi" or "hi-IN". Pairs are duplicates when both sides have the same words. One pass,
    which ``mapper`` carries out; memory grows by a key a kept pair. Raises DataError, saying ``where`` they come from,
    when most pairs are in the other direction.
    """
    check_direction(pairs, source_lang=source_lang, target_lang=target_lang, where=where)
    judge = partial(_judge, source_lang=source_lang, target_lang=target_lang, settings=settings or CleaningSettings())
    seen: set[bytes] = set()
    parts = [
        _without_duplicates(part, seen) for part in track(mapper(judge, pairs.pieces()), "cleaning pairs, batches")
    ]
    codes = np.concatenate([np.zeros(0, np.int16), *parts])
    kept = np.flatnonzero(codes < 0)
    return Selection(positions=kept, gains=np.ones(len(kept)), reject_codes=codes, reject_reasons=REASONS)


def swapped(pairs: PairCorpus) -> PairCorpus:
    """Return ``pairs`` in the other direction."""
    exchange = {"source": "target", "target": "source", "source_lang": "target_lang", "target_lang": "source_lang"}

    def open_batches() -> Iterator[pa.RecordBatch]:
        for batch in pairs.batches():
            columns = [batch.column(exchange.get(name, name)) for name in PAIR_SCHEMA.names]
            yield pa.RecordBatch.from_arrays(columns, schema=PAIR_SCHEMA)

    return PairCorpus(open_batches)


def take_pairs(pairs: PairCorpus, positions: PositionArray) -> PairCorpus:
    """Return the pairs in the rows ``positions``, in the order of the corpus, streamed."""
    wanted = np.sort(positions)

    def open_batches() -> Iterator[pa.RecordBatch]:
        first = 0
        for batch in pairs.batches():
            inside = wanted[np.searchsorted(wanted, first) : np.searchsorted(wanted, first + batch.num_rows)]
            if len(inside):
                yield batch.take(pa.array(inside - first))
            first += batch.num_rows

    return PairCorpus(open_batches)


def spoken_form(pairs: PairCorpus) -> PairCorpus:
    """Return ``pairs`` as they are spoken: lower-cased words without punctuation, as transcripts are written."""

    def open_batches() -> Iterator[pa.RecordBatch]:
        for batch in pairs.batches():
            columns = [
                pa.array(normalise_all(batch.column(name)), pa.string())
                if name in ("source", "target")
                else batch.column(name)
                for name in PAIR_SCHEMA.names
            ]
            yield pa.RecordBatch.from_arrays(columns, schema=PAIR_SCHEMA)

    return PairCorpus(open_batches)


def _rows(batch: pa.RecordBatch) -> Iterator[tuple[str, str, str, str]]:
    source, target = batch.column("source"), batch.column("target")
    return zip(source.to_pylist(), target.to_pylist(), normalise_all(source), normalise_all(target), strict=True)


class _Judged(NamedTuple):
    """What is wrong with each pair of a batch beside being a duplicate, -1 if nothing, and a key of each good one."""

    codes: NDArray[np.int16]
    keys: list[bytes]


def _judge(batch: pa.RecordBatch, *, source_lang: str, target_lang: str, settings: CleaningSettings) -> _Judged:
    codes, keys = np.empty(batch.num_rows, np.int16), list[bytes]()
    for row, (source, target, normalised_source, normalised_target) in enumerate(_rows(batch)):
        codes[row] = _fault(source, target, normalised_source, normalised_target, source_lang, target_lang, settings)
        if codes[row] < 0:
            joined = f"{normalised_source}\t{normalised_target}".encode()
            keys.append(hashlib.blake2b(joined, digest_size=12).digest())
    return _Judged(codes, keys)


def _without_duplicates(part: _Judged, seen: set[bytes]) -> NDArray[np.int16]:
    """Return the codes of ``part``, good pairs whose key was ``seen`` marked; the others are added to it."""
    codes = part.codes.copy()
    for row, key in zip(np.flatnonzero(codes < 0).tolist(), part.keys, strict=True):
        if key in seen:
            codes[row] = REASONS.index(DUPLICATE)
        seen.add(key)
    return codes


def _fault(
    source: str,
    target: str,
    normalised_source: str,
    normalised_target: str,
    source_lang: str,
    target_lang: str,
    settings: CleaningSettings,
) -> int:
    """Return the index in REASONS of what is wrong with the pair alone, or -1."""
    if not normalised_source or not normalised_target:
        return REASONS.index(EMPTY)
    if normalised_source == normalised_target:
        return REASONS.index(COPY)
    if min(own_script(source, source_lang), own_script(target, target_lang)) < settings.own_script_fraction:
        return REASONS.index(WRONG_SCRIPT)
    n_source, n_target = normalised_source.count(" ") + 1, normalised_target.count(" ") + 1
    if max(n_source, n_target) > settings.n_words_max:
        return REASONS.index(TOO_LONG)
    longer, shorter = max(n_source, n_target), min(n_source, n_target)
    if longer + settings.n_words_slack > settings.length_ratio_max * (shorter + settings.n_words_slack):
        return REASONS.index(LENGTH_RATIO)
    return -1
