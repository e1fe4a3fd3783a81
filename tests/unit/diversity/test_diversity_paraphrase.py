"""The paraphrase network learns, tells values it never met apart, is repeatable, and survives being saved."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from seedcorn.corpus.builtin import builtin_requests  # noqa: E402
from seedcorn.corpus.word_vectors import WordVectors, fit_word_vectors, word_hash  # noqa: E402
from seedcorn.diversity.encoder_paraphrase import fit_encoder_paraphrases  # noqa: E402
from seedcorn.diversity.paraphrase import (  # noqa: E402
    NetworkShape,
    ParaphraseNetwork,
    load_paraphrase_network,
    save_paraphrase_network,
)
from seedcorn.diversity.paraphrase_fitting import fit_paraphrase_network  # noqa: E402
from seedcorn.diversity.paraphrase_pairs import PairKind, ParaphrasePair, paraphrase_pairs  # noqa: E402
from seedcorn.diversity.paraphrase_training import TrainingSettings, train_paraphrase_network  # noqa: E402
from seedcorn.errors import DataError  # noqa: E402
from seedcorn.relevance.embedding import fit_encoder  # noqa: E402
from seedcorn.relevance.sentence_vectors import SentenceEncoder  # noqa: E402

SHAPE = NetworkShape(n_hidden=32, n_meaning=16, n_ngram_buckets=512, n_ngram_dimensions=8, n_signs=48)
SETTINGS = TrainingSettings(pairs_per_batch=32, n_epochs=2)


def fitted(random_seed: int = 0) -> ParaphraseNetwork:
    annotated = builtin_requests(250, lang="en", random_seed=0).utterances()
    return fit_paraphrase_network(annotated, n_pairs=1_500, shape=SHAPE, settings=SETTINGS, random_seed=random_seed)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


@pytest.fixture(scope="module")
def network() -> ParaphraseNetwork:
    return fitted()


def unseen_pairs() -> list[ParaphrasePair]:
    others = builtin_requests(200, lang="en", random_seed=9).utterances()
    return list(paraphrase_pairs(others, n_pairs=600, rng=np.random.default_rng(4), complete=False))


def small_encoder(pairs: list[ParaphrasePair]) -> SentenceEncoder:
    return fit_encoder([p.first for p in pairs], n_dimensions=16, n_buckets=1 << 10)


def area_under_curve(positives: np.ndarray, negatives: np.ndarray) -> float:
    return float((positives[:, None] > negatives).mean() + (positives[:, None] == negatives).mean() / 2)


def products(network: ParaphraseNetwork, pairs: list[ParaphrasePair]) -> np.ndarray:
    first, second = network.encode([p.first for p in pairs]), network.encode([p.second for p in pairs])
    return (first * second).sum(axis=1)


def test_paraphrases_score_higher(network: ParaphraseNetwork) -> None:
    pairs = unseen_pairs()
    scores = products(network, pairs)
    are = np.array([p.kind.is_paraphrase for p in pairs])
    hard = np.array([p.kind is PairKind.OTHER_VALUES for p in pairs])
    assert area_under_curve(scores[are], scores[~are]) > 0.9
    assert area_under_curve(scores[are], scores[hard]) > 0.9


def test_values_never_met_are_told_apart(network: ParaphraseNetwork) -> None:
    codes = network.encode(["play zyxquor", "i want to hear zyxquor", "play brimbalo"])
    paraphrase, other = network.probabilities(codes[1:] @ codes[0])
    assert paraphrase > other


def test_codes_have_length_one_and_do_not_depend_on_the_other_texts(network: ParaphraseNetwork) -> None:
    texts = ["play adele", "", "??", "बजाओ एडेल", "アデルを再生", "please " * 200 + "stop", "wake me up at five"]
    codes = network.encode(texts)
    assert codes.dtype == np.float32
    assert np.linalg.norm(codes, axis=1) == pytest.approx(np.ones(len(texts)), abs=1e-5)
    alone = np.vstack([network.encode([text]) for text in texts])
    np.testing.assert_allclose(codes, alone, atol=1e-5)
    assert network.encode([]).shape == (0, codes.shape[1])


def test_the_same_random_seed_gives_the_same_network(network: ParaphraseNetwork) -> None:
    texts = ["play adele", "stop"]
    assert (fitted().encode(texts) == network.encode(texts)).all()
    assert (fitted(1).encode(texts) != network.encode(texts)).any()


def test_training_leaves_the_global_generator_alone() -> None:
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    pairs = unseen_pairs()[:40]
    vectors = fit_word_vectors([p.first for p in pairs], min_count=1)
    train_paraphrase_network(pairs, word_vectors=vectors, shape=SHAPE, settings=SETTINGS)
    assert (torch.rand(3) == wanted).all()


def test_a_saved_network_is_the_same(network: ParaphraseNetwork, tmp_path: Path) -> None:
    save_paraphrase_network(network, tmp_path / "network")
    assert sorted(p.name for p in (tmp_path / "network").iterdir()) == ["paraphrase.json", "paraphrase.safetensors"]
    loaded = load_paraphrase_network(tmp_path / "network")
    texts = ["play adele", "what is the weather"]
    assert (loaded.encode(texts) == network.encode(texts)).all()
    assert (loaded.probabilities(np.array([0.5])) == network.probabilities(np.array([0.5]))).all()


def test_loading_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no paraphrase\.json"):
        load_paraphrase_network(tmp_path)
    (tmp_path / "paraphrase.json").write_text('{"format": "other"}', "utf-8")
    with pytest.raises(DataError, match="found other"):
        load_paraphrase_network(tmp_path)


def test_one_kind_of_pairs_alone_is_refused() -> None:
    pairs = [pair for pair in unseen_pairs() if pair.kind.is_paraphrase]
    vectors = fit_word_vectors([p.first for p in pairs])
    with pytest.raises(DataError, match="several intents"):
        train_paraphrase_network(pairs, word_vectors=vectors)
    with pytest.raises(DataError, match="pairs that are not"):
        fit_encoder_paraphrases(small_encoder(pairs), pairs)


def test_any_sentence_encoder_gets_a_head() -> None:
    pairs = unseen_pairs()
    model = fit_encoder_paraphrases(small_encoder(pairs), pairs)
    low, high = model.probabilities(np.array([0.0, 1.0]))
    assert 0 < low < 1
    assert 0 < high < 1
    assert model.encode(["play adele"]).shape[0] == 1


def test_word_vectors_bring_words_of_like_use_together() -> None:
    texts = [f"{verb} {name}" for verb in ("play", "hear", "start") for name in ("adele", "seal", "queen")] * 3
    texts += [f"at {hour} o'clock" for hour in ("five", "six", "ten")] * 3
    vectors = fit_word_vectors(texts, n_dimensions=6)
    adele, seal, five, unknown = vectors.rows(
        np.array([word_hash(word) for word in ("adele", "seal", "five", "never met")], np.uint64)
    )
    near = vectors.vectors @ vectors.vectors[adele]
    assert near[seal] > near[five] + 0.5
    assert unknown == len(vectors.hashes)
    assert not vectors.vectors[unknown].any()
    assert vectors.log_frequencies[adele] == pytest.approx(np.log(9 / 36))
    assert isinstance(vectors, WordVectors)


def test_word_vectors_need_words_that_repeat() -> None:
    with pytest.raises(DataError, match="occur 3 times"):
        fit_word_vectors(["play adele", "stop"])
