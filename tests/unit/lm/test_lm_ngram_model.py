import numpy as np
import pyarrow as pa
import pytest

from language_models import SENTENCES, ngrams_of, small_model
from seedcorn.lm.automaton import advance
from seedcorn.lm.ngram_model import NgramModel
from seedcorn.lm.perplexity import PerplexityCounts, measure_perplexity


@pytest.fixture(scope="module")
def model() -> NgramModel:
    return small_model()


def slow_logp(model: NgramModel, history: tuple[str, ...], word: str) -> float:
    """The definition of backing off, on a dictionary of n-grams."""
    ngrams = ngrams_of(model)
    history = history[-(model.order - 1) :]
    if (*history, word) in ngrams:
        return ngrams[*history, word][0]
    return ngrams.get(history, (0.0, 0.0))[1] + slow_logp(model, history[1:], word)


def test_word_scores_are_those_of_the_definition(model: NgramModel) -> None:
    sentence = "the weather please play nothing the next weather in pune"
    known = [word if word in model.words else "<unk>" for word in sentence.split()]
    history, expected = ("<s>",), []
    for word in [*known, "</s>"]:
        expected.append(slow_logp(model, history, word))
        history = (*history, word)
    scores = model.word_scores([sentence])
    np.testing.assert_allclose(scores.logps, expected, rtol=1e-6)
    assert [model.words[i] for i in scores.word_ids] == [*known, "</s>"]


def test_sentences_are_sums_of_words_whatever_is_scored_beside_them(model: NgramModel) -> None:
    rows = [*SENTENCES, "unknown words here", "  spaces \t and\ttabs \n"] * 5
    together = model.score(pa.array(rows))
    alone = [model.score([row]) for row in rows]
    np.testing.assert_allclose(together.logps, [float(s.logps[0]) for s in alone])
    np.testing.assert_array_equal(together.n_words, [len(row.split()) for row in rows])
    np.testing.assert_array_equal(together.n_oov, [int(s.n_oov[0]) for s in alone])
    np.testing.assert_allclose(model.sentence_logps(rows), together.logps)


def test_begin_and_end_in_text_are_unknown_words(model: NgramModel) -> None:
    assert model.score(["<s> play </s>"]).n_oov.tolist() == [2]


def test_no_rows_give_no_scores(model: NgramModel) -> None:
    assert model.score([]).logps.shape == (0,)


def test_states_walk_like_sentences(model: NgramModel) -> None:
    state, total = model.begin_state, 0.0
    for word in ("play", "the", "next", "zebra"):
        logp, state = advance(model.arrays, state, model.word_id(word))
        total += logp
    total += advance(model.arrays, state, model.end_id)[0]
    assert total == pytest.approx(model.sentence_logps(["play the next zebra"])[0])


def test_perplexity_with_and_without_unknown_words(model: NgramModel) -> None:
    rows = ["play the song", "play zebra"]
    counts = measure_perplexity(model, [rows[:1], rows[1:]])
    scores = model.word_scores(rows)
    known = scores.logps[scores.word_ids != model.unknown_id]
    assert (counts.n_sentences, counts.n_words, counts.n_oov) == (2, 5, 1)
    assert counts.perplexity == pytest.approx(np.exp(-scores.logps.mean()))
    assert counts.perplexity_without_oov == pytest.approx(np.exp(-known.mean()))
    assert counts.oov_fraction == pytest.approx(0.2)
    assert (counts + PerplexityCounts()) == counts
