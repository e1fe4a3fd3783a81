"""What is in a corpus and what is odd about it."""

import pytest

from seedcorn.corpus.builtin import builtin_requests
from seedcorn.corpus.partitions import rows_where
from seedcorn.corpus.summary import summarise
from seedcorn.corpus.utterances import Corpus, Slot, Utterance
from seedcorn.errors import DataError


def test_counts_and_problems():
    summary = summarise(
        Corpus.from_utterances(
            [
                Utterance(id="1", text="play jazz", intent="play", lang="en", slots=(Slot(5, 9, "genre"),)),
                Utterance(id="2", text="Play  jazz!", intent="stop", lang="en"),
                Utterance(id="1", text="stop", intent="stop", lang="hi", domain="music", origin="x"),
                Utterance(text="play jazz"),
                Utterance(text="other"),
            ]
        )
    )
    assert (summary.n_rows, summary.n_characters, summary.n_repeated_texts) == (5, 38, 2)
    assert summary.rows_by_intent == {"play": 1, "stop": 2, "": 2}
    assert summary.rows_by_language == {"en": 2, "hi": 1, "": 2}
    assert (summary.rows_by_domain["music"], summary.rows_by_origin["x"]) == (1, 1)
    assert summary.slots_by_type == {"genre": 1}
    assert [tuple(problem) for problem in summary.problems] == [
        ("an id that an earlier row has", 1, 2, "1"),
        ("the text of an earlier row and another intent", 1, 1, "stop, before play"),
    ]


def test_a_clean_corpus_has_no_problems():
    summary = summarise(builtin_requests(300, lang="hi", random_seed=0))
    assert summary.problems == ()
    assert sum(summary.rows_by_intent.values()) == summary.n_rows == 300


def test_an_empty_corpus_has_nothing():
    assert summarise(Corpus.from_utterances([])).n_rows == 0


def test_rows_where_chooses_by_values_in_order():
    corpus = builtin_requests(200, lang="en", random_seed=0)
    chosen = rows_where(corpus, "domain", {"music", "alarm"})
    expected = [u for u in corpus.utterances() if u.domain in ("music", "alarm")]
    assert chosen.utterances() == expected != []
    with pytest.raises(DataError, match="Did you mean 'domain'"):
        rows_where(corpus, "domains", {"music"})
