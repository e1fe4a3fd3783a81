"""Filling the template of an utterance with its own values gives the utterance back."""

from hypothesis import given
from hypothesis import strategies as st

from seedcorn.corpus.templates import fill, slot_types_of, template_of, values_of
from seedcorn.corpus.utterances import Slot, Utterance


@st.composite
def labelled(draw: st.DrawFn) -> Utterance:
    text = draw(st.text(st.sampled_from("ab[] 朝क्à"), min_size=1, max_size=20))
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=6)))
    types = st.sampled_from(["time", "artist", "場所"])
    spans = zip(cuts[::2], cuts[1::2], strict=False)
    return Utterance(text=text, slots=tuple(Slot(start, end, draw(types)) for start, end in spans))


@given(labelled())
def test_fill_inverts_template_of(utterance: Utterance) -> None:
    template = template_of(utterance)
    assert slot_types_of(template) == tuple(s.type for s in utterance.slots)
    assert fill(template, values_of(utterance)) == utterance
