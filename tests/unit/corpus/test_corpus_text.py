import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seedcorn.corpus.text import fold, normalise, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Wake me up, at 5 o'clock!", ["wake", "me", "up", "at", "5", "o'clock"]),
        ("t-shirt -- 'quoted' x-", ["t-shirt", "quoted", "x"]),
        ("सुबह पाँच बजे।", ["सुबह", "पाँच", "बजे"]),
        ("今週はスーパーに", ["今", "週", "は", "スーパー", "に"]),
        ("ตอนตีห้าใน", ["ต", "อ", "น", "ตี", "ห้า", "ใน"]),
        ("ស្តាប់", ["ស្តា", "ប់"]),
        ("أيقظني، في", ["أيقظني", "في"]),
        ("gâteau 50%", ["gâteau", "50%"]),
        ("", []),
    ],
)
def test_words_in_every_script(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_composed_and_decomposed_text_have_the_same_words() -> None:
    assert words(unicodedata.normalize("NFD", "Café naïve")) == words("café naïve")


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_normalised_text_is_one_line_of_single_spaces(text: str) -> None:
    result = normalise(text)
    assert result == normalise(result)
    assert result.splitlines() in ([], [result])
    assert "  " not in result
    assert result == result.strip()


@given(st.text(alphabet=st.characters(categories=["Lo", "Ll", "Mn", "Mc"])))
@example("\U000e0100")
def test_combining_marks_are_never_lost(text: str) -> None:
    def marks(value: str) -> list[str]:
        return [c for c in value if unicodedata.category(c).startswith("M")]

    composed = unicodedata.normalize("NFC", text)
    assert sorted(marks("".join(words(text)))) == sorted(marks(composed))
