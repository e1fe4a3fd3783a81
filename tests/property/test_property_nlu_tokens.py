import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.corpus.text import words
from seedcorn.corpus.utterances import Slot
from seedcorn.nlu.tokens import labels_of, slot_at, spans_of, tokens_of

ALPHABET = "abé1 '’-.,ก็เขा्द़नि東ひカー\u200b\u200d\U0001f600"
texts = st.one_of(st.text(max_size=40), st.text(ALPHABET, max_size=40)).map(lambda t: unicodedata.normalize("NFC", t))


@settings(deadline=None)  # the first call makes the character tables
@given(texts)
def test_tokens_are_in_order_do_not_overlap_and_contain_all_words(text: str) -> None:
    tokens = tokens_of(text)
    here = 0
    for token in tokens:
        assert here <= token.start < token.end <= len(text)
        here = token.end
    found = iter(t.word for t in tokens)
    assert all(any(word == token for token in found) for word in words(text))


@settings(deadline=None)
@given(texts, st.data())
def test_slots_on_token_boundaries_survive_labelling(text: str, data: st.DataObject) -> None:
    tokens = tokens_of(text)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(tokens)), max_size=6)))
    spans = list(zip(cuts[::2], cuts[1::2], strict=False))
    slots = tuple(
        Slot(tokens[a].start, tokens[b - 1].end, data.draw(st.sampled_from(["time", "place"]))) for a, b in spans
    )
    assert tuple(slot_at(tokens, span) for span in spans_of(labels_of(tokens, slots))) == slots
