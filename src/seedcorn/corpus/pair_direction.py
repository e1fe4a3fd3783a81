"""Whether sentence pairs are in the direction that is wanted."""

import itertools
import os
from collections.abc import Iterator

from seedcorn.corpus.function_words import words_that_tell
from seedcorn.corpus.normalising import normalise_all
from seedcorn.corpus.pairs import PairCorpus
from seedcorn.corpus.scripts import own_script, primary_language, scripts_of
from seedcorn.errors import DataError

_WRONG_DIRECTION_FRACTION = 0.5
_ROWS_TO_SEE_A_DIRECTION = 1_000
_ROWS_TO_TELL_BY_WORDS = 5


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
    for source, target in itertools.islice(_normalised(pairs), _ROWS_TO_SEE_A_DIRECTION):
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
    of_source = words_that_tell(primary_language(source_lang), primary_language(target_lang))
    of_target = words_that_tell(primary_language(target_lang), primary_language(source_lang))
    left, right = source.split(), target.split()
    right_way = _count(left, of_source) + _count(right, of_target)
    other_way = _count(left, of_target) + _count(right, of_source)
    return None if right_way == other_way else other_way > right_way


def _count(words: list[str], wanted: frozenset[str]) -> int:
    return sum(word in wanted for word in words)


def _normalised(pairs: PairCorpus) -> Iterator[tuple[str, str]]:
    for batch in pairs.batches():
        yield from zip(normalise_all(batch.column("source")), normalise_all(batch.column("target")), strict=True)
