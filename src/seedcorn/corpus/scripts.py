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


_OWN, _OTHER = "=", "-"


def scripts_of(lang: str) -> tuple[str, ...]:
    """Return the scripts that ``lang``, with or without a region, is written in; none where that is not known."""
    return SCRIPTS.get(primary_language(lang), ())


def own_script(text: str, lang: str) -> float:
    """Return the fraction of the letters of ``text`` in the script of ``lang``; 1 without letters or known script."""
    scripts = scripts_of(lang)
    letters = text.translate(_kinds_of(scripts)) if scripts else ""
    return letters.count(_OWN) / len(letters) if letters else 1.0


def primary_language(lang: str) -> str:
    """Return the language of a code such as "hi-IN", without its region, in lower case."""
    return lang.replace("_", "-").split("-")[0].lower()


class _Kinds(dict[int, str]):
    """What ``str.translate`` puts for a character: a sign for letters of ``scripts``, one for others, or nothing."""

    def __init__(self, scripts: tuple[str, ...]) -> None:
        super().__init__()
        self.scripts = scripts

    def __missing__(self, code: int) -> str:
        character = chr(code)
        is_own = unicodedata.name(character, "").split(" ")[0] in self.scripts
        self[code] = (_OWN if is_own else _OTHER) if character.isalpha() else ""
        return self[code]


@cache
def _kinds_of(scripts: tuple[str, ...]) -> _Kinds:
    return _Kinds(scripts)
