"""BIO tags and slots are two views of one thing: what one writes, the other reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedcorn.corpus.formats.bio import TaggedToken, slots_of, tagged_tokens
from seedcorn.corpus.utterances import Slot, Utterance
from seedcorn.errors import DataError

TOKENS = st.lists(st.text("aबé", min_size=1, max_size=4), max_size=6)
TAGS = ("O", "B-x", "I-x", "B-y", "I-y", "S-x", "E-x", "U-y", "L-y")


@st.composite
def utterances(draw: st.DrawFn) -> Utterance:
    """Utterances with slots that begin and end at words, as tags can show them."""
    tokens = draw(TOKENS)
    text = draw(st.sampled_from([" ", "  "])).join(tokens)
    places = [Slot(at, at + len(token), "") for token, at in _places(tokens, text)]
    slots, at = [], 0
    while at < len(places):
        n = draw(st.integers(0, 3))
        if n:
            last = min(at + n, len(places)) - 1
            slots.append(Slot(places[at].start, places[last].end, draw(st.sampled_from("xy"))))
        at += max(n, 1)
    return Utterance(text=text, slots=tuple(slots))


def _places(tokens: list[str], text: str) -> list[tuple[str, int]]:
    found, end = [], 0
    for token in tokens:
        at = text.index(token, end)
        found.append((token, at))
        end = at + len(token)
    return found


@given(utterances())
def test_slots_come_back_from_their_tags(utterance: Utterance) -> None:
    assert tuple(slots_of(tagged_tokens(utterance), utterance.text)) == utterance.slots


@given(st.lists(st.tuples(st.text("ab", min_size=1, max_size=3), st.sampled_from(TAGS)), max_size=8))
def test_any_sequence_of_tags_marks_whole_tokens_in_order(tagged: list[tuple[str, str]]) -> None:
    text = " ".join(token for token, _ in tagged)
    slots = slots_of([TaggedToken(*pair) for pair in tagged], text)
    inside = [tag != "O" for _, tag in tagged]
    covered = [any(s.start <= at < s.end for s in slots) for _, at in _places([t for t, _ in tagged], text)]
    assert covered == inside
    assert all(a.end <= b.start for a, b in zip(slots, slots[1:], strict=False))


def test_a_slot_inside_a_word_cuts_it() -> None:
    utterance = Utterance(text="at 6pm", slots=(Slot(3, 4, "hour"),))
    assert tagged_tokens(utterance) == [("at", "O"), ("6", "B-hour"), ("pm", "O")]


@pytest.mark.parametrize(
    ("tagged", "message"),
    [
        ([("go", "X-a")], "wanted a tag O, B-type or I-type"),
        ([("gone", "O")], "wanted the tokens of"),
        ([], "none for 'go'"),
    ],
)
def test_what_does_not_fit_the_text_is_refused(tagged: list[tuple[str, str]], message: str) -> None:
    with pytest.raises(DataError, match=message):
        slots_of([TaggedToken(*pair) for pair in tagged], "go")


def test_a_slot_of_white_space_alone_is_refused() -> None:
    with pytest.raises(DataError, match="white space as x"):
        tagged_tokens(Utterance(text="go  on", slots=(Slot(2, 4, "x"),)))
