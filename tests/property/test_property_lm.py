"""What must hold of language models for any text: Unicode, empty lines, one word, whatever the order of sentences."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from language_models import distribution_sums, ngrams_of
from seedcorn.corpus.text import clean_text
from seedcorn.lm import count_merging, count_trie, counts, scratch, trie_blocks
from seedcorn.lm.arpa import read_arpa
from seedcorn.lm.arpa_writing import write_arpa
from seedcorn.lm.clean_lines import cleaned_lines
from seedcorn.lm.count_merging import merge_counts
from seedcorn.lm.count_trie import count_tokens
from seedcorn.lm.counts import Counting, count_ngrams
from seedcorn.lm.interpolation import Mixture, share_vocabulary, static_model
from seedcorn.lm.kneser_ney import FALLBACK_DISCOUNTS, estimate
from seedcorn.lm.ngram_model import NgramModel
from seedcorn.lm.pruning import prune_by_entropy
from seedcorn.lm.text_buffers import TextBuffers
from seedcorn.lm.tokens import VocabularyBuilder, token_chunks

few_words = st.sampled_from(["a", "b", "c", "मौसम", "กา", "🎵", "e\u0301", "\u2028", "a\u00a0b"])
sentences = st.lists(st.lists(few_words, max_size=6).map(" ".join), min_size=1, max_size=8)
any_text = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="<"), max_size=30)
prunings = st.sampled_from([(0,), (0, 1), (0, 0, 1), (0, 1, 2)])
orders = st.integers(1, 4)
odd = st.sampled_from(
    [*"\u200b\u200d\xa0\u2028\x85\x0b\x7f\0\t\u0301\u0327\u093c\u0928\u1100\u1161\u212b", "न\u093c", "가"]
)
odd_lines = st.lists(st.lists(odd | st.text(max_size=2), max_size=8).map("".join), min_size=1, max_size=6)


def model_of(texts: list[str], order: int, prune: tuple[int, ...] = (0,)) -> NgramModel:
    return estimate([texts], order=order, prune=prune[:order], fallback_discounts=FALLBACK_DISCOUNTS)


@settings(deadline=None, max_examples=40)
@given(sentences, orders, prunings)
def test_distributions_after_every_history_sum_to_one(texts: list[str], order: int, prune: tuple[int, ...]) -> None:
    np.testing.assert_allclose(distribution_sums(model_of(texts, order, prune)), 1, atol=1e-5)


@settings(deadline=None, max_examples=40)
@given(sentences, orders, st.randoms(use_true_random=False))
def test_order_of_sentences_does_not_matter(texts: list[str], order: int, random: "np.random.Generator") -> None:
    shuffled = list(texts)
    random.shuffle(shuffled)  # type: ignore[arg-type]
    assert ngrams_of(model_of(texts, order)) == ngrams_of(model_of(shuffled, order))


@settings(deadline=None, max_examples=40)
@given(sentences, sentences, st.integers(1, 3))
def test_merged_counts_are_the_counts_of_merged_text(left: list[str], right: list[str], order: int) -> None:
    builder = VocabularyBuilder()
    parts = []
    for texts in (left, right):
        tokens = np.concatenate(list(token_chunks([texts], builder, n_tokens_per_chunk=1000)))
        parts.append(count_tokens(tokens, n_words=builder.n_words, order=order))
    merged = merge_counts(*parts)
    whole = count_ngrams([left + right], order=order).trie
    for one, other in zip(merged, whole, strict=True):
        np.testing.assert_array_equal(one, other)


@settings(deadline=None, max_examples=40)
@given(sentences, orders, prunings, st.integers(1, 600), st.integers(1, 9), st.integers(1, 9))
def test_no_bound_changes_a_byte_of_a_model(
    texts: list[str], order: int, prune: tuple[int, ...], n_memory_bytes: int, block: int, window: int
) -> None:
    whole = model_of(texts, order, prune)
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(counts, "MIN_TOKENS_PER_CHUNK", 1)
        patch.setattr(scratch, "_MOST_BYTES_IN_MEMORY", 0)
        patch.setattr(count_trie, "NGRAMS_PER_BLOCK", block)
        patch.setattr(count_merging, "NGRAMS_PER_BLOCK", block)
        patch.setattr(trie_blocks, "NODES_PER_BLOCK", block)
        patch.setattr(trie_blocks, "NODES_PER_WINDOW", window)
        bounded = estimate(
            [texts],
            order=order,
            prune=prune[:order],
            fallback_discounts=FALLBACK_DISCOUNTS,
            counting=Counting(n_memory_bytes=n_memory_bytes, folder=folder),
        )
        assert list(Path(folder).iterdir()) == []
    assert bounded.words == whole.words
    for left, right in zip((*bounded.arrays, bounded.order_begins), (*whole.arrays, whole.order_begins), strict=True):
        assert (left.dtype, left.tobytes()) == (right.dtype, right.tobytes())


@settings(deadline=None, max_examples=30)
@given(sentences, sentences, orders, st.integers(1, 3), st.floats(0.05, 0.95))
def test_static_mixtures_sum_to_one_and_are_exact_where_every_ngram_is_stored(
    left: list[str], right: list[str], left_order: int, right_order: int, weight: float
) -> None:
    models = share_vocabulary([model_of(left, left_order), model_of(right, right_order)])
    mixture = Mixture(models=models, weights=(weight, 1 - weight))
    static = static_model(mixture)
    np.testing.assert_allclose(distribution_sums(static), 1, atol=1e-4)
    stored = left if left_order >= right_order else right
    np.testing.assert_allclose(static.sentence_logps(stored), mixture.sentence_logps(stored), rtol=1e-4)


@settings(deadline=None, max_examples=30)
@given(sentences, orders, st.floats(1e-6, 0.5))
def test_entropy_pruned_models_sum_to_one(texts: list[str], order: int, threshold: float) -> None:
    np.testing.assert_allclose(
        distribution_sums(prune_by_entropy(model_of(texts, order), threshold=threshold)), 1, atol=1e-4
    )


@settings(deadline=None, max_examples=60)
@given(st.lists(any_text, min_size=1, max_size=5))
def test_any_text_is_estimated_written_read_and_scored(texts: list[str]) -> None:
    words = {w for text in texts for w in text.replace("\0", " ").replace("\t", " ").replace("\r", " ").split(" ")}
    words = {part for w in words for part in w.split("\n") if part} - {"<s>", "</s>", "<unk>"}
    model = model_of(texts, 2)
    assert set(model.words) == words | {"<s>", "</s>", "<unk>"}
    with tempfile.TemporaryDirectory() as folder:
        write_arpa(model, Path(folder, "model.arpa"))
        read = read_arpa(Path(folder, "model.arpa"))
    assert set(read.words) == set(model.words)
    np.testing.assert_allclose(read.sentence_logps(texts), model.sentence_logps(texts), atol=1e-5)
    assert model.score(texts).n_oov.sum() == 0


def test_very_long_sentence() -> None:
    rng = np.random.default_rng(0)
    text = " ".join(f"w{i}" for i in rng.zipf(1.3, size=100_000) % 5000)
    model = model_of([text, "w1"], 3)
    scores = model.score([text])
    assert scores.n_words.tolist() == [100_000]
    assert np.isfinite(scores.logps).all()


@pytest.mark.parametrize("texts", [[""], ["", "", ""], ["a"], ["a a a a a a"], ["a", "a", ""]])
@pytest.mark.parametrize("order", [1, 3, 6])
def test_texts_of_one_word_or_none(texts: list[str], order: int) -> None:
    model = model_of(texts, order)
    np.testing.assert_allclose(distribution_sums(model), 1, atol=1e-5)
    assert np.isfinite(model.sentence_logps(["a", "", "b b"])).all()


@settings(deadline=None, max_examples=150)
@given(odd_lines)
def test_lines_have_the_words_of_clean_text(lines: list[str]) -> None:
    lines = [line.replace("\n", " ").replace("\r", " ") for line in lines]
    text = "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
    ends = np.cumsum([0, *(len(f"{line}\n".encode("utf-8", "replace")) for line in lines)])
    cleaned = cleaned_lines(TextBuffers(np.frombuffer(text, np.uint8), ends))
    rows = zip(cleaned.offsets.tolist(), cleaned.offsets[1:].tolist(), strict=False)
    words = [cleaned.text[begin:end].tobytes().replace(b"\0", b" ").decode().split() for begin, end in rows]
    expected = [clean_text(line.encode("utf-8", "replace").decode()).split() for line in lines]
    assert words == expected
