"""The built-in corpus: assistant requests and general sentences in English and Hindi, from a grammar written here.

It makes demonstrations, tests and documentation runnable without a download. Everything follows from ``random_seed``;
rows of the same random seed are translations of each other, and a shorter corpus is the beginning of a longer one.
"""

import random
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import accumulate, islice
from typing import NamedTuple

import yaml

from seedcorn.corpus.builtin_grammar import (
    Phrase,
    Rendering,
    Words,
    code_switched,
    fill,
    one_of,
    parse_phrases,
    render_english,
    render_hindi,
)
from seedcorn.corpus.pairs import PairCorpus, SentencePair
from seedcorn.corpus.utterances import Corpus, Utterance
from seedcorn.errors import DataError

ORIGIN = "builtin"
CODE_SWITCHED_FRACTION = 0.12
_REPEATS_BEFORE_GIVING_UP = 2_000


@dataclass(frozen=True)
class _Intent:
    name: str
    domain: str
    structures: tuple[Phrase, ...]
    cumulative_weights: tuple[float, ...]


@dataclass(frozen=True)
class _Grammar:
    words: Words
    intents: tuple[_Intent, ...]
    general: tuple[Phrase, ...]
    latin_words: Mapping[str, str]
    latin_lists: frozenset[str]


class _ParallelRow(NamedTuple):
    english: Rendering
    hindi: Rendering
    domain: str = ""
    intent: str = ""


def builtin_requests(n_rows: int, *, lang: str, random_seed: int) -> Corpus:
    """Return ``n_rows`` distinct annotated assistant requests in ``lang``, "en" or "hi".

    With the same ``random_seed`` row i has the same id, intent and slot types in both languages. Some Hindi rows mix
    scripts. Raises DataError for another language or more rows than the grammar can make.
    """
    rows = _distinct(_random_request, n_rows, rng=random.Random(f"requests {random_seed}"))
    return _corpus(rows, lang=lang, name=f"request-{random_seed}")


def builtin_general(n_rows: int, *, lang: str, random_seed: int) -> Corpus:
    """Return ``n_rows`` distinct sentences without intent in ``lang``, "en" or "hi", that are no requests.

    They share much of the requests' vocabulary. Rows are parallel, and errors are raised, as in builtin_requests.
    """
    return _corpus(_general_rows(n_rows, random_seed), lang=lang, name=f"general-{random_seed}")


def builtin_pairs(n_rows: int, *, random_seed: int) -> PairCorpus:
    """Return ``n_rows`` general sentences in English with their Hindi translations: both sides of builtin_general."""
    return PairCorpus.from_pairs(
        SentencePair(
            id=f"general-{random_seed}-{row_number}",
            source=row.english.text,
            target=row.hindi.text,
            source_lang="en",
            target_lang="hi",
            origin=ORIGIN,
        )
        for row_number, row in enumerate(_general_rows(n_rows, random_seed))
    )


def _general_rows(n_rows: int, random_seed: int) -> Iterator[_ParallelRow]:
    return _distinct(_random_general, n_rows, rng=random.Random(f"general {random_seed}"))


def _corpus(rows: Iterator[_ParallelRow], *, lang: str, name: str) -> Corpus:
    if lang not in ("en", "hi"):
        raise DataError(wanted="the language 'en' or 'hi' of the built-in corpus", found=f"'{lang}'")
    return Corpus.from_utterances(
        _utterance(row, row.english if lang == "en" else row.hindi, lang=lang, row_id=f"{name}-{row_number}")
        for row_number, row in enumerate(rows)
    )


def _utterance(row: _ParallelRow, rendering: Rendering, *, lang: str, row_id: str) -> Utterance:
    return Utterance(
        id=row_id,
        text=rendering.text,
        lang=lang,
        domain=row.domain,
        intent=row.intent,
        slots=rendering.slots,
        origin=ORIGIN,
    )


def _distinct(
    random_row: Callable[[_Grammar, random.Random], _ParallelRow], n_rows: int, *, rng: random.Random
) -> Iterator[_ParallelRow]:
    """Yield ``n_rows`` rows whose texts are distinct in each language."""
    return islice(_distinct_rows(random_row, rng), n_rows)


def _distinct_rows(
    random_row: Callable[[_Grammar, random.Random], _ParallelRow], rng: random.Random
) -> Iterator[_ParallelRow]:
    grammar = _grammar()
    seen: set[str] = set()
    n_repeats = 0
    while n_repeats < _REPEATS_BEFORE_GIVING_UP:
        row = random_row(grammar, rng)
        if row.english.text in seen or row.hindi.text in seen:
            n_repeats += 1
            continue
        seen.update((row.english.text, row.hindi.text))
        n_repeats = 0
        yield row
    raise DataError(wanted="more rows", found=f"only {len(seen) // 2:,} distinct ones in the built-in corpus")


def _random_request(grammar: _Grammar, rng: random.Random) -> _ParallelRow:
    intent = grammar.intents[int(rng.random() * len(grammar.intents))]
    (structure,) = rng.choices(intent.structures, cum_weights=intent.cumulative_weights)
    fillers = fill(structure, grammar.words, rng)
    english = render_english(structure, fillers, rng)
    hindi = render_hindi(structure, fillers, rng)
    if rng.random() < CODE_SWITCHED_FRACTION:
        latin_slots = {name: value.english for name, value in fillers.items() if name in grammar.latin_lists}
        hindi = code_switched(hindi, grammar.latin_words, latin_slots)
    return _ParallelRow(english, hindi, intent.domain, intent.name)


def _random_general(grammar: _Grammar, rng: random.Random) -> _ParallelRow:
    phrase = one_of(grammar.general, rng)
    fillers = fill(phrase, grammar.words, rng)
    english, hindi = render_english(phrase, fillers, rng), render_hindi(phrase, fillers, rng)
    return _ParallelRow(Rendering(english.text, ()), Rendering(hindi.text, ()))


@cache
def _grammar() -> _Grammar:
    words: dict[str, str] = yaml.safe_load(_text_of("words.yaml"))
    requests: dict[str, dict[str, str]] = yaml.safe_load(_text_of("requests.yaml"))
    general: dict[str, str] = yaml.safe_load(_text_of("general.yaml"))
    latin_words: dict[str, str] = yaml.safe_load(_text_of("latin_words.yaml"))
    latin_lists: list[str] = yaml.safe_load(_text_of("latin_lists.yaml"))
    return _Grammar(
        words={name: parse_phrases(lines) for name, lines in words.items()},
        intents=tuple(_intent(name, entry) for name, entry in requests.items()),
        general=tuple(phrase for lines in general.values() for phrase in parse_phrases(lines)),
        latin_words=latin_words,
        latin_lists=frozenset(latin_lists),
    )


def _intent(name: str, entry: Mapping[str, str]) -> _Intent:
    structures = parse_phrases(entry["structures"])
    # Zipf's law: what comes first in the file is frequent, the rest is the long tail that a small seed misses.
    weights = accumulate(1 / rank for rank in range(1, len(structures) + 1))
    return _Intent(name, entry["domain"], structures, tuple(weights))


def _text_of(file_name: str) -> str:
    text = resources.files("seedcorn.corpus").joinpath("builtin", file_name).read_text("utf-8")
    return unicodedata.normalize("NFC", text)
