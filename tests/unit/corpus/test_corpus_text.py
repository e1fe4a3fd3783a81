import unicodedata
from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seedcorn.corpus.text import case_folds, clean_text, normalise, spaced_as_written, words, words_at


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
        ("1,000.50 dollars, 5, 6.x 3٫5", ["1,000.50", "dollars", "5", "6", "x", "3٫5"]),
        ("İSTANBUL i̇stanbul Straße ΟΔΥΣΣΕΥΣ οδυσσεύς", ["istanbul", "istanbul", "strasse", "οδυσσευσ", "οδυσσεύσ"]),
        ("क्\u200dष कर्\u200dता می\u200cخواهم", ["क्ष", "कर्ता", "میخواهم"]),
        ("\u202bplay\u00ad jazz\u202c", ["play", "jazz"]),
    ],
)
def test_words_in_every_script(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_composed_and_decomposed_text_have_the_same_words() -> None:
    assert words(unicodedata.normalize("NFD", "Café naïve")) == words("café naïve")


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(st.text())
def test_normalised_text_is_one_line_of_single_spaces(text: str) -> None:
    result = clean_text(text)
    assert result == clean_text(result)
    assert result.splitlines() in ([], [result])
    assert "  " not in result
    assert result == result.strip()


@given(st.text(alphabet=st.characters(categories=["Lo", "Ll", "Mn", "Mc"])))
@example("\U000e0100")
def test_combining_marks_are_never_lost(text: str) -> None:
    def marks(value: str) -> list[str]:
        return [c for c in value if unicodedata.category(c).startswith("M")]

    kept, written = ("".join(unicodedata.normalize("NFD", t) for t in ts) for ts in (words(text), [text]))
    missing = Counter(marks(written.replace("i\u0307", "i"))) - Counter(marks(kept))
    assert not missing - Counter("\u0345" * written.count("\u0345") + "\u0307" * written.count("i"))


def test_case_folds_need_no_more_bytes_and_fold_to_themselves() -> None:
    assert all(len(folded) <= len(chr(code).encode()) for code, folded in case_folds().items())
    assert [
        code for code, folded in case_folds().items() if normalise(f"a{folded}b") != normalise(f"a{chr(code)}b")
    ] == []


def test_dotless_i_in_turkish_alone() -> None:
    assert words("ISPARTA İzmir", lang="tr-TR") == ["ısparta", "izmir"]
    assert words("ISPARTA İzmir") == ["isparta", "izmir"]


def test_invisible_characters_are_no_text() -> None:
    assert [clean_text(text) for text in ("\u200b", "\u200d\u200c ", "\ufeffplay\u200b jazz\u202c", "\u3164")] == [
        "",
        "",
        "play jazz",
        "",
    ]
    assert clean_text("क्\u200dष") == "क्\u200dष"


def test_spaces_stand_where_the_text_has_them() -> None:
    assert spaced_as_written("今天天气 好, สวัสดีครับ") == "今天天气 好 สวัสดีครับ"
    assert spaced_as_written("t-shirt - 5,x!") == "t-shirt 5 x"


@given(st.text())
def test_words_lie_where_they_say(text: str) -> None:
    text = unicodedata.normalize("NFC", text)
    found = words_at(text)
    assert [word.word for word in found] == words(text)
    assert all(before.end <= after.start for before, after in zip(found, found[1:], strict=False))
    assert all(word.start < word.end for word in found)


@given(st.text(alphabet=st.sampled_from(" aI1.,'\u200d\u0307\u094dक中ก๙เ\u00ad- ")), st.integers(0, 40))
def test_words_that_were_seen_before_are_those_that_are_there(text: str, n_more: int) -> None:
    text = unicodedata.normalize("NFC", text + "ab" * n_more)
    found = [word.word for word in words_at(text)]
    assert words(text) == words(text) == found
