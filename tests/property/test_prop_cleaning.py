"""Cleaning whole columns, and bringing them into NFC, is cleaning text by text, whatever the bytes."""

import unicodedata

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.corpus.cleaning import clean_column
from seedcorn.corpus.formats.lines import LineBlock
from seedcorn.corpus.formats.plain_text import without_blank_lines
from seedcorn.corpus.normalising import text_buffers
from seedcorn.corpus.text import clean_text
from seedcorn.corpus.unusual import with_replaced

# Plain ASCII, what cleaning and NFC change, and what only looks so.
PIECES = st.sampled_from(
    ["a", "Z", "~", " ", "  ", "\t", "\x7f", "\x85", "\u2028", "\u00a0", "é", "e\u0301", "\u0344", "क\u093c", "क़", "한"]
    + ["\u1100\u1161", "\u200b", "\u200d", "\u3000", "　a", "ﾠ", "’", "\U000e0001", "a\u0323\u0307", "a\u0307\u0323"]
)
TEXTS = st.one_of(st.lists(PIECES, max_size=6).map("".join), st.text(st.characters(codec="utf-8"), max_size=8))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.none() | TEXTS, max_size=6), st.integers(0, 2))
def test_a_column_is_cleaned_as_its_texts_are(texts: list[str | None], skipped: int) -> None:
    column = pa.array(texts, pa.string())[skipped:]
    assert clean_column(column).to_pylist() == [None if t is None else clean_text(t) for t in texts[skipped:]]


@settings(max_examples=300, deadline=None)
@given(st.lists(TEXTS, max_size=6), st.integers(0, 2))
def test_buffers_are_in_nfc(texts: list[str], skipped: int) -> None:
    buffers = text_buffers(pa.array(texts, pa.string())[skipped:])
    raw, offsets = buffers.utf8.tobytes(), buffers.offsets.tolist()
    found = [raw[start:end].decode("utf-8") for start, end in zip(offsets[:-1], offsets[1:], strict=True)]
    assert found == [unicodedata.normalize("NFC", text) for text in texts[skipped:]]


@settings(max_examples=200, deadline=None)
@given(st.lists(TEXTS, max_size=8))
def test_a_line_is_blank_when_nothing_is_left_of_it(lines: list[str]) -> None:
    block = without_blank_lines(LineBlock(pa.array(lines, pa.string()), np.arange(1, len(lines) + 1)))
    assert list(block) == [(number, line) for number, line in enumerate(lines, start=1) if clean_text(line)]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(TEXTS, st.none() | TEXTS), max_size=6))
def test_some_rows_are_put_in_the_place_of_others(rows: list[tuple[str, str | None]]) -> None:
    encoded = [old.encode("utf-8") for old, _ in rows]
    utf8, offsets = with_replaced(
        np.frombuffer(b"".join(encoded), np.uint8),
        np.cumsum([0, *map(len, encoded)]),
        np.array([new is not None for _, new in rows], np.bool_),
        [new for _, new in rows if new is not None],
    )
    expected = [old if new is None else new for old, new in rows]
    assert [utf8[a:b].tobytes().decode("utf-8") for a, b in zip(offsets[:-1], offsets[1:], strict=True)] == expected
