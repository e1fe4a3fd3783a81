"""Error counts, alignments and slices."""

import numpy as np
import pytest

from seedcorn.corpus.utterances import Slot, Utterance
from seedcorn.errors import DataError
from seedcorn.evaluation.wer import (
    EditKind,
    ErrorCounts,
    Normaliser,
    align,
    character_errors,
    error_rate,
    paired_by_id,
    shown_alignment,
    word_errors,
)
from seedcorn.evaluation.wer_slices import (
    breakdown,
    code_switched_words,
    entity_words,
    errors_by_label,
    errors_on_words,
    intent_frequency,
)


def test_counts_of_each_kind() -> None:
    total = word_errors(["play the song now please"], ["play a song please please do"]).total()
    assert total == ErrorCounts(hits=3, substitutions=2, insertions=1, deletions=0)
    assert total.rate == 3 / 5


def test_counts_add_and_the_rate_is_that_of_the_corpus() -> None:
    table = word_errors(["one two three four", "five"], ["one two three four", "six"])
    first, second = table.total([0]), table.total([1])
    assert first + second == table.total()
    assert table.total().rate == 1 / 5
    assert table.statistics().tolist() == [[0, 4], [1, 1]]
    assert error_rate(table.statistics().sum(axis=0, keepdims=True)).tolist() == [1 / 5]


def test_combining_marks_count() -> None:
    assert word_errors(["कल"], ["कला"]).total().substitutions == 1
    assert character_errors(["कल"], ["कला"]).total() == ErrorCounts(hits=2, insertions=1)


def test_unspaced_text_is_counted_by_characters() -> None:
    assert word_errors(["明日の天気"], ["明日は天気"]).total() == ErrorCounts(hits=4, substitutions=1)
    total = character_errors(["明日の天気"], ["明日の天"], with_spaces=False).total()
    assert total == ErrorCounts(hits=4, deletions=1)


def test_normaliser_decides_and_is_named() -> None:
    normalised = word_errors(["Hello, World"], ["hello world"])
    plain = word_errors(["Hello, World"], ["hello world"], normaliser=Normaliser.WHITE_SPACE)
    assert normalised.total().errors == 0
    assert plain.total().substitutions == 2
    assert "normaliser:words" in normalised.signature
    assert "normaliser:white-space" in plain.signature


def test_empty_reference_counts_insertions_and_has_no_rate_alone() -> None:
    table = word_errors(["", "yes"], ["uh oh", "yes"])
    assert table.total([0]) == ErrorCounts(insertions=2)
    assert table.total().rate == 2.0
    with pytest.raises(DataError, match="at least one reference word"):
        _ = table.total([0]).rate


def test_alignment_reads_left_to_right() -> None:
    edits = align(["set", "an", "alarm"], ["set", "the", "alarm", "clock"])
    assert [e.kind for e in edits] == [EditKind.HIT, EditKind.SUBSTITUTION, EditKind.HIT, EditKind.INSERTION]
    assert shown_alignment(edits) == "REF: set an  alarm *\nHYP: set the alarm clock\n         S         I"


def test_unpaired_ids_and_numbers_are_refused() -> None:
    with pytest.raises(DataError, match=r"1 without a hypothesis and 1 without a reference \(b\)"):
        paired_by_id({"a": "x", "b": "y"}, {"a": "x", "c": "z"})
    with pytest.raises(DataError, match="one hypothesis a reference"):
        word_errors(["a"], [])
    assert paired_by_id({"b": "x", "a": "y"}, {"a": "1", "b": "2"}) == (["b", "a"], ["x", "y"], ["2", "1"])


def test_frequent_intents_cover_half_of_the_transcripts() -> None:
    seen = ["play"] * 5 + ["stop"] * 3 + ["ask"] * 2 + ["call"]
    assert intent_frequency(seen, ["play", "stop", "ask", "new"]) == ["frequent", "frequent", "rare", "rare"]


def test_errors_by_label_add_up() -> None:
    table = word_errors(["a b", "c", "d"], ["a x", "c", ""])
    by_label = errors_by_label(table, ["one", "two", "one"])
    assert by_label["one"] == ErrorCounts(hits=1, substitutions=1, deletions=1)
    assert by_label["one"] + by_label["two"] == table.total()
    with pytest.raises(DataError, match="one label an utterance"):
        errors_by_label(table, ["one"])


def test_errors_on_marked_words_ignore_insertions() -> None:
    counts = errors_on_words([["play", "adele", "now"]], [["uh", "play", "adel", "now"]], [[False, True, True]])
    assert counts == ErrorCounts(hits=1, substitutions=1)
    with pytest.raises(DataError, match="3 marks"):
        errors_on_words([["a", "b", "c"]], [["a"]], [[True]])


def test_entity_words_are_those_in_slots() -> None:
    text = "Play, adele's Song at five"
    utterance = Utterance(text=text, slots=(Slot(6, 13, "artist"), Slot(22, 26, "time")))
    assert entity_words(utterance) == [False, True, False, False, True]


def test_code_switched_words_are_in_another_script() -> None:
    assert code_switched_words(["मुझे", "jazz", "सुनाओ", "42"]) == [False, True, False, False]
    assert code_switched_words(["play", "गाना", "now"]) == [False, True, False]
    assert code_switched_words([]) == []


def test_breakdown_names_its_slices() -> None:
    utterances = [
        Utterance(text="play adele", intent="music", slots=(Slot(5, 10, "artist"),)),
        Utterance(text="wake me", intent="alarm"),
    ]
    slices = breakdown(utterances, ["play hello", "wake me"], transcript_intents=["alarm", "alarm", "music"])
    assert slices["entity words"].rate == 1.0
    assert slices["other words"].rate == 0.0
    assert slices["rare intents"].rate == 0.5
    assert slices["frequent intents"].rate == 0.0
    assert slices["intent music"].rate == 0.5
    assert "code-switched words" not in slices


def test_utterances_without_intent_are_neither_rare_nor_frequent() -> None:
    utterances = [Utterance(text="play", intent="music"), Utterance(text="stop")]
    slices = breakdown(utterances, ["play", "top"], transcript_intents=["music"])
    assert (slices["frequent intents"].rate, "rare intents" in slices) == (0.0, False)


def test_counts_do_not_depend_on_word_identity() -> None:
    rng = np.random.default_rng(0)
    reference, hypothesis = rng.integers(0, 3, 12), rng.integers(0, 3, 9)
    names = [align([f"{p}{t}" for t in reference], [f"{p}{t}" for t in hypothesis]) for p in ("a", "z")]
    assert [e.kind for e in names[0]] == [e.kind for e in names[1]]
