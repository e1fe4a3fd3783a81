"""Alphabets, spelling tries and the files for other recognisers."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedcorn.errors import DataError
from seedcorn.speech.alphabet import Alphabet, alphabet_of
from seedcorn.speech.export import lexicon_fst_lines, lexicon_lines, write_lexicon_files
from seedcorn.speech.lexicon import Lexicon, build_lexicon, symbol_lexicon
from seedcorn.speech.posteriors import read_symbols
from seedcorn.speech.settings import Unspellable

ALPHABET = Alphabet(("", " ", "a", "b", "c"))


def spelt(lexicon: Lexicon) -> dict[str, set[str]]:
    """Read every spelling back from the trie."""
    trie, found = lexicon.trie, {}
    pending = [(0, "")]
    while pending:
        node, prefix = pending.pop()
        for at in range(trie.word_begins[node], trie.word_begins[node + 1]):
            found.setdefault(lexicon.words[trie.word_rows[at]], set()).add(prefix)
        for child in range(trie.children[node], trie.children[node + 1]):
            pending.append((child, prefix + lexicon.alphabet.symbols[trie.symbols[child]]))
    return found


def test_trie_spells_every_word_and_no_other() -> None:
    lexicon = build_lexicon(["ab", "a", "cab", "ba", "ab"], alphabet=ALPHABET)
    assert lexicon.words == ("a", "ab", "ba", "cab")
    assert spelt(lexicon) == {word: {word} for word in lexicon.words}
    assert [int(lexicon.trie.root_children[s]) for s in (0, 1)] == [-1, -1]


@given(st.sets(st.text("abc", min_size=1, max_size=6), min_size=1, max_size=30))
def test_nodes_are_numbered_by_length_of_their_prefix_and_then_by_prefix(words: set[str]) -> None:
    lexicon = build_lexicon(words, alphabet=ALPHABET)
    assert spelt(lexicon) == {word: {word} for word in words}
    trie, prefixes = lexicon.trie, [""]
    for node in range(len(trie.symbols)):
        for child in range(trie.children[node], trie.children[node + 1]):
            assert child == len(prefixes)
            prefixes.append(prefixes[node] + ALPHABET.symbols[trie.symbols[child]])
    assert prefixes == sorted({word[:n] for word in words for n in range(len(word) + 1)}, key=lambda p: (len(p), p))


def test_words_may_be_spoken_otherwise() -> None:
    lexicon = build_lexicon(["jazz", "a"], alphabet=ALPHABET, spoken_as={"jazz": ["cab", "cb"]})
    assert spelt(lexicon) == {"jazz": {"cab", "cb"}, "a": {"a"}}


def test_words_that_cannot_be_spelt_are_refused_or_left_out() -> None:
    with pytest.raises(DataError, match=r"1 that it cannot \('bad'\); missing characters: d"):
        build_lexicon(["ab", "bad"], alphabet=ALPHABET)
    lexicon = build_lexicon(["ab", "bad"], alphabet=ALPHABET, on_unspellable=Unspellable.LEAVE_OUT)
    assert lexicon.words == ("ab",)
    assert lexicon.left_out == ("bad",)
    with pytest.raises(DataError, match="at least one word"):
        build_lexicon(["xyz"], alphabet=ALPHABET, on_unspellable=Unspellable.LEAVE_OUT)


def test_longest_symbols_spell_first() -> None:
    alphabet = Alphabet(("", "s", "c", "h", "sch"))
    assert alphabet.spelling("schs") == [4, 1]
    assert alphabet.spelling("sx") is None


def test_alphabets_are_checked() -> None:
    with pytest.raises(DataError, match="one blank"):
        Alphabet(("a", "b"))
    with pytest.raises(DataError, match="'a' twice"):
        Alphabet(("", "a", "a"))
    assert alphabet_of([["ab", "a"], ["c"]], min_count=2).symbols == ("", " ", "a")
    assert alphabet_of([["b"]], word_boundary=False).boundary == -1


def test_symbol_lexicon_leaves_special_columns_out() -> None:
    assert symbol_lexicon(Alphabet(("", "a", "<special-2>", "<"))).words == ("<", "a")


def test_lexicon_lines_end_with_the_boundary() -> None:
    lexicon = build_lexicon(["ab", "c"], alphabet=ALPHABET)
    assert list(lexicon_lines(lexicon)) == ["ab\ta b |", "c\tc |"]


def test_fst_accepts_each_word_from_start_to_start() -> None:
    lexicon = build_lexicon(["ab", "b", "ca"], alphabet=ALPHABET)
    *arcs, final = list(lexicon_fst_lines(lexicon))
    assert final == "0"
    ways = {}
    for arc in arcs:
        source, target, symbol, word = arc.split(" ")
        ways.setdefault(source, []).append((target, symbol, word))
    said = []
    for target, symbol, word in ways["0"]:
        spelling, at = symbol, target
        while at != "0":
            [(at, symbol, output)] = ways[at]
            assert output == "<eps>"
            spelling += symbol
        said.append((word, spelling))
    assert sorted(said) == [("ab", "ab|"), ("b", "b|"), ("ca", "ca|")]


def test_files_for_other_recognisers(tmp_path: Path) -> None:
    lexicon = build_lexicon(["ab", "b"], alphabet=ALPHABET)
    assert write_lexicon_files(lexicon, tmp_path) == 4
    assert (tmp_path / "words.txt").read_text("utf-8") == "ab\nb\n"
    assert (tmp_path / "L.output.syms").read_text("utf-8") == "<eps> 0\nab 1\nb 2\n"
    assert (tmp_path / "L.input.syms").read_text("utf-8").splitlines()[:3] == ["<eps> 0", "<blank> 1", "| 2"]
    assert read_symbols(tmp_path / "symbols.txt") == ALPHABET
