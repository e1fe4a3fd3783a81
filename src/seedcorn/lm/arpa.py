"""ARPA files: the exchange format of n-gram models, read and written as a stream, plain or gzip.

Base 10 logarithms live only here. A file starts with the number of n-grams of each order (``\\data\\``), then has one
section an order: log10 probability, the words, and the log10 back-off weight where the n-gram is also a context.
"""

import math
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seedcorn.compiled import borrowed, njit
from seedcorn.errors import DataError, at
from seedcorn.lm.arpa_lines import FINE, PROBLEMS, LineStream, parse_lines
from seedcorn.lm.automaton import NgramArrays, advance
from seedcorn.lm.ngram_model import MAX_ORDER, NgramModel
from seedcorn.lm.text_buffers import looks_like_arpa, open_bytes
from seedcorn.lm.trie import ROOT, trie_of_rows
from seedcorn.lm.vocabulary import BEGIN, END, SPECIAL_WORDS, UNKNOWN, Vocabulary, WordTable, find_word

LN10 = math.log(10.0)
_LEAST_BYTES_PER_NGRAM, _MOST_COMPRESSION = 4, 1_100
_OTHER_UNKNOWN = "<UNK>"
_OTHER_UNKNOWN_WORD = re.compile(rb"(?<=[ \t])<UNK>(?=[ \t\r\n])")
_OTHER_UNKNOWN_BYTES = np.frombuffer(_OTHER_UNKNOWN.encode(), np.uint8)
_MOST_HEADER_LINES = 200
_OTHER_ARPA = ("iARPA", "qARPA")  # IRSTLM's own: other numbers in nearly the same form
NO_UNKNOWN_LOG10 = -100.0  # what a file without <unk> gives to unknown words, as KenLM does


class _Section(NamedTuple):
    """The n-grams of one order in the order of the file; ``words`` is (n, order)."""

    words: NDArray[np.int32]
    log10_probabilities: NDArray[np.float64]
    log10_backoffs: NDArray[np.float64]
    first_line: int


def read_arpa(path: Path | str) -> NgramModel:
    """Read the model in the ARPA file ``path``, plain or gzip.

    Contexts that the file leaves out are added with the probability that backing off gives. A file without ``<unk>``
    gives unknown words 10^-100; ``<UNK>`` is the same word where it stands alone. Words are brought into NFC, unless
    two of them are one in it: then all are as they were written, each with its own probability. Raises DataError with
    the line where something is wrong.
    """
    try:
        return _read_arpa(Path(path), as_written=False)
    except _DoubledWordError:
        return _read_arpa(Path(path), as_written=True)


class _DoubledWordError(DataError):
    """A word that is among the 1-grams twice."""


def _read_arpa(path: Path, *, as_written: bool) -> NgramModel:
    with open_bytes(path) as stream:
        lines = LineStream(stream, path, as_written=as_written)
        n_ngrams = _read_counts(lines)
        _refuse_more_than_fit(n_ngrams, path)
        vocabulary, unigrams = _read_unigrams(lines, n_ngrams[0])
        sections = [unigrams]
        for order, n_rows in enumerate(n_ngrams[1:], 2):
            sections.append(_read_section(lines, order, n_rows, vocabulary.table))
        if lines.next_line() != "\\end\\":
            raise DataError(wanted="\\end\\ after the last n-gram", found=_shown(lines), where=lines.where())
    return _model_of(vocabulary, sections, path)


def _refuse_more_than_fit(n_ngrams: list[int], path: Path) -> None:
    """Raise DataError for counts that a file of this size cannot hold, before memory is asked for them."""
    n_most = path.stat().st_size * _MOST_COMPRESSION // _LEAST_BYTES_PER_NGRAM
    if sum(n_ngrams) > n_most:
        raise DataError(
            wanted="as many n-grams as \\data\\ says", found=f"a file too short for {max(n_ngrams):,}", where=path
        )


