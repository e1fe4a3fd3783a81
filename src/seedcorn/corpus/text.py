"""Unicode normalisation and word splitting: one definition for scoring, language models and word error rate.

Three steps, each usable alone: ``clean_text`` is what every reader does to text; ``normalise`` removes what does not
matter when utterances are compared (case, punctuation, joiner controls); ``words`` splits. Scripts written without
spaces are split without a dictionary: Han and kana (except runs of katakana) by character, Thai, Lao, Khmer and Myanmar
by orthographic syllable, so that n-grams, language models and error rates mean the same in every script.

Case is folded in full (Unicode Standard 3.13, CaseFolding.txt C and F): "ß" is "ss", "ς" is "σ"; "İ" and "i̇" are
"i". In Turkish and its relatives "I" is "ı": name the language. A comma or point between digits stays: "1,000.50" is
one word.
"""

import functools
import unicodedata
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

N_CODE_POINTS = 0x110000


class CharacterClass(IntEnum):
    """What a character does to the words around it."""

    WORD = 0  # extends the current word
    SPACE = 1  # ends the current word, and is dropped
    PUNCTUATION = 2  # as SPACE
    JOINER = 3  # kept between two WORD characters ("o'clock", "t-shirt"), else as SPACE
    ALONE = 4  # a word of its own (Han, hiragana)
    MARK = 5  # belongs to the character before it
    PREFIX = 6  # a vowel written before its consonant (Thai, Lao): opens a syllable, the next SYLLABLE continues it
    SYLLABLE = 7  # a consonant of an unspaced script: opens a syllable unless a PREFIX or a STACKER came before
    STACKER = 8  # an invisible virama (Khmer coeng, Myanmar): the next SYLLABLE belongs to the same one
    DROPPED = 9  # zero-width and format characters: neither kept nor a boundary
    DIGIT = 10  # as WORD
    NUMBER_JOINER = 11  # kept between two DIGITs ("1,000.50"), else as PUNCTUATION


# They choose a glyph, in Persian a half space; no word differs from another by them alone.
_ZERO_WIDTH_JOINERS = (0x200C, 0x200D)
_NUMBER_JOINERS = (0x2C, 0x2E, 0x66B, 0x66C)
_JOINERS = (0x27, 0x2019, 0x2D, 0x2010, 0x2011, 0xB7, 0x30FB)
_ALONE_RANGES = (
    (0x3041, 0x309F),  # hiragana
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)
_SYLLABLE_RANGES = (
    (0x0E01, 0x0E2E),  # Thai consonants
    (0x0E81, 0x0EAE),  # Lao consonants
    (0x0EDC, 0x0EDF),
    (0x1000, 0x102A),  # Myanmar
    (0x1780, 0x17B3),  # Khmer
)
_PREFIX_RANGES = ((0x0E40, 0x0E44), (0x0EC0, 0x0EC4))
# Vowels and signs of Thai and Lao that Unicode does not count as marks, though they continue a syllable.
_CONTINUING_RANGES = ((0x0E2F, 0x0E3A), (0x0E45, 0x0E4E), (0x0EAF, 0x0EBC), (0x0EC6, 0x0ECE))
_STACKERS = (0x17D2, 0x1039)
_PROLONGED_SOUND_MARK = 0x30FC


@functools.cache
def _class_of_category(category: str) -> CharacterClass:
    if category.startswith("M"):
        return CharacterClass.MARK
    if category.startswith("Z") or category == "Cc":
        return CharacterClass.SPACE
    if category[0] in "PS":
        return CharacterClass.PUNCTUATION
    if category == "Cf":
        return CharacterClass.DROPPED
    if category == "Nd":
        return CharacterClass.DIGIT
    return CharacterClass.WORD


