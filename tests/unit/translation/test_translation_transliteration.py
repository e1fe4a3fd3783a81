"""Latin to Devanagari."""

from pathlib import Path

import pytest

from seedcorn.errors import DataError
from seedcorn.translation.transliteration import read_lexicon, transliterate


@pytest.mark.parametrize(
    ("latin", "devanagari"),
    [
        ("play", "प्ले"),
        ("mike", "माइक"),
        ("john", "जॉन"),
        ("taylor swift", "टेलर स्विफ्ट"),
        ("phone", "फोन"),
        ("nancy", "नंसी"),
        ("rahul 9", "रहुल 9"),
        ("Jazz!", "जज़"),
        ("गाना play", "गाना प्ले"),
    ],
)
def test_the_table(latin: str, devanagari: str) -> None:
    assert transliterate(latin) == devanagari


def test_the_lexicon_wins_for_words_and_for_phrases() -> None:
    lexicon = {"adele": "अडेल", "new york": "न्यूयॉर्क"}
    assert transliterate("Adele play", lexicon=lexicon) == "अडेल प्ले"
    assert transliterate("New York", lexicon=lexicon) == "न्यूयॉर्क"


def test_no_latin_letter_is_left() -> None:
    for word in ("strengths", "queue", "xylophone", "aeiou", "zzz", "oho", "yes", "rhythm", "y", "n"):
        written = transliterate(word)
        assert written
        assert not any("a" <= letter <= "z" for letter in written)


def test_a_lexicon_is_read_and_bad_lines_are_told(tmp_path: Path) -> None:
    path = tmp_path / "lexicon.tsv"
    path.write_text("Adele\tअडेल\n\nNew York\tन्यूयॉर्क\n", encoding="utf-8")
    assert read_lexicon(path) == {"adele": "अडेल", "new york": "न्यूयॉर्क"}
    path.write_text("Adele\tअडेल\nYork\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"lexicon\.tsv:2: wanted a word, a tab"):
        read_lexicon(path)