def _shown(lines: LineStream) -> str:
    line = lines.next_line()
    return f"'{line[:60]}'" if line else "the end of the file"


def _skip_header(lines: LineStream) -> None:
    """Use up the lines up to \\data\\: some tools write a licence before it. Raises DataError without such a line."""
    wanted = "an ARPA language model, which starts with \\data\\"
    found, where, fix = _shown(lines), lines.where(), "Text becomes a model by `seedcorn lm estimate`."
    for _ in range(_MOST_HEADER_LINES):
        line = lines.next_line()
        if looks_like_arpa(line.encode("utf-8")):
            lines.skip_line()
            return
        if line.startswith(_OTHER_ARPA):
            fix = "Make ARPA of it with the tool that wrote it: compile-lm --text=yes."
        if not line or line.startswith(_OTHER_ARPA):
            break
        lines.skip_line()
    raise DataError(wanted=wanted, found=found, where=where, fix=fix)


def _read_counts(lines: LineStream) -> list[int]:
    _skip_header(lines)
    n_ngrams: list[int] = []
    while lines.next_line().startswith("ngram "):
        order, _, count = lines.next_line().removeprefix("ngram ").replace(" ", "").partition("=")
        if not (count.isdecimal() and order == str(len(n_ngrams) + 1)):
            raise DataError(wanted=f"ngram {len(n_ngrams) + 1}=N", found=_shown(lines), where=lines.where())
        n_ngrams.append(int(count))
        lines.skip_line()
    if not 1 <= len(n_ngrams) <= MAX_ORDER:
        raise DataError(wanted=f"the counts of 1 to {MAX_ORDER} orders", found=f"{len(n_ngrams)}", where=lines.where())
    return n_ngrams


def _read_unigrams(lines: LineStream, n_rows: int) -> tuple[Vocabulary, _Section]:
    _read_heading(lines, 1)
    first_line, row = lines.line, 0
    section = _empty_section(1, n_rows, first_line)
    spans, no_table = np.empty((n_rows, 2), dtype=np.int64), Vocabulary.from_words([]).table
    words: list[str] = []
    while row < n_rows:
        block = lines.block()
        before = row
        row, n_bytes, problem = _parse(block, no_table, spans, section, row)
        words += [block[a:b].decode("utf-8", "replace") for a, b in spans[before:row].tolist()]
        _advance_or_fail(lines, block, n_bytes, problem, 1, row, n_rows)
    if _OTHER_UNKNOWN in words and UNKNOWN not in words:
        words[words.index(_OTHER_UNKNOWN)] = UNKNOWN
    for word in (BEGIN, END):
        if word not in words:
            raise DataError(wanted=f"{word} among the 1-grams", found="none", where=at(lines.path, first_line))
    if UNKNOWN not in words:
        words.append(UNKNOWN)
        missing = _Section(np.zeros((1, 1), np.int32), np.array([NO_UNKNOWN_LOG10]), np.zeros(1), 0)
        section = _joined(section, missing)
    vocabulary = Vocabulary.from_words(words)
    section.words[:, 0] = _ids_of(words, first_line, lines.path)
    return vocabulary, section


def _ids_of(words: list[str], first_line: int, path: Path) -> list[int]:
    ids = {word: number for number, word in enumerate(dict.fromkeys((*SPECIAL_WORDS, *words)))}
    if len(ids) < len(words):
        seen: set[str] = set()
        for row, word in enumerate(words):
            if word in seen:
                where = at(path, first_line + row)
                raise _DoubledWordError(wanted="each 1-gram once", found=f"'{word}' again", where=where)
            seen.add(word)
    return [ids[word] for word in words]


def _read_section(lines: LineStream, order: int, n_rows: int, table: WordTable) -> _Section:
    _read_heading(lines, order)
    section, row = _empty_section(order, n_rows, lines.line), 0
    no_spans = np.empty((0, 2), dtype=np.int64)
    while row < n_rows:
        block = lines.block()
        row, n_bytes, problem = _parse(block, table, no_spans, section, row)
        _advance_or_fail(lines, block, n_bytes, problem, order, row, n_rows)
    return section


