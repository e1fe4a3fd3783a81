"""Rescoring, its weights, and keep or reject."""

import numpy as np
import pytest

from seedcorn.errors import DataError
from seedcorn.translation.keep_or_reject import best_point, in_domain_scores, keep_curve, keep_likely
from seedcorn.translation.nbest import Hypothesis, NBest
from seedcorn.translation.rescoring import (
    LM_LOGP,
    chrf_loss,
    rank,
    rescored,
    tune_weights,
    with_lm,
    with_out_of_vocabulary_words,
)
from seedcorn.translation.settings import NO_RESCORING, RescoringWeights


class WordListLm:
    """Known words have log-probability -1, others -5, the end -1."""

    def __init__(self, *known: str) -> None:
        self.known = set(known)

    def sentence_logps(self, texts):
        return np.array([-1.0 - sum(1 if w in self.known else 5 for w in text.split()) for text in texts])


def nbest(*hypotheses: tuple[str, float], source: str = "x") -> NBest:
    return NBest(
        source=source,
        hypotheses=tuple(Hypothesis(text=text, features={"translation_logp": logp}) for text, logp in hypotheses),
    )


LISTS = [nbest(("blue house", -1.0), ("नीला घर", -2.0)), nbest(("red", -0.5), ("लाल", -0.6), ("लाल लाल", -9.0))]
LM = WordListLm("नीला", "घर", "लाल")


def test_the_language_model_changes_the_order() -> None:
    lists = list(with_lm(LISTS, LM))
    assert lists[0].hypotheses[0].features[LM_LOGP] == -11.0
    assert [n.best.text for n in rescored(lists, NO_RESCORING)] == ["blue house", "red"]
    assert [n.best.text for n in rescored(lists, RescoringWeights(lm=1.0))] == ["नीला घर", "लाल"]


def test_scores_are_per_word() -> None:
    lists = list(with_lm([nbest(("नीला घर", -2.0), ("नीला", -1.5))], LM))
    # -2/2 + (-3/3) against -1.5/1 + (-2/2)
    assert rank(lists[0], RescoringWeights(lm=1.0)).tolist() == [0, 1]
    assert rank(lists[0], RescoringWeights(lm=1.0, length=-0.6)).tolist() == [1, 0]


def test_ties_keep_their_order_and_punctuation_is_no_word() -> None:
    lists = list(with_lm([nbest(("लाल।", -1.0), ("लाल", -1.0))], LM))
    assert rank(lists[0], RescoringWeights(lm=0.5)).tolist() == [0, 1]


def test_weights_are_tuned_towards_the_references_and_zero_wins_ties() -> None:
    lists = list(with_lm(LISTS, LM))
    tuned = tune_weights(lists, chrf_loss(["नीला घर", "लाल"]))
    assert tuned.lm > 0
    assert [n.best.text for n in rescored(lists, tuned)] == ["नीला घर", "लाल"]
    assert tune_weights(lists, chrf_loss(["blue house", "red"])) == NO_RESCORING
    assert tune_weights(lists, lambda texts: 0.0) == NO_RESCORING


def test_weights_can_be_tuned_on_any_loss() -> None:
    lists = list(with_lm(LISTS, LM))
    assert tune_weights(lists, lambda texts: -float(LM.sentence_logps(texts).sum())).lm > 0


def test_hypotheses_with_out_of_vocabulary_words_come_last_when_those_weigh() -> None:
    lists = list(with_out_of_vocabulary_words([nbest(("नीलघरा घर", -1.0), ("नीला, घर", -4.0))], {"नीला", "घर"}))
    assert [h.features["out_of_vocabulary_words"] for h in lists[0].hypotheses] == [1.0, 0.0]
    assert rank(lists[0], NO_RESCORING).tolist() == [0, 1]
    assert rank(lists[0], RescoringWeights(lm=0.0, out_of_vocabulary=2.0)).tolist() == [1, 0]
    tuned = tune_weights(list(with_lm(lists, WordListLm("नीलघरा", "घर"))), chrf_loss(["नीला घर"]))
    assert tuned == RescoringWeights(lm=0.0, out_of_vocabulary=2.0)


def test_texts_with_out_of_vocabulary_words_are_not_kept() -> None:
    scores = in_domain_scores(["लाल घर", "लालघ घर", "लाल"], LM, known={"लाल", "घर"})
    selection = keep_likely(scores, logp_per_word=-9.0)
    assert sorted(selection.positions) == [0, 2]
    assert selection.reason(1) == "a word that no known text has"
    with pytest.raises(DataError, match="none with a score among 1"):
        keep_curve(in_domain_scores(["लालघ"], LM, known={"लाल"}))


def test_missing_features_and_missing_lists_are_told() -> None:
    with pytest.raises(DataError, match="the feature 'lm_logp'.*translation_logp"):
        rank(LISTS[0], RescoringWeights(lm=1.0))
    with pytest.raises(DataError, match="dev sentences"):
        tune_weights([], lambda texts: 0.0)


def test_keep_or_reject_by_log_probability_per_word() -> None:
    scores = in_domain_scores(["लाल घर", "nonsense", "लाल nonsense", ""], LM)
    assert scores.values == pytest.approx([-1.0, -3.0, -7 / 3, -1 / 2], abs=0.01) or scores.values[0] == -1.0
    selection = keep_likely(scores, logp_per_word=-2.5)
    assert 1 not in selection.positions
    assert "below -2.5" in str(selection.reason(1))


def test_the_curve_shows_what_each_fraction_costs_and_the_best_point_keeps_most() -> None:
    scores = in_domain_scores(["लाल घर", "nonsense", "लाल nonsense", "घर"], LM)
    curve = keep_curve(scores, lambda kept: float(1 in kept.positions), fractions=(0.25, 0.5, 0.75, 1.0))
    assert [point.n_kept for point in curve] == [1, 2, 3, 4]
    assert [point.logp_per_word for point in curve] == sorted((p.logp_per_word for p in curve), reverse=True)
    assert best_point(curve).n_kept == 3
    with pytest.raises(DataError, match="a curve with losses"):
        best_point(keep_curve(scores))
    with pytest.raises(DataError, match="translations to keep"):
        keep_curve(in_domain_scores([], LM))
