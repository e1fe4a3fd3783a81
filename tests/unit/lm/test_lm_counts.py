from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from language_models import SENTENCES
from seedcorn.errors import ConfigError, DataError
from seedcorn.lm import counts as counting
from seedcorn.lm.counts import Counting, NgramCounts, count_ngrams


def counted_slowly(sentences: list[str], order: int) -> Counter[tuple[str, ...]]:
    found: Counter[tuple[str, ...]] = Counter()
    for sentence in sentences:
        words = ["<s>", *sentence.split(), "</s>"]
        for n in range(1, order + 1):
            found.update(tuple(words[i : i + n]) for i in range(len(words) - n + 1))
    return found


def as_counter(counts: NgramCounts) -> Counter[tuple[str, ...]]:
    trie, words = counts.trie, counts.vocabulary.words
    names: list[tuple[str, ...]] = [()] * len(trie.words)
    for parent in range(len(trie.children) - 1):
        for node in range(trie.children[parent], trie.children[parent + 1]):
            names[node] = (*names[parent], words[trie.words[node]])
    return Counter({name: int(n) for name, n in zip(names[1:], trie.counts[1:], strict=True) if n})


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_counts_are_those_of_the_definition(order: int, tmp_path: Path) -> None:
    counts = count_ngrams([list(SENTENCES)], order=order, counting=Counting(n_memory_bytes=1 << 20, folder=tmp_path))
    assert as_counter(counts) == counted_slowly(list(SENTENCES), order)


def test_children_are_sorted(tmp_path: Path) -> None:
    trie = count_ngrams([list(SENTENCES)], order=3, counting=Counting(n_memory_bytes=1 << 20, folder=tmp_path)).trie
    for parent in range(len(trie.children) - 1):
        assert (np.diff(trie.words[trie.children[parent] : trie.children[parent + 1]]) > 0).all()


def test_large_groups_are_sorted_like_small_ones(tmp_path: Path) -> None:
    sentences = [f"a w{i * 7919 % 500} b" for i in range(1000)]
    counts = count_ngrams([sentences], order=3, counting=Counting(n_memory_bytes=1 << 20, folder=tmp_path))
    assert as_counter(counts) == counted_slowly(sentences, 3)


@pytest.mark.parametrize("n_tokens", [10, 12, 30, 41])
def test_spilled_runs_merge_to_the_same_counts(n_tokens: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = count_ngrams([list(SENTENCES)], order=3, counting=Counting(n_memory_bytes=1 << 20, folder=tmp_path))
    monkeypatch.setattr(counting, "MIN_TOKENS_PER_CHUNK", n_tokens)
    merged = count_ngrams([list(SENTENCES)], order=3, counting=Counting(n_memory_bytes=1, folder=tmp_path))
    assert merged.vocabulary.words == whole.vocabulary.words
    for left, right in zip(merged.trie, whole.trie, strict=True):
        np.testing.assert_array_equal(left, right)
    assert not list(tmp_path.iterdir())


def test_special_words_in_text_are_refused_with_their_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="sentence 3: .*'b </s> c'"):
        count_ngrams([["a", "b"], ["b </s> c"]], order=2, counting=Counting(n_memory_bytes=1 << 20, folder=tmp_path))


def test_no_sentence_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="at least one sentence"):
        count_ngrams([[]], order=2, counting=Counting(n_memory_bytes=1 << 20, folder=tmp_path))


@pytest.mark.parametrize("n_memory_bytes", [0, -1])
def test_memory_that_is_none_is_refused(n_memory_bytes: int) -> None:
    with pytest.raises(ConfigError, match="at least a byte"):
        Counting(n_memory_bytes=n_memory_bytes)
