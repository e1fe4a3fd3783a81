"""Which pairs are rejected and for what."""

import numpy as np
import pytest

from seedcorn.corpus.builtin import builtin_pairs
from seedcorn.corpus.function_words import FUNCTION_WORDS, words_that_tell
from seedcorn.corpus.pair_cleaning import (
    COPY,
    DUPLICATE,
    EMPTY,
    LENGTH_RATIO,
    TOO_LONG,
    WRONG_SCRIPT,
    clean_pairs,
    spoken_form,
    swapped,
    take_pairs,
)
from seedcorn.corpus.pairs import PairCorpus, SentencePair
from seedcorn.corpus.scripts import own_script
from seedcorn.corpus.text import normalise
from seedcorn.errors import DataError


def pairs_of(*sides: tuple[str, str]) -> PairCorpus:
    return PairCorpus.from_pairs(SentencePair(source=source, target=target) for source, target in sides)


def test_each_fault_has_its_reason() -> None:
    pairs = pairs_of(
        ("wake me up", "मुझे जगा दो"),
        ("Wake me up!", "मुझे जगा दो।"),
        ("...", "हाँ"),
        ("radio", "Radio"),
        ("good morning", "suprabhat ji"),
        ("yes", "हाँ " * 20),
        ("yes " * 81, "हाँ " * 81),
        ("play Radio Mirchi", "Radio मिर्ची बजाओ"),
    )
    selection = clean_pairs(pairs, source_lang="en", target_lang="hi-IN")
    assert [selection.reason(row) for row in range(8)] == [
        None,
        DUPLICATE,
        EMPTY,
        COPY,
        WRONG_SCRIPT,
        LENGTH_RATIO,
        TOO_LONG,
        None,
    ]
    assert [p.source for p in take_pairs(pairs, selection.positions).pairs()] == ["wake me up", "play Radio Mirchi"]


def test_pairs_in_the_wrong_direction_are_told() -> None:
    pairs = swapped(builtin_pairs(50, random_seed=0))
    with pytest.raises(DataError, match=r"pairs from en to hi, found the other direction in 50 of the first 50 pairs"):
        clean_pairs(pairs, source_lang="en", target_lang="hi")
    assert len(clean_pairs(pairs, source_lang="hi", target_lang="en").positions) == 50


def test_swapped_pairs_of_two_languages_in_one_script_are_told_by_their_words() -> None:
    sides = [
        ("what is the time", "quelle heure est-il"),
        ("do you have the key", "est-ce que tu as la clé"),
        ("my sister is not here", "ma sœur n'est pas ici"),
        ("taxi", "taxi libre"),
        ("the dog and the cat", "le chien et le chat"),
        ("we are in the garden", "nous sommes dans le jardin"),
        ("I do not know him", "je ne le connais pas"),
    ]
    right_way = pairs_of(*sides)
    assert len(clean_pairs(right_way, source_lang="en", target_lang="fr").positions) == 7
    with pytest.raises(DataError, match=r"from en-US to fr-FR, found the other direction in 6 of .*Swap"):
        clean_pairs(swapped(right_way), source_lang="en-US", target_lang="fr-FR")
    # Too few to tell, or a language that nobody knows: they pass.
    clean_pairs(swapped(pairs_of(*sides[:3])), source_lang="en", target_lang="fr")
    clean_pairs(swapped(right_way), source_lang="en", target_lang="xx")


def test_function_words_tell_languages_apart() -> None:
    for lang, known in FUNCTION_WORDS.items():
        assert len(known) >= 15, lang
        assert all(word == normalise(word) for word in known), lang
    assert "de" not in words_that_tell("es", "nl")
    assert len(words_that_tell("en", "fr")) >= 20
    assert words_that_tell("en", "tlh") == frozenset()


def test_languages_without_a_known_script_pass() -> None:
    assert own_script("qapla", "tlh") == 1.0
    assert own_script("123 !", "hi") == 1.0
    assert own_script("aक", "hi") == 0.5


def test_spoken_form_has_words_only() -> None:
    (pair,) = spoken_form(pairs_of(("Wake me up, please!", "मुझे जगा दो।"))).pairs()
    assert (pair.source, pair.target) == ("wake me up please", "मुझे जगा दो")


def test_rows_are_taken_across_batches() -> None:
    batches = [b for text in "abc" for b in pairs_of((text, text), (text * 2, text * 2)).batches()]
    taken = take_pairs(PairCorpus(lambda: iter(batches)), np.array([5, 0, 2]))
    assert [p.source for p in taken.pairs()] == ["a", "b", "cc"]
