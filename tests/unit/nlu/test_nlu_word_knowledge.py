from pathlib import Path

import numpy as np
import pytest

from seedcorn.corpus.builtin import builtin_requests
from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import DataError
from seedcorn.nlu.linear import LinearSettings, train_linear
from seedcorn.nlu.linear_file import load_linear, save_linear
from seedcorn.nlu.word_knowledge import WordKnowledge, cluster_names, learn_words, sentence_vectors


@pytest.fixture(scope="module")
def requests() -> list[Utterance]:
    return builtin_requests(600, lang="en", random_seed=3).utterances()


@pytest.fixture(scope="module")
def knowledge(requests: list[Utterance]) -> WordKnowledge:
    return learn_words([u.text for u in requests], n_dimensions=20, cluster_sizes=(4, 16))


def test_words_used_alike_are_nearer_than_words_used_otherwise() -> None:
    texts = [f"{verb} the {thing} now" for verb in ("play", "start") for thing in ("song", "tune", "album")] * 5
    texts += [f"rain is {when} in {where}" for when in ("today", "tomorrow") for where in ("paris", "rome")] * 8
    known = learn_words(texts, n_dimensions=6, cluster_sizes=(2,))
    song, tune, rome = sentence_vectors(["song", "tune", "rome"], known)
    assert song @ tune > song @ rome
    assert cluster_names("song", known) == cluster_names("tune", known)


def test_sentence_vectors_have_length_one_and_unknown_text_is_zero(
    requests: list[Utterance], knowledge: WordKnowledge
) -> None:
    vectors = sentence_vectors([requests[0].text, "xyzzy", ""], knowledge)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1.0, 0.0, 0.0], abs=1e-5)
    assert cluster_names("xyzzy", knowledge) == ()
    assert len(cluster_names("the", knowledge)) == 2


def test_one_random_seed_gives_one_knowledge(requests: list[Utterance], knowledge: WordKnowledge) -> None:
    again = learn_words([u.text for u in requests], n_dimensions=20, cluster_sizes=(4, 16))
    assert np.array_equal(again.clusters, knowledge.clusters)
    assert np.array_equal(again.vectors.vectors, knowledge.vectors.vectors)


def test_too_little_text_is_refused() -> None:
    with pytest.raises(DataError):
        learn_words(["once"])


def test_a_model_with_knowledge_is_saved_with_it(
    requests: list[Utterance], knowledge: WordKnowledge, tmp_path: Path
) -> None:
    model = train_linear(requests[:200], settings=LinearSettings(knowledge=knowledge))
    save_linear(model, tmp_path / "model.npz")
    texts = [u.text for u in requests[200:260]]
    assert load_linear(tmp_path / "model.npz").predict(texts) == model.predict(texts)
    assert train_linear(requests[:200]).predict(texts) != model.predict(texts)


def test_a_saved_model_of_one_intent_predicts_though_its_slots_have_knowledge(
    requests: list[Utterance], knowledge: WordKnowledge, tmp_path: Path
) -> None:
    rows = [u for u in requests if u.intent == "alarm_set"]
    model = train_linear(rows, settings=LinearSettings(knowledge=knowledge))
    save_linear(model, tmp_path / "model.npz")
    texts = [u.text for u in requests[:20]]
    assert load_linear(tmp_path / "model.npz").predict(texts) == model.predict(texts)


def test_a_model_with_features_that_its_coefficients_do_not_have_is_refused(
    requests: list[Utterance], knowledge: WordKnowledge, tmp_path: Path
) -> None:
    path = tmp_path / "model.npz"
    save_linear(train_linear(requests[:60], settings=LinearSettings(knowledge=knowledge)), path)
    with np.load(path) as stored:
        arrays = dict(stored)
    np.savez(path, **arrays | {"columns": arrays["columns"][:-3]})
    with pytest.raises(DataError, match="coefficients of other features"):
        load_linear(path)
