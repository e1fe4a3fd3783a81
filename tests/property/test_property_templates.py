"""Templates filled with an utterance's own values give it back, and with others' values what could have been said."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from seedcorn.corpus.templates import fill, resample_slot_values, slot_types_of, template_of, values_of
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


@given(st.lists(labelled(), max_size=5), st.integers(0, 3), st.integers(0, 9))
def test_variants_keep_the_template_and_take_known_values(
    utterances: list[Utterance], n_variants: int, seed: int
) -> None:
    found = resample_slot_values(utterances, n_variants=n_variants, rng=np.random.default_rng(seed))
    originals = [u for u in utterances if u.slots for _ in range(n_variants)]
    assert [template_of(u) for u in found] == [template_of(u) for u in originals]
    known = {(slot.type, u.value(slot)) for u in utterances for slot in u.slots}
    assert {(slot.type, u.value(slot)) for u in found for slot in u.slots} <= known
