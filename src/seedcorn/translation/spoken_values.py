"""Slot values as people of the target language say them: numbers, clock times, days, dates, amounts of money, by rule.

Translators trained on few pairs garble them, and a language model needs them in words. Names of days, months and
currencies come from CLDR (by ``babel``), numbers from ``spoken_numbers``; how the time is told is written below for
some languages. A value is said by rule only when a rule reads all of it; any other is left to translation.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from seedcorn.corpus.text import normalise
from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import require
from seedcorn.translation.spoken_numbers import numbers_by_name, say_number

if TYPE_CHECKING:
    from babel import Locale

_MERIDIEM = re.compile(r"\s*\b(?P<half>[ap])\.?\s*m\b\.?$")
_MONEY_SIGNS = {"$": "USD", "€": "EUR", "£": "GBP", "₹": "INR", "¥": "JPY"}
_CURRENCIES = (*_MONEY_SIGNS.values(), "CHF", "CAD", "AUD", "CNY", "RUB", "MXN", "BRL", "KRW")
_NOUN_FIRST = ("fr", "es", "it", "pt")  # "dollars des États-Unis": people say the first word, elsewhere the last
_DATES: Mapping[str, str] = {
    "fr": "{day} {month}", "hi": "{day} {month}", "it": "{day} {month}", "nl": "{day} {month}",
    "es": "{day} de {month}", "pt": "{day} de {month}", "en": "{month} {ordinal}", "de": "{ordinal}r {month}",
}  # fmt: skip


@cache
def ways_to_say(value: str, *, source_lang: str, target_lang: str) -> tuple[str, ...]:
    """Return how people say ``value`` in the target language, the usual way first; nothing where no rule reads it.

    Read are whole values in the source language, in digits or words: "7:30", "five p. m.", "friday", "march 15",
    "fifteenth of march", "$ 5", "twenty euros", "twelve". All ways are normalised.
    """
    source, target = _code(source_lang), _code(target_lang)
    text = value.strip().lower()
    for rule in (_money, _clock_time, _date, _name_of_day_or_month, _number):
        ways = rule(text, source, target)
        if ways:
            return tuple(dict.fromkeys(normalise(way) for way in ways))
    return ()


def spoken_values_of(
    utterances: Iterable[Utterance], *, source_lang: str, target_lang: str, rng: np.random.Generator
) -> dict[str, list[str]]:
    """Return the slot values of ``utterances`` as people say them in the target language, by slot type, in order.

    A value stands as often as it occurs, each time in one of its ways, drawn by ``rng``; those that no rule reads are
    left out.
    """
    said: defaultdict[str, list[str]] = defaultdict(list)
    for utterance in utterances:
        for slot in utterance.slots:
            ways = ways_to_say(utterance.value(slot), source_lang=source_lang, target_lang=target_lang)
            if ways:
                said[slot.type].append(ways[rng.integers(len(ways))])
    return dict(said)


Ways = list[str]


def _number(text: str, source: str, target: str) -> Ways:
    number = _read_number(text, source)
    said = None if number is None else say_number(number, lang=target)
    return [said] if said else []


def _read_number(text: str, lang: str) -> int | None:
    """Return the whole number that ``text`` is, in digits or, up to a hundred, in words."""
    digits = re.fullmatch(r"\d{1,9}(?:st|nd|rd|th)?", text)
    if digits:
        return int(re.sub(r"\D", "", text))
    return numbers_by_name(lang).get(normalise(text.replace("-", " ")))


def _name_of_day_or_month(text: str, source: str, target: str) -> Ways:
    place = _calendar_names(source).get(normalise(text))
    return [] if place is None else [name for name, found in _calendar_names(target).items() if found == place][:1]


def _date(text: str, source: str, target: str) -> Ways:
    """Say a day of a month: "march 15", "15 march", "the fifteenth of march"."""
    words = [word for word in normalise(text.replace("-", " ")).split() if word not in ("of", "the", "de", "le")]
    months = [i for i, word in enumerate(words) if _calendar_names(source).get(word, ("", 0))[0] == "months"]
    if len(months) != 1 or len(words) < 2 or target not in _DATES:
        return []
    day = _read_number(" ".join(words[: months[0]] + words[months[0] + 1 :]), source)
    if day is None or not 1 <= day <= 31:
        return []
    month = _name_of_day_or_month(words[months[0]], source, target)
    said = {"day": say_number(day, lang=target), "ordinal": say_number(day, lang=target, ordinal=True)}
    if target == "fr" and day == 1:
        said["day"] = "premier"
    wanted = "ordinal" if "{ordinal}" in _DATES[target] else "day"
    return [_DATES[target].format(**said, month=month[0])] if month and said[wanted] else []


def _money(text: str, source: str, target: str) -> Ways:
    """Say an amount: the short name of the currency first ("dollars"), then that of CLDR ("dollars des États-Unis")."""
    sign = next((sign for sign in _MONEY_SIGNS if sign in text), "")
    words = text.replace(sign, " ").split() if sign else normalise(text).split()
    currency = _MONEY_SIGNS.get(sign, "")
    if not currency:
        names = _currency_names(source)
        ends = [at for at in range(1, len(words)) if " ".join(words[at:]) in names]
        if not ends:
            return []
        currency, words = names[" ".join(words[ends[0] :])], words[: ends[0]]
    amount = _read_number(" ".join(words), source)
    said = None if amount is None else say_number(amount, lang=target)
    if amount is None or said is None:
        return []
    full = _currency_name(currency, amount, target)
    return [f"{said} {_short(full, target)}", f"{said} {full}"]


def _clock_time(text: str, source: str, target: str) -> Ways:
    half = _MERIDIEM.search(text)
    clock = text[: half.start()] if half else text
    hour, minute = _read_clock(clock, source, told=bool(half))
    teller = _TELLERS.get(target)
    if hour is None or teller is None or not (0 <= hour <= 23 and 0 <= minute <= 59):
        return []
    if half and hour <= 12:
        hour = hour % 12 + (12 if half["half"] == "p" else 0)
    return teller(hour, minute, bool(half) or hour > 12)


def _read_clock(text: str, lang: str, *, told: bool) -> tuple[int | None, int]:
    """Return hour and minute of "7:30", or with ``told`` (am or pm was said) also of "7", "seven thirty"."""
    parts = re.fullmatch(r"(\d{1,2}):(\d{2})", text.strip())
    if parts:
        return int(parts[1]), int(parts[2])
    words = normalise(text).split()
    if not told or not words:
        return None, 0
    whole = _read_number(" ".join(words), lang)
    if whole is not None and whole <= 23:
        return whole, 0
    minute = _read_number(" ".join(words[1:]), lang)
    return (_read_number(words[0], lang), minute) if minute is not None else (None, 0)


def _tell_french(hour: int, minute: int, told: bool) -> Ways:
    def hours(number: int) -> str:
        said = {1: "une", 21: "vingt et une"}.get(number) or say_number(number, lang="fr")
        return f"{said} heure" + ("s" if number > 1 else "")

    minutes = f" {say_number(minute, lang='fr')}" if minute else ""
    by_name = {0: "minuit", 12: "midi"}.get(hour)
    part = "du matin" if hour < 12 else "de l'après-midi" if hour < 18 else "du soir"
    ways = [f"{hours(hour)}{minutes}"]
    if by_name:
        ways.insert(0, by_name + minutes)
    elif told:
        ways.insert(0, f"{hours((hour - 1) % 12 + 1)}{minutes} {part}")
    return ways


def _tell_german(hour: int, minute: int, told: bool) -> Ways:
    minutes = f" {say_number(minute, lang='de')}" if minute else ""
    said = "ein" if hour == 1 else say_number(hour, lang="de")
    return [f"{said} uhr{minutes}"]


def _tell_spanish(hour: int, minute: int, told: bool) -> Ways:
    twelve = (hour - 1) % 12 + 1
    said = "la una" if twelve == 1 else f"las {say_number(twelve, lang='es')}"
    minutes = f" y {say_number(minute, lang='es')}" if minute else ""
    part = " de la mañana" if hour < 12 else " de la tarde" if hour < 20 else " de la noche"
    return [f"{said}{minutes}{part if told else ''}"]


def _tell_hindi(hour: int, minute: int, told: bool) -> Ways:
    twelve = say_number((hour - 1) % 12 + 1, lang="hi")
    part = "सुबह" if 4 <= hour < 12 else "दोपहर" if 12 <= hour < 16 else "शाम" if 16 <= hour < 20 else "रात"
    time = f"{twelve} बजकर {say_number(minute, lang='hi')} मिनट" if minute else f"{twelve} बजे"
    return [f"{part} {time}"] if told else [time]


def _tell_english(hour: int, minute: int, told: bool) -> Ways:
    minutes = f" {'o ' if minute < 10 else ''}{say_number(minute, lang='en')}" if minute else ""
    said = f"{say_number((hour - 1) % 12 + 1, lang='en')}{minutes}"
    half = "am" if hour < 12 else "pm"
    return [f"{said} {half}", f"{said} {half[0]} m"] if told else [said]


_TELLERS: Mapping[str, Callable[[int, int, bool], Ways]] = {
    "fr": _tell_french, "de": _tell_german, "es": _tell_spanish, "hi": _tell_hindi, "en": _tell_english,
}  # fmt: skip


def _code(lang: str) -> str:
    return lang.replace("_", "-").split("-")[0].lower()


def _locale(lang: str) -> "Locale | None":
    babel = require("babel", extra="values")
    try:
        found: Locale = babel.Locale.parse(lang)
    except (ValueError, babel.UnknownLocaleError):
        return None
    return found


@cache
def _calendar_names(lang: str) -> dict[str, tuple[str, int]]:
    """Return what each name of a day of the week or a month stands for; the wide names come first."""
    locale = _locale(lang)
    names: dict[str, tuple[str, int]] = {}
    if locale is None:
        return names
    for width in ("wide", "abbreviated"):
        for kind, known in (("days", locale.days), ("months", locale.months)):
            for number, name in known["format"][width].items():
                names.setdefault(normalise(str(name)), (kind, int(number)))
    return names


@cache
def _currency_names(lang: str) -> dict[str, str]:
    """Return the currency of each name, short and full; of short names that several share, the first of _CURRENCIES."""
    names: dict[str, str] = {}
    for currency in _CURRENCIES:
        for amount in (1, 2):
            full = _currency_name(currency, amount, lang)
            for name in (full, _short(full, lang)):
                names.setdefault(name, currency)
    return names


def _currency_name(currency: str, amount: int, lang: str) -> str:
    numbers = require("babel.numbers", extra="values")
    locale = _locale(lang)
    if not locale:
        return currency.lower()
    return normalise(str(numbers.get_currency_name(currency, count=amount, locale=locale)))


def _short(full: str, lang: str) -> str:
    return full.split()[0 if lang in _NOUN_FIRST else -1]
