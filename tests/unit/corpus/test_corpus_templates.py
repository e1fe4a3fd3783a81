"""Templates keep every character of the text and give values back in their slots."""

import numpy as np
import pytest

from seedcorn.corpus.templates import (
    Signature,
    fill,
    resample_slot_values,
    signature_of,
    slot_types_of,
    template_of,
    templates_by_signature,
    value_catalogue,
    values_of,
)
from seedcorn.corpus.utterances import Slot, Utterance
from seedcorn.errors import DataError

PLAY = Utterance(text="play Adele", domain="music", intent="play", slots=(Slot(5, 10, "artist"),))
TRIP = Utterance(
    text="from Rome to Bonn",
    domain="travel",
    intent="route",
    slots=(Slot(5, 9, "place"), Slot(13, 17, "place")),
)


def test_template_and_signature_of_an_utterance() -> None:
    assert template_of(PLAY) == "play [artist]"
    assert signature_of(TRIP) == Signature("travel", "route", ("place", "place"))
    assert str(signature_of(PLAY)) == "music/play(artist)"


def test_signature_ignores_slot_order() -> None:
    one = Utterance(text="a b", slots=(Slot(0, 1, "x"), Slot(2, 3, "w")))
    other = Utterance(text="b a", slots=(Slot(0, 1, "w"), Slot(2, 3, "x")))
    assert signature_of(one) == signature_of(other)


def test_fill_places_repeated_types_from_left_to_right() -> None:
    filled = fill("to [place] from [place]", values_of(TRIP))
    assert filled.text == "to Rome from Bonn"
    assert [filled.value(s) for s in filled.slots] == ["Rome", "Bonn"]


@pytest.mark.parametrize(
    ("text", "value"),
    [("アデルをかけて", "アデル"), ("अडेल का गाना बजाओ", "अडेल"), ("شغل أديل", "أديل"), ("เปิดเพลงอาเดล", "อาเดล")],
)
def test_any_script_by_character_offsets(text: str, value: str) -> None:
    start = text.index(value)
    utterance = Utterance(text=text, slots=(Slot(start, start + len(value), "artist"),))
    template = template_of(utterance)
    assert template == text.replace(value, "[artist]")
    assert fill(template, {"artist": ["X"]}).text == text.replace(value, "X")


def test_literal_brackets_survive() -> None:
    utterance = Utterance(text="[a] b [c", slots=(Slot(1, 2, "x"),))
    template = template_of(utterance)
    assert slot_types_of(template) == ("x",)
    assert fill(template, {"x": ["a"]}) == utterance


def test_fill_refuses_missing_values() -> None:
    with pytest.raises(DataError, match="1 of type 'place'"):
        fill("from [place] to [place]", {"place": ["Rome"]})


def test_bracket_in_a_slot_type_is_refused() -> None:
    with pytest.raises(DataError, match="without square brackets"):
        template_of(Utterance(text="a", slots=(Slot(0, 1, "x]"),)))


def test_catalogue_has_one_spelling_a_value() -> None:
    shouted = Utterance(text="play ADELE", slots=(Slot(5, 10, "artist"),))
    assert value_catalogue([PLAY, shouted, TRIP]) == {"artist": ("ADELE",), "place": ("Bonn", "Rome")}
    assert value_catalogue([]) == {}


def test_templates_are_counted_under_their_signature() -> None:
    again = Utterance(text="play Seal", domain="music", intent="play", slots=(Slot(5, 9, "artist"),))
    grouped = templates_by_signature([TRIP, PLAY, again])
    assert list(grouped) == [signature_of(PLAY), signature_of(TRIP)]
    assert grouped[signature_of(PLAY)] == {"play [artist]": 2}


def test_values_are_drawn_as_often_as_they_occur() -> None:
    cities = ["pune", "pune", "pune", "delhi"]
    asked = [
        Utterance(text=f"weather in {city}", intent="weather", slots=(Slot(11, 11 + len(city), "city"),))
        for city in cities
    ]
    plain = Utterance(text="stop", intent="stop")
    variants = resample_slot_values([*asked, plain], n_variants=500, rng=np.random.default_rng(0))
    assert len(variants) == 2_000
    assert {u.intent for u in variants} == {"weather"}
    share = np.mean([u.text == "weather in pune" for u in variants])
    assert share == pytest.approx(0.75, abs=0.05)
