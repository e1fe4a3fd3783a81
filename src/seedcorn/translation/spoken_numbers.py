"""Numbers in words: by num2words where it knows the language, and for Hindi by a table."""

import re
from functools import cache

from seedcorn.corpus.text import normalise
from seedcorn.errors import require

_DIGITS = re.compile(r"\d+(?:[.,]\d+)?")
# Every number below a hundred has a name of its own.
_HINDI_NAMES = """
शून्य एक दो तीन चार पाँच छह सात आठ नौ
दस ग्यारह बारह तेरह चौदह पंद्रह सोलह सत्रह अठारह उन्नीस
बीस इक्कीस बाईस तेईस चौबीस पच्चीस छब्बीस सत्ताईस अट्ठाईस उनतीस
तीस इकतीस बत्तीस तैंतीस चौंतीस पैंतीस छत्तीस सैंतीस अड़तीस उनतालीस
चालीस इकतालीस बयालीस तैंतालीस चौवालीस पैंतालीस छियालीस सैंतालीस अड़तालीस उनचास
पचास इक्यावन बावन तिरेपन चौवन पचपन छप्पन सत्तावन अट्ठावन उनसठ
साठ इकसठ बासठ तिरेसठ चौंसठ पैंसठ छियासठ सड़सठ अड़सठ उनहत्तर
सत्तर इकहत्तर बहत्तर तिहत्तर चौहत्तर पचहत्तर छिहत्तर सतहत्तर अठहत्तर उन्यासी
अस्सी इक्यासी बयासी तिरासी चौरासी पचासी छियासी सत्तासी अट्ठासी नवासी
नब्बे इक्यानवे बानवे तिरानवे चौरानवे पचानवे छियानवे सत्तानवे अट्ठानवे निन्यानवे
"""
_HINDI = _HINDI_NAMES.split()
_HINDI_SCALES = ((10_000_000, "करोड़"), (100_000, "लाख"), (1_000, "हज़ार"), (100, "सौ"))


def say_number(number: int, *, lang: str, ordinal: bool = False) -> str | None:
    """Return ``number`` in words of ``lang`` ("fr", "hi-IN"), normalised; None where the language is not known."""
    code = lang.replace("_", "-").split("-")[0].lower()
    if code == "hi":
        return None if ordinal else _hindi(number)
    num2words = require("num2words", extra="values")
    try:
        said = str(num2words.num2words(number, lang=code, to="ordinal" if ordinal else "cardinal"))
    except NotImplementedError:
        return None
    return normalise(said.replace("-", " "))


def say_numbers(text: str, *, lang: str) -> str:
    """Return ``text`` with every whole number written in digits in words; what cannot be said stays as it is."""

    def said(match: re.Match[str]) -> str:
        return (say_number(int(match[0]), lang=lang) if match[0].isdecimal() else None) or match[0]

    return _DIGITS.sub(said, text)


@cache
def numbers_by_name(lang: str) -> dict[str, int]:
    """Return the numbers 0 to 100 by their names in ``lang``, cardinals and ordinals; empty for unknown languages."""
    names: dict[str, int] = {}
    for ordinal in (True, False):
        for number in range(101):
            name = say_number(number, lang=lang, ordinal=ordinal)
            if name:
                names[name] = number
    return names


def _hindi(number: int) -> str:
    if number < 0:
        return f"ऋण {_hindi(-number)}"
    if number < len(_HINDI):
        return _HINDI[number]
    scale, name = next((scale, name) for scale, name in _HINDI_SCALES if number >= scale)
    rest = number % scale
    return f"{_hindi(number // scale)} {name}" + (f" {_hindi(rest)}" if rest else "")
