"""Properties of n-best files, rescoring and placeholder text."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.corpus.text import clean_text
from seedcorn.translation.nbest import Hypothesis, NBest, read_moses, write_moses
from seedcorn.translation.rescoring import RescoringWeights, rank, rescored
from seedcorn.translation.transliteration import transliterate

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20).map(clean_text).filter(lambda t: "|||" not in t)
LOGPS = st.floats(-500, 0).map(lambda x: float(f"{x:.6g}"))
HYPOTHESES = st.builds(
    lambda text, translation, lm: Hypothesis(text=text, features={"translation_logp": translation, "lm_logp": lm}),
    TEXTS,
    LOGPS,
    LOGPS,
)
LISTS = st.lists(
    st.builds(NBest, source=TEXTS, hypotheses=st.lists(HYPOTHESES, min_size=1, max_size=4).map(tuple)), max_size=5
)


@settings(max_examples=60, deadline=None)
@given(LISTS)
def test_moses_files_round_trip(lists: list[NBest]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "nbest.txt"
        assert write_moses(lists, path) == len(lists)
        assert list(read_moses(path, [found.source for found in lists])) == lists


@settings(max_examples=60, deadline=None)
@given(LISTS, st.floats(0, 2), st.floats(-1, 1))
def test_rescoring_only_changes_the_order(lists: list[NBest], lm: float, length: float) -> None:
    weights = RescoringWeights(lm=lm, length=length)
    again = list(rescored(lists, weights))
    for before, after in zip(lists, again, strict=True):
        assert sorted(map(str, before.hypotheses)) == sorted(map(str, after.hypotheses))
        assert rank(after, weights).tolist() == list(range(len(after.hypotheses)))


@settings(max_examples=60, deadline=None)
@given(st.text("abcdefghijklmnopqrstuvwxyz ", min_size=1, max_size=30))
def test_transliteration_leaves_no_latin_letter(text: str) -> None:
    written = transliterate(text)
    assert not any("a" <= letter <= "z" for letter in written)
    assert len(written.split()) == len(text.split())
    assert clean_text(written) == written
