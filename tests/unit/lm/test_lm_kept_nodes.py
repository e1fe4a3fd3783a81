"""N-grams taken out of a trie: what stays, and where backing off leads then."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from language_models import ngrams_of, small_model
from seedcorn.lm import scratch, trie_blocks
from seedcorn.lm.kept_nodes import keep_nodes, kept_values
from seedcorn.lm.ngram_model import NgramModel

Ngram = tuple[str, ...]


def some_nodes(model: NgramModel, random_seed: int) -> NDArray[np.bool_]:
    """Return nodes to keep: a random half of the n-grams beyond 1-grams, without those whose context goes."""
    kept = np.random.default_rng(random_seed).random(len(model.arrays.words)) < 0.5
    kept[: model.order_begins[2]] = True
    for parent in range(len(model.arrays.children) - 1):
        children = slice(model.arrays.children[parent], model.arrays.children[parent + 1])
        kept[children] &= kept[parent]
    return kept


def longest_suffix(ngram: Ngram, left: list[Ngram]) -> Ngram:
    return next(ngram[i:] for i in range(1, len(ngram) + 1) if i == len(ngram) or ngram[i:] in left)


@pytest.mark.parametrize("random_seed", range(3))
@pytest.mark.parametrize(("block", "window"), [(1 << 18, 1 << 21), (3, 2)])
def test_what_is_kept_backs_off_to_the_longest_suffix_left(
    random_seed: int, block: int, window: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = small_model(order=4)
    kept = some_nodes(model, random_seed)
    monkeypatch.setattr(scratch, "_MOST_BYTES_IN_MEMORY", 0 if block == 3 else 1 << 20)
    monkeypatch.setattr(trie_blocks, "NODES_PER_BLOCK", block)
    monkeypatch.setattr(trie_blocks, "NODES_PER_WINDOW", window)
    trie = keep_nodes(model.trie, kept, folder=tmp_path)
    logps = kept_values(model.arrays.logps, kept, folder=tmp_path)
    names: list[Ngram] = [()]
    for parent in range(len(trie.children) - 1):
        children = range(trie.children[parent], trie.children[parent + 1])
        names += [(*names[parent], model.words[trie.words[node]]) for node in children]
    every: list[Ngram] = [(), *ngrams_of(model)]
    assert names == [name for name, is_kept in zip(every, kept, strict=True) if is_kept]
    assert [names[suffix] for suffix in trie.suffixes[1:]] == [longest_suffix(name, names) for name in names[1:]]
    np.testing.assert_array_equal(logps, model.arrays.logps[kept])
    assert trie.order_begins.tolist() == [0, *np.cumsum(np.bincount([len(name) for name in names], minlength=5))]
