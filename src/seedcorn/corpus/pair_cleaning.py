"""Which sentence pairs are fit to teach a translator, and why each of the others is not."""

import hashlib
import os
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from itertools import chain
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seedcorn.corpus.function_words import words_that_tell
from seedcorn.corpus.normalising import normalise_all
from seedcorn.corpus.pairs import PAIR_SCHEMA, PairCorpus
from seedcorn.corpus.parallel import Mapper, map_in_order
from seedcorn.errors import DataError
from seedcorn.progress import track
from seedcorn.selection import PositionArray, Selection

EMPTY, COPY, WRONG_SCRIPT = "empty side", "target copies source", "wrong script"
LENGTH_RATIO, TOO_LONG, DUPLICATE = "length ratio", "too long", "duplicate"
REASONS = (EMPTY, COPY, WRONG_SCRIPT, TOO_LONG, LENGTH_RATIO, DUPLICATE)

# The script of each language as the first word of its characters' Unicode names; languages not here pass.
SCRIPTS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "nb", "fi", "pl", "cs", "tr"), ("LATIN",)),
    **dict.fromkeys(("hi", "mr", "ne", "sa"), ("DEVANAGARI",)),
    **dict.fromkeys(("ru", "uk", "bg"), ("CYRILLIC",)),
    **dict.fromkeys(("ar", "fa", "ur"), ("ARABIC",)),
    "bn": ("BENGALI",),
    "ta": ("TAMIL",),
    "te": ("TELUGU",),
    "kn": ("KANNADA",),
    "ml": ("MALAYALAM",),
    "gu": ("GUJARATI",),
    "pa": ("GURMUKHI",),
    "el": ("GREEK",),
    "he": ("HEBREW",),
    "th": ("THAI",),
    "ko": ("HANGUL",),
    "zh": ("CJK",),
    "ja": ("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"),
}
_WRONG_DIRECTION_FRACTION = 0.5
_ROWS_TO_SEE_A_DIRECTION = 1_000
_ROWS_TO_TELL_BY_WORDS = 5


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


def check_direction(
    pairs: PairCorpus, *, source_lang: str, target_lang: str, where: str | os.PathLike[str] = ""
) -> None:
    """Raise DataError when the sides of the first pairs are mostly in each other's languages.

    Told by their scripts, or for two languages of one script by their commonest words (see function_words); languages
    of one script that are not known there pass.
    """
    by_script = scripts_of(source_lang) != scripts_of(target_lang)
    is_swapped = _swapped_by_script if by_script else _swapped_by_words
    n_told, n_swapped = 0, 0
    first_rows = chain.from_iterable(map(_rows, pairs.batches()))
    for (_, _, source, target), _ in zip(first_rows, range(_ROWS_TO_SEE_A_DIRECTION), strict=False):
        found = is_swapped(source, target, source_lang, target_lang)
        n_told += found is not None
        n_swapped += found is True
    if n_swapped > n_told / 2 and (by_script or n_told >= _ROWS_TO_TELL_BY_WORDS):
        raise DataError(
            wanted=f"pairs from {source_lang} to {target_lang}",
            found=f"the other direction in {n_swapped} of the first {n_told} pairs that tell",
            where=where,
            fix="Swap the two sides, or the two languages.",
        )


def _swapped_by_script(source: str, target: str, source_lang: str, target_lang: str) -> bool | None:
    return (
        own_script(source, target_lang) > _WRONG_DIRECTION_FRACTION
        and own_script(target, source_lang) > _WRONG_DIRECTION_FRACTION
        and own_script(source, source_lang) < _WRONG_DIRECTION_FRACTION
    )


def _swapped_by_words(source: str, target: str, source_lang: str, target_lang: str) -> bool | None:
    """Return whether each side has more words that tell of the other language; None where they do not tell."""
    of_source = words_that_tell(_primary(source_lang), _primary(target_lang))
    of_target = words_that_tell(_primary(target_lang), _primary(source_lang))
    left, right = source.split(), target.split()
    right_way = _count(left, of_source) + _count(right, of_target)
    other_way = _count(left, of_target) + _count(right, of_source)
    return None if right_way == other_way else other_way > right_way


def _count(words: list[str], wanted: frozenset[str]) -> int:
    return sum(word in wanted for word in words)


def scripts_of(lang: str) -> tuple[str, ...]:
    """Return the scripts that ``lang``, with or without a region, is written in; none where that is not known."""
    return SCRIPTS.get(_primary(lang), ())


def own_script(text: str, lang: str) -> float:
    """Return the fraction of the letters of ``text`` in the script of ``lang``; 1 without letters or known script."""
    scripts = scripts_of(lang)
    letters = [_script(c) for c in text if c.isalpha()]
    if not scripts or not letters:
        return 1.0
    return sum(script in scripts for script in letters) / len(letters)


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


def _primary(lang: str) -> str:
    return lang.replace("_", "-").split("-")[0].lower()


@cache
def _script(character: str) -> str:
    return unicodedata.name(character, "").split(" ")[0]
