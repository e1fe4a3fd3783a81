"""Counts of all n-grams up to an order: sorted in chunks that fit in memory, spilled as runs, merged."""

import functools
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedcorn.corpus.parallel import Mapper
from seedcorn.errors import DataError
from seedcorn.lm.count_trie import POSITION_MASK, CountTrie, count_tokens, merge_counts
from seedcorn.lm.scratch import NewArray, Number, array_on_disk
from seedcorn.lm.text_buffers import Texts
from seedcorn.lm.tokens import VocabularyBuilder, token_chunks
from seedcorn.lm.vocabulary import Vocabulary
from seedcorn.progress import say

MIN_TOKENS_PER_CHUNK = 1 << 12
_TOKENS_PER_SHARED_CHUNK = 1 << 22
_BYTES_PER_TOKEN = 16  # the token, its place in the sorted order, and a key while sorting
_BYTES_PER_NGRAM = 20


@dataclass(frozen=True, kw_only=True)
class Counting:
    """How n-grams are counted: beyond ``n_memory_bytes`` arrays lie in files in ``folder`` (default: the system's).

    A ``mapper`` has chunks of the text counted at the same time.
    """

    n_memory_bytes: int = 2 << 30
    folder: Path | str | None = None
    mapper: Mapper | None = None

    @property
    def place(self) -> Path:
        """The folder of the files."""
        return Path(self.folder or tempfile.gettempdir())


class NgramCounts(NamedTuple):
    """Counted n-grams and the vocabulary that their word ids belong to."""

    vocabulary: Vocabulary
    trie: CountTrie


def count_ngrams(
    texts: Iterable[Texts],
    *,
    order: int,
    n_memory_bytes: int,
    folder: Path,
    words: Sequence[str] = (),
    mapper: Mapper | None = None,
) -> NgramCounts:
    """Count the n-grams of ``texts`` up to ``order``, each row a sentence; ``words`` are in the vocabulary anyway.

    Text that needs more than about ``n_memory_bytes`` is counted in chunks; the sorted counts of each are spilled to
    ``folder`` and merged there. Only the vocabulary stays in memory whatever its size. With a ``mapper`` chunks are
    small, and it has them counted at the same time; the counts are the same. Raises DataError when there is no
    sentence at all.
    """
    new_array = functools.partial(array_on_disk, folder=folder)
    builder = VocabularyBuilder(words)
    runs: list[CountTrie] = []
    n_tokens = max(n_memory_bytes // (_BYTES_PER_TOKEN + _BYTES_PER_NGRAM * (order - 1)), MIN_TOKENS_PER_CHUNK)
    at_most = POSITION_MASK >> 1 if mapper is None else _TOKENS_PER_SHARED_CHUNK
    chunks = token_chunks(texts, builder, n_tokens_per_chunk=min(n_tokens, at_most))
    for trie in _counted(chunks, builder, order, mapper):
        if len(runs) == 1:
            runs = [_spilled(runs[0], new_array)]
        runs.append(_spilled(trie, new_array) if runs else trie)
    if not runs:
        raise DataError(wanted="text with at least one sentence", found="none")
    while len(runs) > 1:
        say(f"merging {len(runs)} runs of counts")
        runs = [_merged(runs[i : i + 2], new_array) for i in range(0, len(runs), 2)]
    return NgramCounts(builder.finished(), runs[0])


def _counted(
    chunks: Iterator[NDArray[np.int32]], builder: VocabularyBuilder, order: int, mapper: Mapper | None
) -> Iterator[CountTrie]:
    """Yield the counts of each of ``chunks``, whose words are in ``builder``."""
    if mapper is None:
        return (count_tokens(tokens, n_words=builder.n_words, order=order) for tokens in chunks)
    # Copies, as the array of a chunk is that of the next one too.
    return mapper(functools.partial(_count_chunk, order=order), (_Chunk(t.copy(), builder.n_words) for t in chunks))


class _Chunk(NamedTuple):
    tokens: NDArray[np.int32]
    n_words: int


def _count_chunk(chunk: _Chunk, *, order: int) -> CountTrie:
    return count_tokens(chunk.tokens, n_words=chunk.n_words, order=order)


def _spilled(trie: CountTrie, new_array: NewArray) -> CountTrie:
    def copied(array: NDArray[Number]) -> NDArray[Number]:
        copy = new_array(len(array), array.dtype.type)
        copy[:] = array
        return copy

    return CountTrie(copied(trie.words), copied(trie.children), copied(trie.counts), trie.order_begins)


def _merged(pair: list[CountTrie], new_array: NewArray) -> CountTrie:
    return pair[0] if len(pair) == 1 else merge_counts(pair[0], pair[1], new_array=new_array)
