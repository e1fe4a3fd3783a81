"""Tokens with character offsets for slot labelling, and slots as BIO labels over them.

Tokens are the words of ``corpus.text`` at their places in the text, and every punctuation character left over as a
token of its own, so that a slot such as "p. m." has tokens at both of its ends.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seedcorn.corpus.text import CharacterClass, character_classes, words_at
from seedcorn.corpus.utterances import Slot
from seedcorn.errors import DataError

OUTSIDE = "O"
MOST_TOKENS = 128  # of a text that an encoder sees
_NOT_TOKENS = (CharacterClass.SPACE, CharacterClass.DROPPED)


@dataclass(frozen=True)
class Token:
    """A word or punctuation character at ``start`` to ``end`` (exclusive) of its text, in lower case."""

    start: int
    end: int
    word: str


def tokens_of(text: str) -> list[Token]:
    """Return the tokens of ``text`` in order; they do not overlap and cover all that is not white space.

    Raises DataError when ``text`` is not in NFC, because offsets would shift.
    """
    if not unicodedata.is_normalized("NFC", text):
        raise DataError(
            wanted="text in Unicode NFC", found=f"'{text}'", fix="Use corpus.text.clean_text before offsets are taken."
        )
    classes = character_classes()[np.fromiter(map(ord, text), dtype=np.int64, count=len(text))].tolist()
    tokens: list[Token] = []
    here = 0
    for word in words_at(text):
        tokens += _punctuation(text, classes, here, word.start)
        tokens.append(Token(word.start, word.end, word.word))
        here = word.end
    return tokens + _punctuation(text, classes, here, len(text))


def _punctuation(text: str, classes: Sequence[int], start: int, end: int) -> list[Token]:
    return [Token(i, i + 1, text[i]) for i in range(start, end) if classes[i] not in _NOT_TOKENS]


def labels_of(tokens: Sequence[Token], slots: Sequence[Slot]) -> list[str]:
    """Return one BIO label a token: B-type for the first token that a slot touches, I-type for the others, else O.

    A slot that covers part of a word claims the whole word; when two slots touch a word, the first has it.
    """
    labels = [OUTSIDE] * len(tokens)
    for slot in sorted(slots):
        mark = "B"
        for i, token in enumerate(tokens):
            if token.start < slot.end and token.end > slot.start and labels[i] == OUTSIDE:
                labels[i] = f"{mark}-{slot.type}"
                mark = "I"
    return labels


def spans_of(labels: Sequence[str]) -> list[tuple[int, int, str]]:
    """Return the spans (first token, last token + 1, type) of BIO ``labels``; a stray I begins one."""
    spans: list[tuple[int, int, str]] = []
    for i, label in enumerate(labels):
        if label == OUTSIDE:
            continue
        mark, type_ = label[0], label[2:]
        if mark == "I" and spans and spans[-1][1:] == (i, type_):
            spans[-1] = (spans[-1][0], i + 1, type_)
        else:
            spans.append((i, i + 1, type_))
    return spans


def slot_at(tokens: Sequence[Token], span: tuple[int, int, str]) -> Slot:
    """Return the slot that covers a span of ``tokens``."""
    first, end, type_ = span
    return Slot(tokens[first].start, tokens[end - 1].end, type_)
