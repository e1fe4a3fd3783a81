import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

TRANSLATED = {"red": "लाल", "green": "हरा", "blue": "नीला", "house": "घर", "book": "किताब", "car": "गाड़ी"}


@pytest.fixture(scope="module")
def subwords_and_pairs(pairs):
    from seedcorn.translation.batching import tokenise
    from seedcorn.translation.subwords import train_subwords

    tokenizer = train_subwords([side for p in pairs.pairs() for side in (p.source, p.target)], n_subwords=400)
    return tokenizer, tokenise(pairs, tokenizer, max_length=64)


def placed(subwords_and_pairs, random_seed: int = 0) -> np.ndarray:
    from seedcorn.translation.bilingual_embeddings import bilingual_embeddings

    tokenizer, pairs = subwords_and_pairs
    random_start = np.random.default_rng(9).standard_normal((len(tokenizer), 16)).astype(np.float32) / 4
    return bilingual_embeddings(pairs, random_start, rng=np.random.default_rng(random_seed))


def test_a_word_lies_nearest_to_its_translation(subwords_and_pairs) -> None:
    vectors = placed(subwords_and_pairs)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    tokenizer = subwords_and_pairs[0]

    def row(word: str) -> np.ndarray:
        ids = tokenizer(word, add_special_tokens=False).input_ids
        assert len(ids) == 1, word
        return vectors[ids[0]]

    targets = list(TRANSLATED.values())
    for source, target in TRANSLATED.items():
        assert max(targets, key=lambda word: float(row(source) @ row(word))) == target


def test_rows_have_the_length_of_a_start_and_unseen_subwords_keep_theirs(subwords_and_pairs) -> None:
    tokenizer = subwords_and_pairs[0]
    vectors = placed(subwords_and_pairs)
    assert vectors.shape == (len(tokenizer), 16)
    assert vectors.dtype == np.float32
    lengths = np.linalg.norm(vectors, axis=1)
    assert ((lengths > 0.3) & (lengths < 2.0)).all()
    unseen = tokenizer.convert_tokens_to_ids("<slot8>")
    random_start = np.random.default_rng(9).standard_normal((len(tokenizer), 16)).astype(np.float32) / 4
    np.testing.assert_array_equal(vectors[unseen], random_start[unseen])


def test_the_same_random_seed_gives_the_same_start(subwords_and_pairs) -> None:
    np.testing.assert_array_equal(placed(subwords_and_pairs), placed(subwords_and_pairs))
    assert (placed(subwords_and_pairs) != placed(subwords_and_pairs, random_seed=1)).any()
