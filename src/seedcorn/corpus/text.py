"""Unicode normalisation and word splitting: one definition for scoring, language models and word error rate.

Three steps, each usable alone: ``normalise`` is what every reader does to text; ``fold`` removes what does not matter
when utterances are compared (case, punctuation); ``words`` splits. Scripts written without spaces are split without a
dictionary: Han and kana (except runs of katakana) by character, Thai, Lao, Khmer and Myanmar by orthographic
syllable, so that n-grams, language models and error rates mean the same in every script.
"""

import functools
import unicodedata
from enum import IntEnum

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


# Joiner controls that change how Indic words are spelt; they stay inside words.
_ZERO_WIDTH_JOINERS = (0x200C, 0x200D)
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
    classes[list(_ZERO_WIDTH_JOINERS)] = CharacterClass.MARK
    classes[list(_STACKERS)] = CharacterClass.STACKER
    classes[_PROLONGED_SOUND_MARK] = CharacterClass.WORD
    classes[[ord(c) for c in "+#&@%$€£¥₹°"]] = CharacterClass.WORD
    return classes


@functools.cache
def lower_case() -> NDArray[np.int32]:
    """Return the single-character lower case of every code point, shape (0x110000,), itself where there is none."""
    lowered = np.arange(N_CODE_POINTS, dtype=np.int32)
    for code_point in range(0x20000):
        low = chr(code_point).lower()
        if len(low) == 1:
            lowered[code_point] = ord(low)
    lowered[0x2019] = 0x27  # one apostrophe
    return lowered


@functools.cache
def _kind_and_lower_case(character: str) -> tuple[CharacterClass, str]:
    code_point = ord(character)
    return CharacterClass(character_classes()[code_point]), chr(lower_case()[code_point])


# Control characters (Cc) and the separators of lines (Zl) and paragraphs (Zp) become spaces; a byte-order mark goes.
_VISIBLE = {**dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029], " "), 0xFEFF: None}


def normalise(text: str) -> str:
    """Return ``text`` in NFC with every run of white space and control characters as one space, none at the ends.

    This is what readers do to every text, so that ``\\u2028``, ``\\x85``, a BOM or a tab never splits a row later on.
    """
    return " ".join(unicodedata.normalize("NFC", text.translate(_VISIBLE)).split())


def words(text: str) -> list[str]:
    """Return the lower-cased words of ``text`` without punctuation, in order; see CharacterClass for the rules."""
    result: list[str] = []
    word = ""
    joiner = ""  # a JOINER that waits for a WORD character on its other side
    single = False  # the word is a character or syllable of an unspaced script: only marks extend it
    claimed = False  # a PREFIX or STACKER came last: the next SYLLABLE belongs to this word

    for character in unicodedata.normalize("NFC", text):
        kind, low = _kind_and_lower_case(character)
        if kind == CharacterClass.DROPPED:
            continue
        if kind in (CharacterClass.MARK, CharacterClass.STACKER):
            word, joiner = word + joiner + low, ""
            claimed = claimed or kind == CharacterClass.STACKER
            continue
        if kind == CharacterClass.JOINER and word and not single and not joiner:
            joiner = low
            continue
        extends = (kind == CharacterClass.WORD and not single) or (kind == CharacterClass.SYLLABLE and claimed)
        if not extends:
            if word:
                result.append(word)
            word, joiner, single = "", "", False
        claimed = kind == CharacterClass.PREFIX
        if kind not in (CharacterClass.SPACE, CharacterClass.PUNCTUATION, CharacterClass.JOINER):
            word, joiner = word + joiner + low, ""
            single = kind != CharacterClass.WORD
    if word:
        result.append(word)
    return result


def fold(text: str) -> str:
    """Return the words of ``text`` joined by single spaces: the key under which utterances are equal."""
    return " ".join(words(text))
