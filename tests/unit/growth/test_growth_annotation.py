import numpy as np
import pytest

from seedcorn.corpus.builtin import builtin_requests
from seedcorn.corpus.utterances import Utterance
from seedcorn.deployment.proposals import nearest_view, new_rows, propose
from seedcorn.diversity.annotate import AnnotationSettings
from seedcorn.errors import DataError
from seedcorn.growth.drift import drift, g_squared
from seedcorn.growth.replay import replay_set, replay_shares
from seedcorn.nlu.linear import LinearNlu, LinearSettings, train_linear


@pytest.fixture(scope="module")
def rows() -> list[Utterance]:
    rows = builtin_requests(1200, lang="en", random_seed=1).utterances()
    names = sorted({u.domain: u.intent for u in rows}.values())[:4]
    return [u for u in rows if u.intent in names]


@pytest.fixture(scope="module")
def model(rows: list[Utterance]) -> LinearNlu:
    return train_linear(rows[:30], settings=LinearSettings(n_crf_iterations=20))


@pytest.mark.parametrize("strategy", ["mixed", "disagreement", "random"])
def test_proposes_new_texts_with_likely_intents_and_reasons(
    rows: list[Utterance], model: LinearNlu, strategy: str
) -> None:
    texts = [rows[0].text, "", *(u.text for u in rows[30:60]), rows[30].text]
    settings = AnnotationSettings(strategy=strategy, batch_size=5)
    batch = propose(texts, model=model, labelled=rows[:30], settings=settings)
    assert len(batch.proposals) == 5
    assert not {p.position for p in batch.proposals} & {0, 1, len(texts) - 1}
    for p in batch.proposals:
        assert p.text == texts[p.position]
        assert p.prediction.intent == p.intents[0][0]
        assert p.why
    assert batch.selection.reason(0) == "labelled already, or repeated"


def test_the_same_seed_proposes_the_same(rows: list[Utterance], model: LinearNlu) -> None:
    texts = [u.text for u in rows[30:80]]
    first, second = (propose(texts, model=model, labelled=rows[:30], random_seed=3) for _ in range(2))
    assert first.proposals == second.proposals


def test_no_new_text_is_refused(rows: list[Utterance], model: LinearNlu) -> None:
    with pytest.raises(DataError, match="none that is new"):
        propose([rows[0].text], model=model, labelled=rows[:30])
    assert new_rows(["a", "a", " "], []) == [0]


def test_the_nearest_view_follows_the_nearest_label() -> None:
    vectors = np.eye(2, dtype=np.float32)
    view = nearest_view(vectors, vectors, ["x", "y"], ["x", "y", "z"])
    assert view.argmax(axis=1).tolist() == [0, 1]
    np.testing.assert_allclose(view.sum(axis=1), 1.0)
    assert view[:, 2].tolist() == [0, 0]


def test_a_small_training_set_is_replayed_whole_and_a_large_one_in_shares(rows: list[Utterance]) -> None:
    assert replay_set(rows, most=len(rows)) == rows
    replayed = replay_set(rows, most=20)
    assert len(replayed) <= 20
    assert {u.intent for u in replayed} == {u.intent for u in rows}
    assert [u for u in rows if u in replayed] == replayed


@pytest.mark.parametrize("sizes", [[100, 4], [1, 1, 1, 500], [9] * 7])
def test_shares_never_exceed_what_there_is(sizes: list[int]) -> None:
    shares = replay_shares(sizes, 20)
    assert sum(shares) <= 20
    assert all(1 <= share <= size for share, size in zip(shares, sizes, strict=True))


def test_drift_names_new_words_and_new_groups() -> None:
    before = ["wake me at five", "play some jazz", "wake me at six", "play the blues"] * 5
    now = ["order a taxi to town", "order a taxi home", "get me a taxi please", "wake me at five"] * 5
    found = drift(before, now, n_groups=4)
    assert "taxi" in [w.word for w in found.words[:2]]
    assert any("taxi" in example for group in found.groups for example in group.examples)
    assert found.divergence > drift(before, before).divergence
    assert drift(before, before).unknown_word_fraction == 0.0


def test_drift_without_text_before_or_now_names_nothing() -> None:
    assert drift([], ["wake me"]).words == ()
    assert drift(["wake me"], []).groups == ()


def test_the_log_likelihood_ratio_is_zero_for_equal_shares() -> None:
    assert g_squared(5, 50, 10, 100) == pytest.approx(0.0)
    assert g_squared(0, 50, 10, 100) > 5