def _read_heading(lines: LineStream, order: int) -> None:
    if lines.next_line() != f"\\{order}-grams:":
        raise DataError(wanted=f"\\{order}-grams:", found=_shown(lines), where=lines.where())
    lines.skip_line()


def _empty_section(order: int, n_rows: int, first_line: int) -> _Section:
    return _Section(np.zeros((n_rows, order), np.int32), np.empty(n_rows), np.empty(n_rows), first_line)


def _joined(section: _Section, more: _Section) -> _Section:
    return _Section(
        np.concatenate([section.words, more.words]),
        np.concatenate([section.log10_probabilities, more.log10_probabilities]),
        np.concatenate([section.log10_backoffs, more.log10_backoffs]),
        section.first_line,
    )


def _parse(
    block: bytes, table: WordTable, spans: NDArray[np.int64], section: _Section, row: int
) -> tuple[int, int, int]:
    if section.words.shape[1] > 1 and find_word(table, _OTHER_UNKNOWN_BYTES, 0, len(_OTHER_UNKNOWN)) < 0:
        block = _OTHER_UNKNOWN_WORD.sub(UNKNOWN.encode(), block)
    text = np.frombuffer(block, dtype=np.uint8)
    return parse_lines(text, table, spans, section.words, section.log10_probabilities, section.log10_backoffs, row)


def _advance_or_fail(
    lines: LineStream, block: bytes, n_bytes: int, problem: int, order: int, row: int, n_rows: int
) -> None:
    lines.used(block, n_bytes)
    if problem != FINE:
        wanted, found = PROBLEMS[problem]
        raise DataError(wanted=wanted, found=f"{found}: {_shown(lines)}", where=lines.where())
    if row < n_rows and n_bytes < len(block) or not block:
        raise DataError(wanted=f"{n_rows:,} {order}-grams, as \\data\\ says", found=f"{row:,}", where=lines.where())


def _model_of(vocabulary: Vocabulary, sections: list[_Section], path: Path) -> NgramModel:
    trie, nodes = trie_of_rows(len(vocabulary), [section.words for section in sections[1:]])
    nodes = [1 + sections[0].words[:, 0].astype(np.int64), *nodes]
    n_inner = int(trie.order_begins[-2])
    logps, backoffs = np.full(len(trie.words), np.nan), np.zeros(n_inner)
    logps[ROOT] = 0.0
    for section, of_section in zip(sections, nodes, strict=True):
        _refuse_repeated(of_section, section, path)
        logps[of_section] = section.log10_probabilities * LN10
        if section is not sections[-1]:
            backoffs[of_section] = section.log10_backoffs * LN10
    arrays = NgramArrays(
        trie.words, trie.children, trie.suffixes, logps.astype(np.float32), backoffs.astype(np.float32)
    )
    _fill_missing(arrays)
    return NgramModel(vocabulary=vocabulary, arrays=arrays, order_begins=trie.order_begins)


def _refuse_repeated(nodes: NDArray[np.int64], section: _Section, path: Path) -> None:
    first_rows = np.unique(nodes, return_index=True)[1] if len(nodes) else nodes
    if len(first_rows) < len(nodes):
        row = int(np.setdiff1d(np.arange(len(nodes)), first_rows)[0])
        raise DataError(wanted="each n-gram once", found="the same again", where=at(path, section.first_line + row))


@njit(cache=True, nogil=True)
def _fill_missing(arrays: NgramArrays) -> None:
    """Give contexts that were added the probability that backing off gives."""
    arrays = borrowed(arrays)
    for parent in range(len(arrays.backoffs)):
        for node in range(arrays.children[parent], arrays.children[parent + 1]):
            if np.isnan(arrays.logps[node]):
                backed_off, _ = advance(arrays, arrays.suffixes[parent], arrays.words[node])
                arrays.logps[node] = arrays.backoffs[parent] + backed_off
