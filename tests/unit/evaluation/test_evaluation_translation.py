"""Scores of translations are those of sacrebleu, with its signatures."""

import pytest

from seedcorn.errors import DataError
from seedcorn.evaluation.translation import bleu, chrf

metrics = pytest.importorskip("sacrebleu.metrics")
SAID = ["मुझे सात बजे जगाओ", "गाना चलाओ", "कल बारिश होगी क्या आज"]


def test_what_is_right_has_the_full_score() -> None:
    for score in (chrf, bleu):
        assert score(SAID, SAID).score == pytest.approx(100)
        assert score(["x y z"] * 3, SAID).score < 1


def test_scores_and_signatures_are_those_of_sacrebleu() -> None:
    found = [*SAID[:2], "कल बारिश होगी"]
    for score, metric in ((chrf, metrics.CHRF()), (bleu, metrics.BLEU())):
        wanted = metric.corpus_score(found, [SAID]).score
        assert score(found, SAID).score == pytest.approx(wanted)
        assert score(found, SAID).signature == str(metric.get_signature())
        assert "version:" in score(found, SAID).signature


@pytest.mark.parametrize(("found", "wanted"), [(SAID, SAID[:2]), ([], [])])
def test_translations_without_their_references_are_refused(found: list[str], wanted: list[str]) -> None:
    with pytest.raises(DataError, match="one reference a translation"):
        chrf(found, wanted)
