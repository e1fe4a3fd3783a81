"""``corpus.text.normalise`` compiled: whole Arrow arrays of texts at memory speed, without a Python object a row."""

import functools
import itertools
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seedcorn.compiled import njit
from seedcorn.corpus.text import CharacterClass, case_folds, character_classes
from seedcorn.corpus.unusual import kinds_of_characters, unusual_rows, with_replaced
from seedcorn.errors import DataError

Texts: TypeAlias = pa.StringArray | pa.ChunkedArray | Sequence[str]

SPACE = np.uint32(0x20)  # between the words of a normalised text; never inside one

_SPACE, _PUNCTUATION, _JOINER = int(CharacterClass.SPACE), int(CharacterClass.PUNCTUATION), int(CharacterClass.JOINER)
_WORD, _MARK, _DROPPED = int(CharacterClass.WORD), int(CharacterClass.MARK), int(CharacterClass.DROPPED)
_DIGIT, _NUMBER_JOINER = int(CharacterClass.DIGIT), int(CharacterClass.NUMBER_JOINER)
_PREFIX, _SYLLABLE, _STACKER = int(CharacterClass.PREFIX), int(CharacterClass.SYLLABLE), int(CharacterClass.STACKER)
ASCII_JOINER, ASCII_NUMBER_JOINER, NOT_ASCII = np.uint8(1), np.uint8(2), np.uint8(3)
_DOT_ABOVE, _SMALL_I = 0x307, np.uint32(ord("i"))
# Characters below U+0300 are NFC whatever stands beside them; U+0300 is the first whose UTF-8 starts with 0xCC.
_FIRST_LEAD_BYTE_TO_NORMALISE = 0xCC
_BYTES_AT_ONCE = 1 << 16


class TextBuffers(NamedTuple):
    """Texts as compiled code sees them: text i is ``utf8[offsets[i]:offsets[i + 1]]``, NFC and valid UTF-8."""

    utf8: NDArray[np.uint8]
    offsets: NDArray[np.int64]

    @property
    def n_texts(self) -> int:
        """How many texts there are."""
        return len(self.offsets) - 1

    @property
    def longest(self) -> int:
        """Bytes of the longest text, 0 when there is none."""
        return int(np.diff(self.offsets).max(initial=0))


class CharacterTables(NamedTuple):
    """The tables of ``corpus.text`` as arguments of compiled code."""

    classes: NDArray[np.uint8]
    lowered: NDArray[np.int32]
    more_of: NDArray[np.uint8]
    more: NDArray[np.uint32]
    ascii_letters: NDArray[np.uint8]


@functools.cache
def character_tables() -> CharacterTables:
    """Return the tables that normalising uses.

    ``lowered`` (n,) is the first character that a code point becomes; ``more[more_of[code]]`` (up to 2, then 0) those
    after it. ``ascii_letters`` (256,) is a shorter way through plain ASCII: the lower case of what extends a word,
    ASCII_JOINER and ASCII_NUMBER_JOINER for joiners, 0 for what ends a word, NOT_ASCII for the bytes of other text.
    """
    classes, folds = character_classes(), case_folds()
    lowered = np.arange(len(classes), dtype=np.int32)
    more_of, more = np.zeros(len(classes), np.uint8), [(0, 0)]
    for code, normalised in folds.items():
        lowered[code] = ord(normalised[0])
        if len(normalised) > 1:
            more_of[code] = len(more)
            more.append((ord(normalised[1]), ord(normalised[2]) if len(normalised) > 2 else 0))
    ascii_letters = np.zeros(256, np.uint8)
    extends = (classes[:128] == _WORD) | (classes[:128] == _DIGIT)
    ascii_letters[:128] = np.where(extends, lowered[:128], 0)
    ascii_letters[:128][classes[:128] == _JOINER] = ASCII_JOINER
    ascii_letters[:128][classes[:128] == _NUMBER_JOINER] = ASCII_NUMBER_JOINER
    ascii_letters[128:] = NOT_ASCII
    return CharacterTables(classes, lowered, more_of, np.array(more, np.uint32), ascii_letters)


def text_buffers(texts: Texts) -> TextBuffers:
    """Return ``texts`` in NFC as buffers, without a copy when they are an Arrow array of Latin text; null is empty.

    Raises DataError when a text is not valid UTF-8.
    """
    array = _one_array(texts)
    buffers = buffers_of(array)
    if buffers.utf8.max(initial=0) < 0x80:
        return buffers
    try:
        array.validate(full=True)
    except pa.ArrowInvalid as error:
        raise DataError(wanted="texts in valid UTF-8", found=str(error)) from error
    return _composed(array, buffers)


def _composed(array: pa.Array, buffers: TextBuffers) -> TextBuffers:
    """Return ``array``, whose ``buffers`` are given, in NFC."""
    suspicious = _positions_from(_FIRST_LEAD_BYTE_TO_NORMALISE, buffers.utf8)
    rows = np.unique(np.searchsorted(buffers.offsets, suspicious, side="right") - 1)
    utf8, offsets = buffers_of(array.take(pa.array(rows)))
    rows = rows[unusual_rows(utf8, offsets, _kinds())]
    found = array.take(pa.array(rows)).to_pylist()
    if all(unicodedata.is_normalized("NFC", text) for text in found):
        return buffers
    is_replaced = np.zeros(len(array), np.bool_)
    is_replaced[rows] = True
    composed = [unicodedata.normalize("NFC", text) for text in found]
    return TextBuffers(*with_replaced(buffers.utf8, buffers.offsets, is_replaced, composed))


