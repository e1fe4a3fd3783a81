"""Latin to Devanagari: a user's lexicon first, then our own table of English spellings, greedy from the left.

The table writes what a reader of Hindi would guess from the letters. It knows the common digraphs, silent final e, the
inherent vowel and consonant clusters; it does not know English pronunciation: names that matter belong in the lexicon.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from seedcorn.corpus.formats.lines import numbered_lines
from seedcorn.corpus.text import clean_text, words
from seedcorn.errors import DataError, at

_VIRAMA = "\u094d"
_CONSONANTS: Mapping[str, str] = {
    "chh": "छ", "sch": "श", "tch": "च", "ck": "क", "ch": "च", "sh": "श", "th": "थ", "ph": "फ", "gh": "घ", "kh": "ख",
    "dh": "ध", "bh": "भ", "jh": "झ", "wh": "व", "qu": "क्व", "b": "ब", "c": "क", "d": "ड", "f": "फ", "g": "ग",
    "h": "ह", "j": "ज", "k": "क", "l": "ल", "m": "म", "n": "न", "p": "प", "q": "क", "r": "र", "s": "स", "t": "ट",
    "v": "व", "w": "व", "x": "क्स", "y": "य", "z": "ज़",
}  # fmt: skip
# Each vowel as it stands alone and as the sign after a consonant; a lone "a" there is the inherent vowel.
_VOWELS: Mapping[str, tuple[str, str]] = {
    "aa": ("आ", "ा"), "ai": ("ऐ", "ै"), "ay": ("ए", "े"), "au": ("औ", "ौ"), "aw": ("औ", "ौ"), "ee": ("ई", "ी"),
    "ea": ("ई", "ी"), "ei": ("ई", "ी"), "ey": ("ए", "े"), "ie": ("ई", "ी"), "ii": ("ई", "ी"), "oo": ("ऊ", "ू"),
    "ou": ("आउ", "ाउ"), "ow": ("आउ", "ाउ"), "oa": ("ओ", "ो"), "oy": ("ऑय", "ॉय"), "oi": ("ऑय", "ॉय"),
    "oh": ("ओ", "ॉ"), "ue": ("ऊ", "ू"), "uu": ("ऊ", "ू"), "io": ("इयो", "ियो"), "ia": ("इया", "िया"),
    "a": ("अ", ""), "e": ("ए", "े"), "i": ("इ", "ि"), "o": ("ओ", "ो"), "u": ("उ", "ु"), "y": ("ई", "ी"),
}  # fmt: skip
# A vowel before one consonant and a final e is said as its name.
_LONG_VOWELS: Mapping[str, tuple[str, str]] = {
    "a": ("ए", "े"), "e": ("ई", "ी"), "i": ("आइ", "ाइ"), "o": ("ओ", "ो"), "u": ("यू", "्यू"), "y": ("आइ", "ाइ"),
}  # fmt: skip
_LONG_VOWEL = re.compile(r"([aeiouy])(th|ch|sh|ph|[bcdfgklmnprstvz])e$")
_NASAL_BEFORE = "bcdfgjkptvxz"
_SOFT_C, _SOFT_BEFORE = "स", "eiy"
_LONGEST_SPELLING = 3
Lexicon = Mapping[str, str]


def transliterate(text: str, *, lexicon: Lexicon | None = None) -> str:
    """Return ``text`` with every Latin word in Devanagari; other words, digits included, stay as they are.

    ``lexicon`` maps lower-case words, or whole phrases, to their Devanagari spelling and wins over the table.
    """
    known = lexicon or {}
    normalised = " ".join(words(text))
    if normalised in known:
        return known[normalised]
    return " ".join(known.get(word) or _transliterated(word) for word in normalised.split(" "))


def read_lexicon(path: Path) -> dict[str, str]:
    """Return the lexicon in a file of lines "word, tab, spelling"; raises DataError for any other line."""
    lexicon: dict[str, str] = {}
    for number, line in numbered_lines(path):
        fields = [clean_text(field) for field in line.split("\t")]
        if len(fields) != 2 or not all(fields):
            raise DataError(wanted="a word, a tab and its spelling", found=f"'{line[:60]}'", where=at(path, number))
        lexicon[" ".join(words(fields[0]))] = fields[1]
    return lexicon


def _transliterated(word: str) -> str:
    if not any("a" <= letter <= "z" for letter in word):
        return word
    word = re.sub(r"([b-df-hj-np-tv-z])\1", r"\1", word)
    long_vowel = _LONG_VOWEL.search(word)
    ends_silent = len(word) > 3 and word.endswith("e") and word[-2] not in "aeiouy"
    # Final "or" and "er" are said as one sound, the inherent vowel.
    word = re.sub(r"(?<=[b-df-hj-np-tv-z])[eo]r$", "ar", word[:-1] if ends_silent else word)
    return clean_text(_written(word, long_vowel.start() if long_vowel else -1))


def _written(word: str, long_vowel_at: int) -> str:
    written, position, after_consonant = "", 0, False
    while position < len(word):
        spelling = _longest_spelling(word, position)
        following = word[position + len(spelling) : position + len(spelling) + 1]
        if spelling in _VOWELS and not (spelling == "y" and following and following in "aeiou"):
            table = _LONG_VOWELS if position == long_vowel_at else _VOWELS
            alone, sign = table.get(spelling, _VOWELS[spelling])
            written += (sign or ("" if following else "ा")) if after_consonant else alone
            after_consonant = False
        elif spelling == "n" and position and not after_consonant and following and following in _NASAL_BEFORE:
            written += "ं"
        elif spelling in _CONSONANTS:
            letter = _SOFT_C if spelling == "c" and following and following in _SOFT_BEFORE else _CONSONANTS[spelling]
            written += (_VIRAMA if after_consonant else "") + letter
            after_consonant = True
        else:
            written, after_consonant = written + spelling, False
        position += len(spelling)
    return written


def _longest_spelling(word: str, position: int) -> str:
    for length in range(_LONGEST_SPELLING, 0, -1):
        spelling = word[position : position + length]
        # "oh" is one sound before a consonant only: "john", not "oho".
        before_vowel = word[position + length : position + length + 1] in ("a", "e", "i", "o", "u")
        if spelling == "oh" and before_vowel:
            continue
        if spelling in _VOWELS or spelling in _CONSONANTS:
            return spelling
    return word[position]
