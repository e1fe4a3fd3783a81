"""The lines of an ARPA file: blocks of whole lines with their numbers, parsed by compiled code."""

from pathlib import Path
from typing import IO
from unicodedata import is_normalized, normalize

import numpy as np
from numpy.typing import NDArray

from seedcorn.compiled import njit
from seedcorn.corpus.text_bytes import decoded
from seedcorn.errors import at
from seedcorn.lm.text_buffers import next_word, read_block, word_end
from seedcorn.lm.vocabulary import WordTable, find_word

_BYTES_PER_BLOCK = 1 << 24
_LARGEST_BACKOFF_LOG10 = 1e6
_LARGEST_EXPONENT = 9_999  # of a number that is written; greater ones mean as much
_LARGEST_LOG10 = 1e-4  # a little over 0, for rounding

# What the line parser says went wrong, and how an error says it: wanted, found.
FINE, _NO_NUMBER, _TOO_FEW_WORDS, _TOO_MANY_FIELDS, _NOT_IN_VOCABULARY, _ABOVE_ONE, _INFINITE = range(7)
PROBLEMS = {
    _NO_NUMBER: ("a log10 probability, the words and a log10 back-off weight", "a number that cannot be read"),
    _TOO_FEW_WORDS: ("as many words as the section says", "fewer"),
    _TOO_MANY_FIELDS: ("a log10 probability, the words and at most one number more", "more fields"),
    _NOT_IN_VOCABULARY: ("words that are among the 1-grams", "one that is not"),
    _INFINITE: ("a finite log10 back-off weight", "another"),
    _ABOVE_ONE: ("a log10 probability of at most 0", "a greater one"),
}


@njit(cache=True, nogil=True)
def parse_number(text: NDArray[np.uint8], start: int, end: int) -> float:
    """Return the decimal number in ``text[start:end]``, NaN when it is none ("-inf" is one)."""
    at, sign = start, 1.0
    if at < end and (text[at] == 45 or text[at] == 43):
        sign = -1.0 if text[at] == 45 else 1.0
        at += 1
    if end - at == 3 and text[at] | 32 == 105 and text[at + 1] | 32 == 110 and text[at + 2] | 32 == 102:
        return sign * np.inf
    value, exponent, n_digits, seen_point = 0.0, 0, 0, False
    while at < end and (48 <= text[at] <= 57 or (text[at] == 46 and not seen_point)):
        if text[at] == 46:
            seen_point = True
        else:
            value = value * 10.0 + (text[at] - 48)
            n_digits += 1
            exponent -= 1 if seen_point else 0
        at += 1
    if n_digits == 0:
        return np.nan
    if at < end and text[at] | 32 == 101:
        at += 1
        exponent_sign, written = 1, 0
        if at < end and (text[at] == 45 or text[at] == 43):
            exponent_sign = -1 if text[at] == 45 else 1
            at += 1
        if at == end:
            return np.nan
        while at < end and 48 <= text[at] <= 57:
            written = min(written * 10 + (text[at] - 48), _LARGEST_EXPONENT)
            at += 1
        exponent += exponent_sign * written
    return sign * value * 10.0**exponent if at == end else np.nan


@njit(cache=True, nogil=True)
def parse_lines(
    text: NDArray[np.uint8],
    table: WordTable,
    word_spans: NDArray[np.int64],
    words: NDArray[np.int32],
    log10_probabilities: NDArray[np.float64],
    log10_backoffs: NDArray[np.float64],
    row: int,
) -> tuple[int, int, int]:
    """Parse whole lines from ``text`` into rows from ``row`` on; return the next row, bytes used, and what is wrong.

    Stops at a line that is empty or starts with a backslash, and when the arrays are full. With ``word_spans`` (n, 2)
    not empty the words are not looked up, only their places are noted (1-grams).
    """
    n_rows, order = words.shape
    at = 0
    while at < len(text) and row < n_rows:
        line_end = at
        while text[line_end] != 10:
            line_end += 1
        first = next_word(text, at, line_end)
        if first == line_end or text[first] == 92:
            break
        field = 0
        log10_backoffs[row] = 0.0
        while first < line_end:
            last = word_end(text, first, line_end)
            if field == 0:
                log10_probabilities[row] = parse_number(text, first, last)
                if np.isnan(log10_probabilities[row]):
                    return row, at, _NO_NUMBER
                if log10_probabilities[row] > _LARGEST_LOG10:
                    return row, at, _ABOVE_ONE
            elif field <= order:
                if len(word_spans):
                    word_spans[row, 0], word_spans[row, 1] = first, last
                else:
                    words[row, field - 1] = find_word(table, text, first, last)
                    if words[row, field - 1] < 0:
                        return row, at, _NOT_IN_VOCABULARY
            elif field == order + 1:
                log10_backoffs[row] = parse_number(text, first, last)
                if np.isnan(log10_backoffs[row]):
                    return row, at, _NO_NUMBER
                if abs(log10_backoffs[row]) > _LARGEST_BACKOFF_LOG10:
                    return row, at, _INFINITE
            else:
                return row, at, _TOO_MANY_FIELDS
            field += 1
            first = next_word(text, last, line_end)
        if field <= order:
            return row, at, _TOO_FEW_WORDS
        row += 1
        at = line_end + 1
    return row, at, FINE


class LineStream:
    """Blocks of whole lines from a stream, with the line number, and what was read too far given back.

    They are in NFC unless they are wanted ``as_written``: words in another normal form would never be found, as all
    text that a model is asked for is in NFC.
    """

    def __init__(self, stream: IO[bytes], path: Path, *, as_written: bool = False) -> None:
        self.stream, self.path, self.rest, self.line = stream, path, b"", 1
        self._unfinished, self._as_written = b"", as_written

    def where(self) -> str:
        """Return the place of the next line, for error messages."""
        return at(self.path, self.line)

    def block(self) -> bytes:
        """Return unread whole lines, at least one; empty at the end of the file."""
        while b"\n" not in self.rest:
            more = read_block(self.stream, _BYTES_PER_BLOCK, self.where())
            if not more and not self._unfinished:
                return b""
            raw = self._unfinished + (more or b"\n")
            cut = raw.rfind(b"\n") + 1
            self.rest, self._unfinished = self.rest + self._composed(raw[:cut]), raw[cut:]
        return self.rest

    def _composed(self, lines: bytes) -> bytes:
        """Return ``lines`` as they are wanted. Raises DataError, with the line, for what is not UTF-8."""
        if lines.isascii():
            return lines
        text = decoded(lines, self.path, first_line=self.line, wanted="words in UTF-8")
        return lines if self._as_written or is_normalized("NFC", text) else normalize("NFC", text).encode("utf-8")

    def used(self, block: bytes, n_bytes: int) -> None:
        """Note that ``n_bytes`` of ``block`` are dealt with."""
        self.line += block.count(b"\n", 0, n_bytes)
        self.rest = self.rest[n_bytes:]

    def next_line(self) -> str:
        """Return the next line that is not blank, stripped, without using it up; empty at the end of the file."""
        while block := self.block():
            line, newline, _ = block.partition(b"\n")
            if line.strip():
                return line.strip().decode("utf-8", "replace")
            self.used(block, len(line) + len(newline))
        return ""

    def skip_line(self) -> None:
        """Use the next line up."""
        block = self.block()
        self.used(block, block.index(b"\n") + 1)