@functools.cache
def _kinds() -> NDArray[np.uint8]:
    return kinds_of_characters([])


def _positions_from(least: int, utf8: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return where bytes are ``least`` or more, in order; read in parts, whose masks stay in the processor's cache."""
    starts = range(0, len(utf8), _BYTES_AT_ONCE)
    parts = [np.flatnonzero(utf8[start : start + _BYTES_AT_ONCE] >= least) + start for start in starts]
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def _one_array(texts: Texts) -> pa.Array:
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    array = texts if isinstance(texts, pa.Array) else pa.array(texts, type=pa.string())
    return array.fill_null("") if array.null_count else array


def buffers_of(array: pa.Array) -> TextBuffers:
    """Return the buffers of an Arrow array of strings as they are, without a copy of its bytes."""
    _, offsets, utf8 = array.buffers()
    if len(array) == 0 or utf8 is None:
        return TextBuffers(np.zeros(0, np.uint8), np.zeros(len(array) + 1, np.int64))
    offset_type = np.int64 if pa.types.is_large_string(array.type) else np.int32
    # A buffer may be longer than its array needs, by any number of bytes.
    up_to_end = np.frombuffer(offsets, offset_type, count=array.offset + len(array) + 1)
    own = up_to_end[array.offset :].astype(np.int64)
    return TextBuffers(np.frombuffer(utf8, np.uint8)[own[0] : own[-1]], own - own[0])


@njit(nogil=True, cache=True)
def normalise_text(utf8, start, end, tables, normalised):  # type: ignore[no-untyped-def]
    """Write the normalised code points of ``utf8[start:end]`` into ``normalised`` (uint32, end - start + 1 or longer).

    Returns how many were written: exactly ``corpus.text.normalise`` of the text, whose rules are explained there.
    """
    n = 0
    in_word = False
    joiner = np.uint32(0)
    single = False
    claimed = False
    before = _SPACE
    position = start
    while position < end:
        code, position = _decoded(utf8, position)
        kind = tables.classes[code]
        low = np.uint32(tables.lowered[code])
        if kind == _DROPPED or (code == _DOT_ABOVE and in_word and joiner == 0 and normalised[n - 1] == _SMALL_I):
            continue
        if before == _NUMBER_JOINER and joiner != 0 and kind != _DIGIT:
            normalised[n] = SPACE
            n += 1
            in_word, single, joiner = False, False, np.uint32(0)
        digit_before = before == _DIGIT
        before = kind
        is_mark = kind in (_MARK, _STACKER)
        joins = kind == _JOINER or (kind == _NUMBER_JOINER and digit_before)
        if joins and in_word and not single and joiner == 0:
            joiner = low
            continue
        if not is_mark:
            is_word = kind in (_WORD, _DIGIT)
            extends = (is_word and not single) or (kind == _SYLLABLE and claimed)
            if not extends:
                if in_word:
                    normalised[n] = SPACE
                    n += 1
                in_word, single, joiner = False, False, np.uint32(0)
            claimed = kind == _PREFIX
            if kind in (_SPACE, _PUNCTUATION, _JOINER, _NUMBER_JOINER):
                continue
            single = not is_word
        elif kind == _STACKER:
            claimed = True
        if joiner != 0:
            normalised[n] = joiner
            n += 1
            joiner = np.uint32(0)
        normalised[n] = low
        n += 1
        more = tables.more_of[code]
        if more != 0:
            for place in range(2):
                if tables.more[more, place] != 0:
                    normalised[n] = tables.more[more, place]
                    n += 1
        in_word = True
    return n if in_word or n == 0 else n - 1


@njit(nogil=True, cache=True, inline="always")
def _decoded(utf8, position):  # type: ignore[no-untyped-def]
    """Return the code point that starts at ``position`` of valid UTF-8, and the position after it."""
    first = np.int64(utf8[position])
    if first < 0x80:
        return first, position + 1
    second = np.int64(utf8[position + 1]) & 0x3F
    if first < 0xE0:
        return (first & 0x1F) << 6 | second, position + 2
    third = np.int64(utf8[position + 2]) & 0x3F
    if first < 0xF0:
        return (first & 0x0F) << 12 | second << 6 | third, position + 3
    return (first & 0x07) << 18 | second << 12 | third << 6 | np.int64(utf8[position + 3]) & 0x3F, position + 4


@njit(nogil=True, cache=True)
def _normalise_all(utf8, offsets, tables, normalised, bounds):  # type: ignore[no-untyped-def]
    n = 0
    for i in range(len(offsets) - 1):
        n += normalise_text(utf8, offsets[i], offsets[i + 1], tables, normalised[n:])
        bounds[i + 1] = n


def normalise_all(texts: Texts) -> list[str]:
    """Return ``corpus.text.normalise`` of every text, in order."""
    buffers = text_buffers(texts)
    normalised = np.empty(len(buffers.utf8) + buffers.n_texts, np.uint32)
    bounds = np.zeros(buffers.n_texts + 1, np.int64)
    _normalise_all(buffers.utf8, buffers.offsets, character_tables(), normalised, bounds)
    return [normalised[start:end].tobytes().decode("utf-32-le") for start, end in itertools.pairwise(bounds)]
