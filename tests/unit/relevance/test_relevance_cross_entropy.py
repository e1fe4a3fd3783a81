import numpy as np
import pyarrow as pa
import pytest

from seedcorn.errors import DataError
from seedcorn.relevance.cross_entropy import cross_entropy_batches, cross_entropy_scores, fit_cross_entropy
from seedcorn.relevance.methods import fit_method

IN_DOMAIN = ["Play some music", "play the next song", "stop the music", "play a song by Asha"]
GENERAL = ["the weather is fine", "she sells a house by the sea", "the next train is late", "some people sing"]
POOL = ["play some song", "the sea is fine", "Stop, the song!", "zebra crossing", "", "play the next song"]


def test_in_domain_texts_score_above_general_ones() -> None:
    models = fit_cross_entropy([IN_DOMAIN], [GENERAL])
    scores = cross_entropy_scores([POOL], models)
    assert set(scores.best_first()[:3].tolist()) == {0, 2, 5}
    assert scores.values[0] > 0 > scores.values[1]


def test_scores_are_the_difference_a_word() -> None:
    models = fit_cross_entropy([IN_DOMAIN], [GENERAL])
    expected = (
        models.in_domain.sentence_logps(["stop the song"]) - models.general.sentence_logps(["stop the song"])
    ) / 4
    assert cross_entropy_scores([["Stop, the song!"]], models).values == pytest.approx(expected)


def test_both_models_know_the_words_of_the_domain_only() -> None:
    models = fit_cross_entropy([IN_DOMAIN], [GENERAL])
    assert set(models.in_domain.words) == set(models.general.words)


def test_rows_without_words_have_no_score() -> None:
    scores = cross_entropy_scores([POOL], fit_cross_entropy([IN_DOMAIN], [GENERAL]))
    assert scores.missing is not None
    assert np.flatnonzero(scores.missing).tolist() == [4]


def test_batches_do_not_matter() -> None:
    models = fit_cross_entropy([IN_DOMAIN[:2], IN_DOMAIN[2:]], [GENERAL])
    whole = cross_entropy_scores([pa.array(POOL)], models)
    parts = list(cross_entropy_batches([pa.array(POOL[:2]), pa.array(POOL[2:])], models))
    np.testing.assert_array_equal(np.concatenate([part.values for part in parts]), whole.values)


def test_it_is_a_method_of_select_relevance() -> None:
    fitted = fit_method("cross_entropy", IN_DOMAIN, [], pa.array(GENERAL))
    assert fitted.score(pa.array(POOL)).best_first()[0] in (0, 5)


def test_side_without_text_is_refused() -> None:
    with pytest.raises(DataError, match="at least one sentence"):
        fit_cross_entropy([IN_DOMAIN], [[]])
