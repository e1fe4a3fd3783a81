"""Numbers, times, dates and amounts as people say them."""

import pytest

pytest.importorskip("num2words")
pytest.importorskip("babel")

from seedcorn.translation.spoken_numbers import numbers_by_name, say_number, say_numbers
from seedcorn.translation.spoken_values import ways_to_say


@pytest.mark.parametrize(
    ("number", "lang", "said"),
    [
        (71, "fr", "soixante et onze"),
        (1_990, "fr-FR", "mille neuf cent quatre vingt dix"),
        (0, "hi", "शून्य"),
        (99, "hi", "निन्यानवे"),
        (250, "hi-IN", "दो सौ पचास"),
        (1_234_567, "hi", "बारह लाख चौंतीस हज़ार पाँच सौ सड़सठ"),
        (21, "en", "twenty one"),
        (21, "tlh", None),
    ],
)
def test_numbers_are_said(number: int, lang: str, said: str | None) -> None:
    assert say_number(number, lang=lang) == said


def test_hindi_numbers_have_a_hundred_names() -> None:
    names = [say_number(n, lang="hi") for n in range(100)]
    assert len(set(names)) == 100
    assert all(name and " " not in name for name in names)


def test_digits_in_a_text_are_said_and_the_rest_stays() -> None:
    assert say_numbers("wake me at 10 in 3.5 hours", lang="en") == "wake me at ten in 3.5 hours"
    assert say_numbers("10 Qapla", lang="tlh") == "10 Qapla"
    assert numbers_by_name("en")["fifteenth"] == 15


@pytest.mark.parametrize(
    ("value", "target", "first"),
    [
        ("five p. m.", "fr", "cinq heures de l'après-midi"),
        ("nine am", "fr", "neuf heures du matin"),
        ("twelve p. m.", "fr", "midi"),
        ("7:30", "fr", "sept heures trente"),
        ("1:05", "fr", "une heure cinq"),
        ("seven thirty pm", "fr", "sept heures trente du soir"),
        ("five pm", "hi", "शाम पाँच बजे"),
        ("6:15", "hi", "छह बजकर पंद्रह मिनट"),
        ("one p. m.", "es", "la una de la tarde"),
        ("18:20", "de", "achtzehn uhr zwanzig"),
        ("friday", "fr", "vendredi"),
        ("Monday", "hi", "सोमवार"),
        ("april", "hi", "अप्रैल"),
        ("march 15", "fr", "quinze mars"),
        ("fifteenth of march", "es", "quince de marzo"),
        ("april first", "fr", "premier avril"),
        ("$5", "fr", "cinq dollars"),
        ("twenty euros", "hi", "बीस यूरो"),
        ("twelve", "fr", "douze"),
        ("42", "hi", "बयालीस"),
    ],
)
def test_values_are_said_as_people_say_them(value: str, target: str, first: str) -> None:
    assert ways_to_say(value, source_lang="en", target_lang=target)[0] == first


def test_there_are_several_ways() -> None:
    ways = ways_to_say("five p. m.", source_lang="en", target_lang="fr")
    assert ways == ("cinq heures de l'après-midi", "dix sept heures")
    assert ways_to_say("quinze mars", source_lang="fr", target_lang="en") == ("march fifteenth",)
    assert ways_to_say("17:00", source_lang="fr", target_lang="en")[0] == "five pm"


@pytest.mark.parametrize("value", ["the kitchen", "five minutes ago", "25:99", "march 45", "may be", "", "adele 21"])
def test_what_no_rule_reads_as_a_whole_is_left_to_translation(value: str) -> None:
    assert ways_to_say(value, source_lang="en", target_lang="fr") == ()


def test_languages_that_nobody_knows_have_no_ways() -> None:
    assert ways_to_say("friday", source_lang="en", target_lang="tlh") == ()
    assert ways_to_say("five pm", source_lang="en", target_lang="tlh") == ()
