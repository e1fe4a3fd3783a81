"""ARPA files written: every n-gram a line, formatted by compiled code."""

import gzip
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seedcorn.compiled import njit
from seedcorn.files import writing_whole
from seedcorn.lm.automaton import NgramArrays
from seedcorn.lm.ngram_model import NgramModel
from seedcorn.lm.scratch import let_go
from seedcorn.lm.vocabulary import WordTable

LOG10_E = math.log10(math.e)
LEAST_LOG10 = -99.0  # what ARPA files write for "never"
_N_DECIMALS = 7
_SCALE = 10**_N_DECIMALS
_BYTES_PER_BLOCK = 1 << 20
_BYTES_PER_NUMBERS = 40  # two numbers, two tabs and the line end
_TAB, _SPACE, _NEWLINE, _MINUS, _POINT, _ZERO = 9, 32, 10, 45, 46, 48


def write_arpa(model: NgramModel, path: Path) -> None:
    """Write ``model`` as an ARPA file, gzip when the name ends in ".gz"; the file appears whole or not at all.

    Logarithms have seven decimals, about what the float32 numbers of a model hold.
    """
    with writing_whole(path) as partial:
        if path.suffix == ".gz":
            # No name and no time in the file: the same model gives the same bytes.
            with partial.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as compressed:
                for block in arpa_blocks(model):
                    compressed.write(block)
        else:
            with partial.open("wb") as stream:
                for block in arpa_blocks(model):
                    stream.write(block)


def arpa_blocks(model: NgramModel) -> Iterator[bytes]:
    """Yield the bytes of ``model`` as an ARPA file, a megabyte at a time."""
    counts = "".join(f"ngram {order}={count}\n" for order, count in enumerate(model.n_ngrams, 1))
    yield f"\\data\\\n{counts}".encode()
    for order in range(1, model.order + 1):
        yield f"\n\\{order}-grams:\n".encode()
        yield from _section_blocks(model, order)
    yield b"\n\\end\\\n"


def _section_blocks(model: NgramModel, order: int) -> Iterator[bytes]:
    table = model.vocabulary.table
    longest_word = int(np.diff(table.ends).max())
    line_bytes = order * (longest_word + 1) + _BYTES_PER_NUMBERS
    block = np.empty(max(_BYTES_PER_BLOCK, line_bytes), dtype=np.uint8)
    node, end = int(model.order_begins[order]), int(model.order_begins[order + 1])
    # The path to the current node: its ancestors move on as the children of the last ones run out.
    path = model.order_begins[: order + 1].copy()
    while node < end:
        node, n_bytes = _format_lines(model.arrays, table, path, node, end, line_bytes, block)
        let_go(*model.arrays)
        yield block[:n_bytes].tobytes()


@njit(cache=True, nogil=True)
def _format_number(value: float, block: NDArray[np.uint8], at: int) -> int:
    """Write ``value`` <= 0 or small with up to seven decimals; return where it ends."""
    scaled = np.int64(np.rint(abs(value) * _SCALE))
    if value < 0 and scaled > 0:
        block[at] = _MINUS
        at += 1
    whole, decimals = scaled // _SCALE, scaled % _SCALE
    n_digits = 1
    while whole >= 10**n_digits:
        n_digits += 1
    for i in range(n_digits):
        block[at + n_digits - 1 - i] = _ZERO + whole % 10
        whole //= 10
    at += n_digits
    if decimals:
        n_decimals = _N_DECIMALS
        while decimals % 10 == 0:
            decimals //= 10
            n_decimals -= 1
        block[at] = _POINT
        for i in range(n_decimals):
            block[at + n_decimals - i] = _ZERO + decimals % 10
            decimals //= 10
        at += 1 + n_decimals
    return at


@njit(cache=True, nogil=True)
def _format_lines(
    arrays: NgramArrays,
    table: WordTable,
    path: NDArray[np.int64],
    node: int,
    end: int,
    line_bytes: int,
    block: NDArray[np.uint8],
) -> tuple[int, int]:
    """Format the lines of nodes from ``node`` on while there is room; return the next node and the bytes used."""
    order, at = len(path) - 1, 0
    while node < end and at + line_bytes <= len(block):
        path[order] = node
        for k in range(order - 1, 0, -1):
            while arrays.children[path[k] + 1] <= path[k + 1]:
                path[k] += 1
        at = _format_number(max(arrays.logps[node] * LOG10_E, LEAST_LOG10), block, at)
        for k in range(1, order + 1):
            word = arrays.words[path[k]]
            block[at] = _TAB if k == 1 else _SPACE
            at += 1
            for i in range(table.ends[word], table.ends[word + 1]):
                block[at] = table.text[i]
                at += 1
        if node < len(arrays.backoffs):
            block[at] = _TAB
            at = _format_number(max(arrays.backoffs[node] * LOG10_E, LEAST_LOG10), block, at + 1)
        block[at] = _NEWLINE
        at += 1
        node += 1
    return node, at
