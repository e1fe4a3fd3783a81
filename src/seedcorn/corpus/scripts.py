"""The scripts that languages are written in."""

import unicodedata
from collections.abc import Mapping
from functools import cache

# The script of each language as the first word of its characters' Unicode names; languages not here pass.
SCRIPTS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "nb", "fi", "pl", "cs", "tr"), ("LATIN",)),
    **dict.fromkeys(("hi", "mr", "ne", "sa"), ("DEVANAGARI",)),
    **dict.fromkeys(("ru", "uk", "bg"), ("CYRILLIC",)),
    **dict.fromkeys(("ar", "fa", "ur"), ("ARABIC",)),
    "bn": ("BENGALI",),
    "ta": ("TAMIL",),
    "te": ("TELUGU",),
    "kn": ("KANNADA",),
    "ml": ("MALAYALAM",),
    "gu": ("GUJARATI",),
    "pa": ("GURMUKHI",),
    "el": ("GREEK",),
    "he": ("HEBREW",),
    "th": ("THAI",),
    "ko": ("HANGUL",),
    "zh": ("CJK",),
    "ja": ("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"),
}


def scripts_of(lang: str) -> tuple[str, ...]:
    """Return the scripts that ``lang``, with or without a region, is written in; none where that is not known."""
    return SCRIPTS.get(primary_language(lang), ())


def own_script(text: str, lang: str) -> float:
    """Return the fraction of the letters of ``text`` in the script of ``lang``; 1 without letters or known script."""
    scripts = scripts_of(lang)
    letters = [_script(c) for c in text if c.isalpha()]
    if not scripts or not letters:
        return 1.0
    return sum(script in scripts for script in letters) / len(letters)


def primary_language(lang: str) -> str:
    """Return the language of a code such as "hi-IN", without its region, in lower case."""
    return lang.replace("_", "-").split("-")[0].lower()


@cache
def _script(character: str) -> str:
    return unicodedata.name(character, "").split(" ")[0]