@functools.cache
def character_classes() -> NDArray[np.uint8]:
    """Return the CharacterClass of every code point, shape (0x110000,), for Python and compiled code alike.

    Currency and percent signs and the signs + # & @ count as WORD: they are spoken.
    """
    classes = np.full(N_CODE_POINTS, CharacterClass.WORD, dtype=np.uint8)
    # Beyond the two first planes there are only Han, unassigned and private characters, and a few format characters.
    classes[:0x20000] = [_class_of_category(unicodedata.category(chr(code_point))) for code_point in range(0x20000)]
    classes[0xE0000:0xE0FFF] = CharacterClass.DROPPED
    classes[0xE0100:0xE01F0] = CharacterClass.MARK  # variation selectors, as those of the first plane
    for ranges, character_class in (
        (_ALONE_RANGES, CharacterClass.ALONE),
        (_SYLLABLE_RANGES, CharacterClass.SYLLABLE),
        (_PREFIX_RANGES, CharacterClass.PREFIX),
        (_CONTINUING_RANGES, CharacterClass.MARK),
    ):
        for first, last in ranges:
            classes[first : last + 1] = character_class
    classes[list(_JOINERS)] = CharacterClass.JOINER
    classes[list(_ZERO_WIDTH_JOINERS)] = CharacterClass.DROPPED
    classes[list(_NUMBER_JOINERS)] = CharacterClass.NUMBER_JOINER
    classes[list(_STACKERS)] = CharacterClass.STACKER
    classes[_PROLONGED_SOUND_MARK] = CharacterClass.WORD
    classes[[ord(c) for c in "+#&@%$€£¥₹°"]] = CharacterClass.WORD
    return classes


@functools.cache
def case_folds() -> dict[int, str]:
    """Return what each code point becomes that is not itself; of several characters only where Unicode says so.

    What NFC would compose again stays apart ("ǰ" is "j" and its caron), so that a capital with the same mark, which
    has no composed form, becomes the same.
    """
    folds = {code: _case_fold(chr(code)) for code in range(0x20000) if chr(code).casefold() != chr(code)}
    folds |= {0x2019: "'", 0x130: "i", 0x345: chr(0x345)}  # one apostrophe; no dot; a mark stays a mark
    return {code: folded for code, folded in folds.items() if folded != chr(code)}


def _case_fold(character: str) -> str:
    folded = character.casefold()
    composed = unicodedata.normalize("NFC", folded)
    if len(folded) == 1 or composed == folded == character:
        return folded
    if composed == character:
        return unicodedata.normalize("NFC", folded[:-1]) + folded[-1]
    return "".join(_case_fold(inner) for inner in composed)


@functools.cache
def _kind_and_fold(character: str) -> tuple[CharacterClass, str]:
    code_point = ord(character)
    return CharacterClass(character_classes()[code_point]), case_folds().get(code_point, character)


# Control characters (Cc) and the separators of lines (Zl) and paragraphs (Zp) become spaces. Characters that nobody
# sees go: soft hyphen, zero-width space, byte-order mark, marks of direction, tags. The zero-width joiners stay.
INVISIBLE = (
    *(0xAD, 0x34F, 0x61C, 0x180E, 0x200B, 0x200E, 0x200F, 0x3164, 0xFEFF, 0xFFA0, 0xE0001),
    *range(0x202A, 0x202F),
    *range(0x2060, 0x2070),
    *range(0xFFF9, 0xFFFC),
    *range(0xE0020, 0xE0080),
)
_VISIBLE = {**dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029], " "), **dict.fromkeys(INVISIBLE)}
_JOINERS_ALONE = " \u200c\u200d"


def clean_text(text: str) -> str:
    """Return ``text`` in NFC, without invisible characters, every run of white space one space, none at the ends.

    This is what readers do to every text, so that ``\\u2028``, ``\\x85``, a BOM or a tab never splits a row later on.
    Text of zero-width joiners alone is empty.
    """
    visible = " ".join(unicodedata.normalize("NFC", text.translate(_VISIBLE)).split())
    return visible if visible.strip(_JOINERS_ALONE) else ""


