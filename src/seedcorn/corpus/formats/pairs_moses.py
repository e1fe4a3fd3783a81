"""Moses pairs: two text files whose lines correspond. Files of unequal length are refused, never cut."""

from collections.abc import Iterator
from pathlib import Path

from seedcorn.corpus.formats.bad_rows import SKIP, BadRows
from seedcorn.corpus.formats.lines import line_blocks
from seedcorn.corpus.formats.pairs_rows import NumberedPair, PairChunk, chunks_of
from seedcorn.errors import DataError


def read_moses(path: Path, bad_rows: BadRows, *, target: Path) -> Iterator[PairChunk]:
    """Yield the pairs of lines of ``path`` and ``target``; raises DataError, with both counts, when they differ."""
    n_source, n_target = count_lines(path), count_lines(target)
    if n_source != n_target:
        raise DataError(
            wanted="two files of the same number of lines",
            found=f"{n_source:,} lines, and {n_target:,} in {target}",
            where=path,
            fix="Line i of one must translate line i of the other; keep blank lines on both sides.",
        )
    yield from chunks_of(_pairs(_numbered_lines(path, bad_rows), _numbered_lines(target, bad_rows)))


def count_lines(path: Path) -> int:
    """Return the number of lines of ``path``, those that are not UTF-8 included."""
    skipped = BadRows(SKIP)
    return sum(len(block.numbers) for block in line_blocks(path, skipped)) + skipped.n_skipped


def _pairs(sources: Iterator[tuple[int, str]], targets: Iterator[tuple[int, str]]) -> Iterator[NumberedPair]:
    """Yield the lines that both sides have; a line reported as bad is missing on its side."""
    source, target = next(sources, None), next(targets, None)
    while source is not None and target is not None:
        if source[0] == target[0]:
            yield NumberedPair(source[0], {"source": source[1], "target": target[1]})
            source, target = next(sources, None), next(targets, None)
        elif source[0] < target[0]:
            source = next(sources, None)
        else:
            target = next(targets, None)


def _numbered_lines(path: Path, bad_rows: BadRows) -> Iterator[tuple[int, str]]:
    for block in line_blocks(path, bad_rows):
        yield from block
