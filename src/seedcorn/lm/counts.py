"""Counts of all n-grams up to an order: sorted in chunks that fit in memory, merged."""

import functools
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedcorn.corpus.parallel import Mapper
from seedcorn.errors import ConfigError, DataError
from seedcorn.lm.count_merging import merge_counts
from seedcorn.lm.count_trie import CountTrie, count_tokens
from seedcorn.lm.text_buffers import Texts
from seedcorn.lm.tokens import VocabularyBuilder, token_chunks
from seedcorn.lm.vocabulary import Vocabulary
from seedcorn.progress import say

MIN_TOKENS_PER_CHUNK = 1 << 12
_TOKENS_PER_SHARED_CHUNK = 1 << 22
_BYTES_PER_TOKEN = 16  # the token, its place in the sorted order, and what sorting the longest list of followers takes
_MOST_NODES = int(np.iinfo(np.int32).max)


@dataclass(frozen=True, kw_only=True)
class Counting:
    """How n-grams are counted: tokens in ``n_memory_bytes`` at a time, many n-grams in files in ``folder``.

    The folder is the system's for temporary files unless given. A ``mapper`` has chunks of the text counted at the
    same time. Raises ConfigError without memory.
    """

    n_memory_bytes: int = 2 << 30
    folder: Path | str | None = None
    mapper: Mapper | None = None

    def __post_init__(self) -> None:
        if self.n_memory_bytes < 1:
            raise ConfigError(wanted="memory of at least a byte", found=f"{self.n_memory_bytes}")

    @property
    def place(self) -> Path:
        """The folder of the files."""
        return Path(self.folder or tempfile.gettempdir())


class NgramCounts(NamedTuple):
    """Counted n-grams and the vocabulary that their word ids belong to."""

    vocabulary: Vocabulary
    trie: CountTrie


class _Run(NamedTuple):
    """The counts of some of the text, merged so many times."""

    n_merges: int
    trie: CountTrie


def count_ngrams(
    texts: Iterable[Texts], *, order: int, words: Sequence[str] = (), counting: Counting = Counting()
) -> NgramCounts:
    """Count the n-grams of ``texts`` up to ``order``, each row a sentence; ``words`` are in the vocabulary anyway.

    Text is counted in chunks of so many tokens as fit in the memory of ``counting``, and the sorted counts of equally
    many chunks are merged, on disk when they are many. Only the vocabulary stays in memory whatever its size. With a
    ``mapper`` chunks are small, and it has them counted at the same time; the counts are the same. Raises DataError
    when there is no sentence at all.
    """
    builder = VocabularyBuilder(words)
    runs: list[_Run] = []
    for trie in _counted(texts, builder, order, counting):
        runs.append(_Run(0, trie))
        while len(runs) > 1 and runs[-1].n_merges == runs[-2].n_merges:
            _merge_last_two(runs, counting.place)
    if not runs:
        raise DataError(wanted="text with at least one sentence", found="none")
    while len(runs) > 1:
        _merge_last_two(runs, counting.place)
    return NgramCounts(builder.finished(), runs[0].trie)


def _merge_last_two(runs: list[_Run], folder: Path) -> None:
    right, left = runs.pop(), runs.pop()
    say("merging runs of counts")
    runs.append(_Run(left.n_merges + 1, merge_counts(left.trie, right.trie, folder=folder)))


def _counted(texts: Iterable[Texts], builder: VocabularyBuilder, order: int, counting: Counting) -> Iterator[CountTrie]:
    """Yield the counts of each chunk of ``texts``, whose words go to ``builder``."""
    n_tokens = max(counting.n_memory_bytes // _BYTES_PER_TOKEN, MIN_TOKENS_PER_CHUNK)
    at_most = _MOST_NODES // order if counting.mapper is None else _TOKENS_PER_SHARED_CHUNK
    chunks = token_chunks(texts, builder, n_tokens_per_chunk=min(n_tokens, at_most))
    if counting.mapper is not None:
        # Copies, as the array of a chunk is that of the next one too.
        copies = (_Chunk(tokens.copy(), builder.n_words) for tokens in chunks)
        yield from counting.mapper(functools.partial(_count_chunk, order=order), copies)
    for tokens in chunks:  # none are left where a mapper had them
        yield count_tokens(tokens, n_words=builder.n_words, order=order, folder=counting.place)


class _Chunk(NamedTuple):
    tokens: NDArray[np.int32]
    n_words: int


def _count_chunk(chunk: _Chunk, *, order: int) -> CountTrie:
    return count_tokens(chunk.tokens, n_words=chunk.n_words, order=order)