# Languages whose capital of "ı" is "I" and of "i" is "İ".
_DOTLESS_I_LANGUAGES = ("tr", "az", "crh", "gag", "tt")
_DOTLESS_I = str.maketrans({"I": "ı", "İ": "i"})


class Word(NamedTuple):
    """A word, the characters of the text that it came from, and whether it stood apart from the word before it."""

    word: str
    start: int
    end: int
    is_apart: bool


def words_at(text: str) -> list[Word]:
    """Return the words of ``text``, which is in NFC, with their places; see CharacterClass for the rules."""
    result: list[Word] = []
    word, start, end = "", 0, 0
    is_apart = False  # white space or punctuation came before the word
    joiner = ""  # a JOINER or NUMBER_JOINER that waits for what it joins on its other side
    single = False  # the word is a character or syllable of an unspaced script: only marks extend it
    claimed = False  # a PREFIX or STACKER came last: the next SYLLABLE belongs to this word
    before = CharacterClass.SPACE  # the last character that was not dropped

    for at, character in enumerate(text):
        kind, low = _kind_and_fold(character)
        if kind == CharacterClass.DROPPED or (character == "\u0307" and word.endswith("i") and not joiner):
            continue
        if before == CharacterClass.NUMBER_JOINER and joiner and kind != CharacterClass.DIGIT:
            result.append(Word(word, start, end, is_apart))
            word, joiner, single, is_apart = "", "", False, True
        digit_before, before = before == CharacterClass.DIGIT, kind
        if kind in (CharacterClass.MARK, CharacterClass.STACKER):
            start = start if word else at
            word, joiner, end = word + joiner + low, "", at + 1
            claimed = claimed or kind == CharacterClass.STACKER
            continue
        joins = kind == CharacterClass.JOINER or (kind == CharacterClass.NUMBER_JOINER and digit_before)
        if joins and word and not single and not joiner:
            joiner = low
            continue
        is_word = kind in (CharacterClass.WORD, CharacterClass.DIGIT)
        extends = (is_word and not single) or (kind == CharacterClass.SYLLABLE and claimed)
        if not extends:
            if word:
                result.append(Word(word, start, end, is_apart))
                is_apart = bool(joiner)
            word, joiner, single = "", "", False
        claimed = kind == CharacterClass.PREFIX
        if kind in _BETWEEN_WORDS:
            is_apart = True
            continue
        start = start if word else at
        word, joiner, end = word + joiner + low, "", at + 1
        single = not is_word
    if word:
        result.append(Word(word, start, end, is_apart))
    return result


_BETWEEN_WORDS = (
    CharacterClass.SPACE,
    CharacterClass.PUNCTUATION,
    CharacterClass.JOINER,
    CharacterClass.NUMBER_JOINER,
)


def words(text: str, *, lang: str = "") -> list[str]:
    """Return the words of ``text`` in order, case folded (as ``lang`` has it), without punctuation."""
    # Nothing before a space matters to what comes after it, so that words seen before need not be split again.
    parts = _prepared(text, lang).split(" ")
    return [word for part in parts for word in (_remembered if len(part) <= _MOST_REMEMBERED else _split)(part)]


_MOST_REMEMBERED = 32  # characters


def _split(part: str) -> tuple[str, ...]:
    return tuple(found.word for found in words_at(part))


_remembered = functools.lru_cache(1 << 14)(_split)


def _prepared(text: str, lang: str) -> str:
    text = unicodedata.normalize("NFC", text)
    return text.translate(_DOTLESS_I) if lang.replace("_", "-").split("-")[0] in _DOTLESS_I_LANGUAGES else text


def normalise(text: str) -> str:
    """Return the words of ``text`` joined by single spaces: the key under which utterances are equal."""
    return " ".join(words(text))


def spaced_as_written(text: str, *, lang: str = "") -> str:
    """Return the words of ``text`` with a space where something stood between them: nothing inside Han or Thai."""
    found = words_at(_prepared(text, lang))
    return "".join((" " if word.is_apart and i else "") + word.word for i, word in enumerate(found))
