"""Lexicon, word list and FST text for other recognisers (Kaldi, K2, OpenFst, flashlight)."""

from collections.abc import Iterator
from pathlib import Path

from seedcorn.files import write_text_whole
from seedcorn.speech.alphabet import BLANK, WORD_BOUNDARY, Alphabet
from seedcorn.speech.lexicon import Lexicon

WRITTEN = ("lexicon.txt", "words.txt", "symbols.txt", "L.fst.txt", "L.input.syms", "L.output.syms")
EPSILON, BOUNDARY, BLANK_NAME = "<eps>", "|", "<blank>"


def symbol_name(symbol: str) -> str:
    """Return how ``symbol`` is written in files: the blank as <blank>, the word boundary as |."""
    return {BLANK: BLANK_NAME, WORD_BOUNDARY: BOUNDARY}.get(symbol, symbol)


def symbol_lines(alphabet: Alphabet) -> Iterator[str]:
    """Yield the symbol of each column, one a line: what ``posteriors.read_symbols`` reads."""
    return (symbol_name(symbol) for symbol in alphabet.symbols)


def lexicon_lines(lexicon: Lexicon) -> Iterator[str]:
    """Yield "word<TAB>s y m b o l s |" for each spelling, the word boundary last where there is one."""
    for row, spelling in lexicon.spellings:
        yield f"{lexicon.words[row]}\t{' '.join(_spelt(lexicon, spelling))}"


def word_symbol_lines(lexicon: Lexicon) -> Iterator[str]:
    """Yield the OpenFst symbol table of the words: <eps> is 0, words follow in order."""
    return (f"{word} {number}" for number, word in enumerate((EPSILON, *lexicon.words)))


def spelling_symbol_lines(alphabet: Alphabet) -> Iterator[str]:
    """Yield the OpenFst symbol table of the alphabet: <eps> is 0, column c is c + 1."""
    return (f"{name} {number}" for number, name in enumerate((EPSILON, *map(symbol_name, alphabet.symbols))))


def lexicon_fst_lines(lexicon: Lexicon) -> Iterator[str]:
    """Yield the lexicon as a transducer from symbols to words in OpenFst text (from, to, input, output; final state).

    State 0 begins and ends every word. The word is the output of its first symbol; weights are 0.
    """
    state = 0
    for row, spelling in lexicon.spellings:
        symbols = _spelt(lexicon, spelling)
        source = 0
        for place, symbol in enumerate(symbols):
            target = 0 if place == len(symbols) - 1 else state + 1
            yield f"{source} {target} {symbol} {lexicon.words[row] if place == 0 else EPSILON}"
            source = target
            state = max(state, target)
    yield "0"


def write_lexicon_files(lexicon: Lexicon, folder: Path) -> int:
    """Write the files WRITTEN (lexicon, words, symbols, FST and its symbol tables); return the states of the FST."""
    fst = list(lexicon_fst_lines(lexicon))
    contents = (
        lexicon_lines(lexicon),
        iter(lexicon.words),
        symbol_lines(lexicon.alphabet),
        iter(fst),
        spelling_symbol_lines(lexicon.alphabet),
        word_symbol_lines(lexicon),
    )
    for name, lines in zip(WRITTEN, contents, strict=True):
        write_text_whole(folder / name, "".join(line + "\n" for line in lines))
    return 1 + max(int(line.split(" ")[0]) for line in fst)


def _spelt(lexicon: Lexicon, spelling: tuple[int, ...]) -> list[str]:
    boundary = [BOUNDARY] if lexicon.alphabet.boundary >= 0 else []
    return [symbol_name(lexicon.alphabet.symbols[column]) for column in spelling] + boundary
