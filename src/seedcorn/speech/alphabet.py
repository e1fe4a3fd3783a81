"""The symbols of a CTC network: blank, the word boundary of spaced scripts, and characters."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from seedcorn.errors import DataError

BLANK = ""
WORD_BOUNDARY = " "


@dataclass(frozen=True)
class Alphabet:
    """The symbol of each column of the posteriors; exactly one is BLANK, at most one is WORD_BOUNDARY.

    A column the decoder must never use (as a model's padding) has a symbol in angle brackets.
    Raises DataError when a symbol repeats or there is no blank.
    """

    symbols: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.symbols.count(BLANK) != 1:
            raise DataError(wanted="one blank symbol", found=f"{self.symbols.count(BLANK)}")
        if len(set(self.symbols)) != len(self.symbols):
            twice = next(symbol for symbol, n in Counter(self.symbols).items() if n > 1)
            raise DataError(wanted="each symbol once", found=f"'{twice}' twice")

    def __len__(self) -> int:
        return len(self.symbols)

    @cached_property
    def index_of(self) -> dict[str, int]:
        """The column of each symbol."""
        return {symbol: column for column, symbol in enumerate(self.symbols)}

    @property
    def blank(self) -> int:
        """The column of the blank."""
        return self.index_of[BLANK]

    @property
    def boundary(self) -> int:
        """The column of the word boundary, -1 when words are not separated."""
        return self.index_of.get(WORD_BOUNDARY, -1)

    def spelling(self, text: str) -> list[int] | None:
        """Return the columns that spell ``text`` (longest symbols first), or None when it cannot be spelt."""
        if self._longest == 1:
            single = [self.index_of.get(character, -1) for character in text]
            return None if -1 in single else single
        columns: list[int] = []
        position = 0
        while position < len(text):
            for length in range(min(self._longest, len(text) - position), 0, -1):
                column = self.index_of.get(text[position : position + length])
                if column is not None:
                    columns.append(column)
                    position += length
                    break
            else:
                return None
        return columns

    @cached_property
    def _longest(self) -> int:
        return max(len(symbol) for symbol in self.symbols)


def alphabet_of(texts: Iterable[Sequence[str]], *, word_boundary: bool = True, min_count: int = 1) -> Alphabet:
    """Return the alphabet of the characters that occur at least ``min_count`` times in ``texts`` (words), sorted."""
    counts = Counter(character for text in texts for word in text for character in word)
    characters = sorted(character for character, n in counts.items() if n >= min_count)
    return Alphabet((BLANK, *([WORD_BOUNDARY] if word_boundary else []), *characters))
