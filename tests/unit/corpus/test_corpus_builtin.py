"""The built-in corpus: parallel, distinct, deterministic, and as rich as it claims to be."""

import re
import unicodedata
from itertools import pairwise

import pytest

from seedcorn.corpus import builtin
from seedcorn.corpus.builtin import builtin_general, builtin_pairs, builtin_requests
from seedcorn.corpus.builtin_grammar import Filler, Part
from seedcorn.corpus.text import clean_text, normalise, words
from seedcorn.corpus.utterances import check_slots
from seedcorn.errors import DataError

N_ROWS = 3_000


@pytest.fixture(scope="module")
def english():
    return builtin_requests(N_ROWS, lang="en", random_seed=7).utterances()


@pytest.fixture(scope="module")
def hindi():
    return builtin_requests(N_ROWS, lang="hi", random_seed=7).utterances()


def names_in(parts: tuple[Part, ...]) -> list[str]:
    return [part.name for part in parts if isinstance(part, Filler)]


def test_more_than_twenty_thousand_distinct_requests_are_possible():
    corpus = builtin_requests(20_000, lang="hi", random_seed=1)
    assert len({normalise(text.as_py()) for texts in corpus.texts() for text in texts}) > 19_900


def test_many_intents_domains_and_slot_types(english):
    assert len({u.intent for u in english}) >= 30
    assert len({u.domain for u in english}) >= 12
    assert len({slot.type for u in english for slot in u.slots}) >= 30


def test_rows_of_the_two_languages_are_parallel(english, hindi):
    for one, other in zip(english, hindi, strict=True):
        assert (one.id, one.domain, one.intent) == (other.id, other.domain, other.intent)
        assert sorted(slot.type for slot in one.slots) == sorted(slot.type for slot in other.slots)


@pytest.mark.parametrize("lang", ["en", "hi"])
def test_texts_are_normalised_and_slots_hold_whole_words(lang):
    for utterance in builtin_requests(2_000, lang=lang, random_seed=3).utterances():
        assert utterance.text == clean_text(utterance.text)
        assert check_slots(utterance.text, utterance.slots) == utterance.slots
        for slot in utterance.slots:
            before, after = utterance.text[: slot.start], utterance.text[slot.end :]
            assert not before or before.endswith(" ")
            assert not after or after.startswith(" ")


def test_english_is_latin_and_hindi_is_devanagari_with_some_code_switching(english, hindi):
    assert all(u.text.isascii() for u in english)
    n_latin = sum(bool(re.search("[a-z]", u.text)) for u in hindi)
    assert 0.05 < n_latin / len(hindi) < 0.15
    assert all(any("DEVANAGARI" in unicodedata.name(c, "") for c in u.text) for u in hindi)


def test_hindi_requests_rarely_keep_the_english_word_order(english, hindi):
    def slots_in_order(utterance):
        return [slot.type for slot in utterance.slots]

    moved = [slots_in_order(a) != slots_in_order(b) for a, b in zip(english, hindi, strict=True) if len(a.slots) > 1]
    assert sum(moved) > len(moved) / 3


def test_every_structure_has_the_same_known_slots_once_in_both_languages():
    grammar = builtin._grammar()
    phrases = [p for intent in grammar.intents for p in intent.structures]
    phrases += [*grammar.general, *(p for lines in grammar.words.values() for p in lines)]
    for phrase in phrases:
        assert sorted(names_in(phrase.english)) == sorted(names_in(phrase.hindi))
        assert len(set(phrase.names)) == len(names_in(phrase.english))
        assert set(phrase.names) <= set(grammar.words)


def test_every_intent_has_several_structures():
    assert min(len(intent.structures) for intent in builtin._grammar().intents) >= 3


def test_the_random_seed_decides_and_a_short_corpus_is_the_beginning_of_a_long_one(english):
    assert builtin_requests(50, lang="en", random_seed=7).utterances() == english[:50]
    assert builtin_requests(50, lang="en", random_seed=8).utterances() != english[:50]


def test_general_sentences_have_no_labels_and_share_words_with_requests(english):
    general = builtin_general(N_ROWS, lang="en", random_seed=7).utterances()
    assert all(not u.intent and not u.slots for u in general)
    assert not {u.text for u in general} & {u.text for u in english}
    request_words = [word for u in english for word in words(u.text)]
    known = {word for u in general for word in words(u.text)}
    assert sum(word in known for word in request_words) / len(request_words) > 0.9


def test_pairs_are_both_sides_of_the_general_sentences():
    pairs = builtin_pairs(200, random_seed=5).pairs()
    assert [p.source for p in pairs] == [u.text for u in builtin_general(200, lang="en", random_seed=5).utterances()]
    assert [p.target for p in pairs] == [u.text for u in builtin_general(200, lang="hi", random_seed=5).utterances()]
    assert {(p.source_lang, p.target_lang) for p in pairs} == {("en", "hi")}


def test_ids_count_up_and_name_the_random_seed(english):
    assert english[0].id == "request-7-0"
    assert all(int(b.id.split("-")[2]) - int(a.id.split("-")[2]) == 1 for a, b in pairwise(english))


def test_no_rows_is_an_empty_corpus():
    assert builtin_requests(0, lang="en", random_seed=0).count() == 0


def test_an_unknown_language_is_refused():
    with pytest.raises(DataError, match="found 'fr'"):
        builtin_requests(1, lang="fr", random_seed=0)


def test_more_rows_than_the_grammar_makes_is_an_error_that_counts_them(monkeypatch):
    one_general = builtin._Grammar(
        words={}, intents=(), general=builtin.parse_phrases("a | ए\nb | बी\n"), latin_words={}, latin_lists=frozenset()
    )
    monkeypatch.setattr(builtin, "_grammar", lambda: one_general)
    with pytest.raises(DataError, match="only 2 distinct"):
        builtin_general(3, lang="en", random_seed=0)
