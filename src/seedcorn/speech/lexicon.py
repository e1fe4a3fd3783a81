"""The recogniser's words and their spellings, as a prefix trie that the beam search walks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedcorn.corpus.formats.lines import numbered_lines
from seedcorn.corpus.text import clean_text
from seedcorn.errors import DataError, at
from seedcorn.speech.alphabet import Alphabet
from seedcorn.speech.settings import Unspellable

_N_SHOWN = 5


class SpellingTrie(NamedTuple):
    """All spellings as a trie; node 0 is the root, children lie side by side, sorted by symbol.

    ``symbols`` (n,) is the column of each node's symbol (-1 for the root); ``children`` (n + 1,) where the children of
    each node begin; ``word_begins`` (n + 1,) where the words that end in each node begin in ``word_rows``;
    ``root_children`` (n_symbols,) the child of the root by symbol, or -1.
    """

    symbols: NDArray[np.int32]
    children: NDArray[np.int32]
    word_begins: NDArray[np.int32]
    word_rows: NDArray[np.int32]
    root_children: NDArray[np.int32]


@dataclass(frozen=True, kw_only=True)
class Lexicon:
    """The words that a recogniser can say, each with one or more spellings in the symbols of ``alphabet``.

    ``words`` are distinct, sorted; ``spellings`` are pairs of row in ``words`` and columns of the alphabet, sorted.
    ``left_out`` are the words that could not be spelt.
    """

    alphabet: Alphabet
    words: tuple[str, ...]
    spellings: tuple[tuple[int, tuple[int, ...]], ...]
    trie: SpellingTrie
    left_out: tuple[str, ...] = ()


def build_lexicon(
    words: Iterable[str],
    *,
    alphabet: Alphabet,
    spoken_as: Mapping[str, Sequence[str]] | None = None,
    on_unspellable: Unspellable = Unspellable.REFUSE,
) -> Lexicon:
    """Return the lexicon of ``words``, each spelt by its own characters, or as ``spoken_as`` says where it is there.

    ``spoken_as`` is for words that the recogniser spells differently, as Latin words heard in another script.
    Raises DataError for an empty lexicon and, unless they are left out, for words that the alphabet cannot spell.
    """
    written: dict[str, list[tuple[int, ...]]] = {}
    for word in sorted(set(words)):
        spellings = (alphabet.spelling(text) for text in (spoken_as or {}).get(word, (word,)))
        written[word] = sorted({tuple(spelling) for spelling in spellings if spelling})
    left_out = tuple(word for word, spellings in written.items() if not spellings)
    if left_out and on_unspellable is Unspellable.REFUSE:
        raise _unspellable_error(left_out, alphabet)
    kept = tuple(word for word in written if written[word])
    if not kept:
        raise DataError(wanted="at least one word that the alphabet can spell", found=f"none of {len(written)}")
    pairs = tuple((row, spelling) for row, word in enumerate(kept) for spelling in written[word])
    return Lexicon(
        alphabet=alphabet, words=kept, spellings=pairs, trie=_trie_of(pairs, len(alphabet)), left_out=left_out
    )


def read_spoken_as(path: Path) -> dict[str, list[str]]:
    """Return how words are spoken from a file of lines "word, tab, spelling", a line for each spelling of a word.

    Raises DataError with file and line for any other line.
    """
    spellings: dict[str, list[str]] = {}
    for number, line in numbered_lines(path):
        fields = [clean_text(field) for field in line.split("\t")]
        if len(fields) != 2 or not all(fields):
            found = f"'{line[:60]}'"
            raise DataError(wanted="a word, a tab and how it is spoken", found=found, where=at(path, number))
        spellings.setdefault(fields[0], []).append(fields[1])
    return spellings


def symbol_lexicon(alphabet: Alphabet) -> Lexicon:
    """Return the lexicon in which every symbol is a word: free spelling, for language models over characters."""
    symbols = [s for s in alphabet.symbols if s and not (len(s) > 1 and s.startswith("<") and s.endswith(">"))]
    return build_lexicon(symbols, alphabet=alphabet)


def _unspellable_error(left_out: Sequence[str], alphabet: Alphabet) -> DataError:
    missing = sorted({c for word in left_out for c in word if c not in alphabet.index_of})
    shown = ", ".join(f"'{word}'" for word in left_out[:_N_SHOWN])
    return DataError(
        wanted="words that the recogniser's alphabet can spell",
        found=f"{len(left_out)} that it cannot ({shown}); missing characters: {' '.join(missing)}",
        fix="Say how they are spoken (--spoken-as), or leave them out (--unspellable leave-out).",
    )


def _trie_of(pairs: Sequence[tuple[int, tuple[int, ...]]], n_symbols: int) -> SpellingTrie:
    """Return the trie; nodes are numbered by length of their prefix, then by prefix."""
    lengths = np.array([len(spelling) for _, spelling in pairs])
    spelt = np.concatenate([spelling for _, spelling in pairs]).astype(np.int64)
    firsts = np.cumsum(lengths) - lengths
    ends = np.zeros(len(pairs), dtype=np.int64)  # the node of each spelling's prefix, a symbol longer each time
    edges, n_nodes = [np.zeros(0, dtype=np.int64)], 1
    for length in range(int(lengths.max())):
        longer = np.flatnonzero(lengths > length)
        found, places = np.unique(ends[longer] * n_symbols + spelt[firsts[longer] + length], return_inverse=True)
        ends[longer] = n_nodes + places
        edges.append(found)
        n_nodes += len(found)
    parents, last_symbols = np.divmod(np.concatenate(edges), n_symbols)
    symbols = np.concatenate([[-1], last_symbols]).astype(np.int32)
    by_node = np.argsort(ends, kind="stable")
    root_children = np.full(n_symbols, -1, dtype=np.int32)
    at_root = 1 + np.flatnonzero(parents == 0)
    root_children[symbols[at_root]] = at_root
    return SpellingTrie(
        symbols=symbols,
        children=(1 + np.concatenate([[0], np.cumsum(np.bincount(parents, minlength=n_nodes))])).astype(np.int32),
        word_begins=np.concatenate([[0], np.cumsum(np.bincount(ends, minlength=n_nodes))]).astype(np.int32),
        word_rows=np.array([row for row, _ in pairs], dtype=np.int32)[by_node],
        root_children=root_children,
    )
