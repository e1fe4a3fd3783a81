import pytest

from seedcorn.corpus.text import words
from seedcorn.corpus.utterances import Slot
from seedcorn.errors import DataError
from seedcorn.nlu.tokens import labels_of, slot_at, spans_of, tokens_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Wake me at 6 p. m.", ["wake", "me", "at", "6", "p", ".", "m", "."]),
        ("it's five o'clock", ["it's", "five", "o'clock"]),
        ("दिल्ली का मौसम", ["दिल्ली", "का", "मौसम"]),
        ("東京の天気", ["東", "京", "の", "天", "気"]),
        ("a -- b", ["a", "-", "-", "b"]),
        ("a\u200bb c", ["ab", "c"]),
        ("", []),
    ],
)
def test_tokens_are_words_and_punctuation(text: str, expected: list[str]) -> None:
    assert [t.word for t in tokens_of(text)] == expected


def test_tokens_without_punctuation_are_the_words_of_the_package() -> None:
    text = "Remind me, at Joe's (the café): to buy 2 kg of sugar!"
    assert [t.word for t in tokens_of(text) if any(c.isalnum() for c in t.word)] == words(text)


def test_offsets_point_at_the_word_in_the_text() -> None:
    text = "  Play ABBA, now"
    assert [text[t.start : t.end] for t in tokens_of(text)] == ["Play", "ABBA", ",", "now"]


def test_text_outside_nfc_is_refused() -> None:
    with pytest.raises(DataError, match="NFC"):
        tokens_of("cafe\u0301")


def test_labels_are_bio_and_adjacent_slots_of_one_type_stay_apart() -> None:
    tokens = tokens_of("add milk eggs please")
    slots = (Slot(4, 8, "item"), Slot(9, 13, "item"))
    labels = labels_of(tokens, slots)
    assert labels == ["O", "B-item", "B-item", "O"]
    assert tuple(slot_at(tokens, s) for s in spans_of(labels)) == slots


def test_a_slot_inside_a_word_claims_the_word() -> None:
    tokens = tokens_of("call mom's phone")
    assert labels_of(tokens, (Slot(5, 8, "person"),)) == ["O", "B-person", "O"]


def test_an_inside_label_that_continues_nothing_begins_a_span() -> None:
    assert spans_of(["I-a", "I-a", "I-b", "O", "I-b"]) == [(0, 2, "a"), (2, 3, "b"), (4, 5, "b")]
