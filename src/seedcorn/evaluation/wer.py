"""Word and character error rates: counts that add, alignments to look at, breakdowns, paired comparison.

Corpus level: all errors over all reference words (not the mean of the utterances' rates). An alignment has the fewest
errors; among those, substitutions are preferred to a deletion with an insertion, and errors come as late as possible.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from seedcorn.compiled import njit
from seedcorn.errors import DataError
from seedcorn.evaluation.normaliser import Normaliser
from seedcorn.selection import FloatArray

Token = TypeVar("Token", bound=str)

_N_SHOWN = 5


class EditKind(StrEnum):
    """What became of a word."""

    HIT = "hit"
    SUBSTITUTION = "substitution"
    INSERTION = "insertion"
    DELETION = "deletion"


class Edit(NamedTuple):
    """One column of an alignment; ``reference`` is empty for an insertion, ``hypothesis`` for a deletion."""

    kind: EditKind
    reference: str
    hypothesis: str


@dataclass(frozen=True, kw_only=True)
class ErrorCounts:
    """Additive counts of an alignment; rates are properties."""

    hits: int = 0
    substitutions: int = 0
    insertions: int = 0
    deletions: int = 0

    def __add__(self, other: "ErrorCounts") -> "ErrorCounts":
        return ErrorCounts(
            hits=self.hits + other.hits,
            substitutions=self.substitutions + other.substitutions,
            insertions=self.insertions + other.insertions,
            deletions=self.deletions + other.deletions,
        )

    @property
    def reference_length(self) -> int:
        """How many words the reference has."""
        return self.hits + self.substitutions + self.deletions

    @property
    def errors(self) -> int:
        """Substitutions, insertions and deletions together."""
        return self.substitutions + self.insertions + self.deletions

    @property
    def rate(self) -> float:
        """Errors a reference word. Raises DataError when there is no reference word at all."""
        if self.reference_length == 0:
            raise DataError(wanted="at least one reference word to take a rate of", found="none")
        return self.errors / self.reference_length


@dataclass(frozen=True, kw_only=True)
class ErrorTable:
    """The counts of each utterance, int64 of shape (n, 4): hits, substitutions, insertions, deletions."""

    counts: NDArray[np.int64]
    unit: str
    normaliser: Normaliser
    lang: str = ""

    def total(self, rows: Sequence[int] | NDArray[np.int64] | None = None) -> ErrorCounts:
        """Return the counts of all utterances together, or of those at ``rows``."""
        chosen = self.counts if rows is None else self.counts[np.asarray(rows, dtype=np.int64)]
        hits, substitutions, insertions, deletions = (int(n) for n in chosen.sum(axis=0))
        return ErrorCounts(hits=hits, substitutions=substitutions, insertions=insertions, deletions=deletions)

    def statistics(self) -> FloatArray:
        """Return errors and reference length of each utterance, (n, 2): what a paired bootstrap resamples."""
        errors = self.counts[:, 1:].sum(axis=1)
        return np.stack([errors, self.counts[:, [0, 1, 3]].sum(axis=1)], axis=1).astype(np.float64)

    @property
    def signature(self) -> str:
        """What a reported rate depends on besides the texts."""
        from seedcorn import __version__

        lang = f"|lang:{self.lang}" if self.lang else ""
        return f"unit:{self.unit}|normaliser:{self.normaliser.value}{lang}|n:{len(self.counts)}|seedcorn:{__version__}"


def error_rate(sums: FloatArray) -> FloatArray:
    """Return the error rate of summed statistics (r, 2); for ``evaluation.bootstrap.paired_bootstrap``."""
    return sums[:, 0] / np.maximum(sums[:, 1], 1.0)


def word_errors(
    references: Sequence[str],
    hypotheses: Sequence[str],
    *,
    normaliser: Normaliser = Normaliser.WORDS,
    lang: str = "",
) -> ErrorTable:
    """Return the word errors of each hypothesis; an empty reference is allowed and counts insertions.

    Raises DataError when the two differ in number.
    """
    pairs = _paired_rows(references, hypotheses)
    counts = [_counts(normaliser.words_of(r, lang), normaliser.words_of(h, lang)) for r, h in pairs]
    return ErrorTable(counts=_table(counts), unit="word", normaliser=normaliser, lang=lang)


def character_errors(
    references: Sequence[str],
    hypotheses: Sequence[str],
    *,
    normaliser: Normaliser = Normaliser.WORDS,
    with_spaces: bool = True,
    lang: str = "",
) -> ErrorTable:
    """Return the errors of each hypothesis in characters (code points) of the text as written, case folded.

    White space between words counts as one character unless ``with_spaces`` is off; in scripts without it none does.
    """

    def characters(text: str) -> list[str]:
        counted = normaliser.characters_of(text, lang)
        return list(counted if with_spaces else counted.replace(" ", ""))

    counts = [_counts(characters(r), characters(h)) for r, h in _paired_rows(references, hypotheses)]
    return ErrorTable(counts=_table(counts), unit="character", normaliser=normaliser, lang=lang)


def align(reference: Sequence[str], hypothesis: Sequence[str]) -> list[Edit]:
    """Return the alignment of two word sequences, in order. Cost: product of the lengths."""
    edits = []
    at, to = 0, 0
    for kind in _edit_kinds(*_as_numbers(reference, hypothesis)).tolist():
        said = hypothesis[to] if kind != _DELETION else ""
        meant = reference[at] if kind != _INSERTION else ""
        edits.append(Edit(_KINDS[kind], meant, said))
        at += kind != _INSERTION
        to += kind != _DELETION
    return edits


def shown_alignment(edits: Sequence[Edit]) -> str:
    """Return an alignment as three lines: reference, hypothesis, and S, I or D under each error."""
    marks = {EditKind.HIT: "", EditKind.SUBSTITUTION: "S", EditKind.INSERTION: "I", EditKind.DELETION: "D"}
    columns = [(e.reference or "*", e.hypothesis or "*", marks[e.kind]) for e in edits]
    widths = [max(map(len, column)) for column in columns]
    lines = zip(*[[cell.ljust(width) for cell in c] for c, width in zip(columns, widths, strict=True)], strict=True)
    names = ("REF:", "HYP:", "    ")
    return "\n".join(" ".join((name, *line)).rstrip() for name, line in zip(names, lines, strict=False))


def paired_by_id(
    references: Mapping[str, str], hypotheses: Mapping[str, str], *, missing_is_empty: bool = False
) -> tuple[list[str], list[str], list[str]]:
    """Return ids, references and hypotheses in the order of the references.

    With ``missing_is_empty`` a reference without a hypothesis has an empty one: all its words are deletions. Raises
    DataError when an id is on one side only otherwise: nothing is dropped silently.
    """
    missing = [i for i in references if i not in hypotheses]
    if missing_is_empty:
        hypotheses, missing = {**dict.fromkeys(missing, ""), **hypotheses}, []
    extra = [i for i in hypotheses if i not in references]
    if missing or extra:
        some = ", ".join((missing or extra)[:_N_SHOWN])
        raise DataError(
            wanted="the same utterance ids in references and hypotheses",
            found=f"{len(missing)} without a hypothesis and {len(extra)} without a reference ({some})",
        )
    ids = list(references)
    return ids, [references[i] for i in ids], [hypotheses[i] for i in ids]


_HIT, _SUBSTITUTION, _INSERTION, _DELETION = range(4)
_KINDS = (EditKind.HIT, EditKind.SUBSTITUTION, EditKind.INSERTION, EditKind.DELETION)


def _paired_rows(references: Sequence[str], hypotheses: Sequence[str]) -> list[tuple[str, str]]:
    if len(references) != len(hypotheses):
        raise DataError(wanted="one hypothesis a reference", found=f"{len(hypotheses)} for {len(references)}")
    return list(zip(references, hypotheses, strict=True))


def _table(counts: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.array(counts, dtype=np.int64).reshape(len(counts), 4)


def _as_numbers(reference: Sequence[str], hypothesis: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    number_of: dict[str, int] = {}
    return (
        np.array([number_of.setdefault(token, len(number_of)) for token in reference], dtype=np.int64),
        np.array([number_of.setdefault(token, len(number_of)) for token in hypothesis], dtype=np.int64),
    )


def _counts(reference: Sequence[str], hypothesis: Sequence[str]) -> NDArray[np.int64]:
    return np.bincount(_edit_kinds(*_as_numbers(reference, hypothesis)), minlength=4).astype(np.int64)


@njit(cache=True, nogil=True)
def _edit_kinds(reference: NDArray[np.int64], hypothesis: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the kinds of the edits of the best alignment, in order (Levenshtein distance, unit costs)."""
    n, m = len(reference), len(hypothesis)
    costs = np.empty((n + 1, m + 1), dtype=np.int64)
    for j in range(m + 1):
        costs[0, j] = j
    for i in range(1, n + 1):
        costs[i, 0] = i
        for j in range(1, m + 1):
            diagonal = costs[i - 1, j - 1] + (reference[i - 1] != hypothesis[j - 1])
            costs[i, j] = min(diagonal, costs[i - 1, j] + 1, costs[i, j - 1] + 1)
    kinds = np.empty(n + m, dtype=np.int64)
    at, i, j = n + m, n, m
    while i > 0 or j > 0:
        at -= 1
        if i > 0 and j > 0 and costs[i, j] == costs[i - 1, j - 1] + (reference[i - 1] != hypothesis[j - 1]):
            kinds[at] = _HIT if reference[i - 1] == hypothesis[j - 1] else _SUBSTITUTION
            i, j = i - 1, j - 1
        elif i > 0 and costs[i, j] == costs[i - 1, j] + 1:
            kinds[at] = _DELETION
            i -= 1
        else:
            kinds[at] = _INSERTION
            j -= 1
    return kinds[at:]
