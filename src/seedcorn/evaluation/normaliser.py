"""How transcripts are split before they are compared, in a module that loads at once."""

from enum import StrEnum


class Normaliser(StrEnum):
    """How text is split before it is compared; named in the signature of every rate."""

    WORDS = "words"  # corpus.text.words: NFC, case folded, no punctuation or joiner controls, combining marks kept
    WHITE_SPACE = "white-space"  # split at white space, nothing else

    def words_of(self, text: str, lang: str = "") -> list[str]:
        """Return the words of ``text``, its case folded as ``lang`` has it (Turkish)."""
        from seedcorn.corpus.text import words

        return words(text, lang=lang) if self is Normaliser.WORDS else text.split()

    def characters_of(self, text: str, lang: str = "") -> str:
        """Return the characters of ``text`` that count, with a space where it has some between words."""
        from seedcorn.corpus.text import spaced_as_written

        return spaced_as_written(text, lang=lang) if self is Normaliser.WORDS else " ".join(text.split())
