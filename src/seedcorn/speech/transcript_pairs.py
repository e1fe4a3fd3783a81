"""References and hypotheses of two files beside each other: by id, or line by line where there are none."""

import warnings
from pathlib import Path
from typing import NamedTuple

from seedcorn.errors import DataError, SeedcornWarning
from seedcorn.evaluation.wer import paired_by_id, word_errors
from seedcorn.speech.settings import TranscriptFormat
from seedcorn.speech.transcripts import alternatives_of, format_of, have_no_ids, read_transcripts


class TranscriptPairs(NamedTuple):
    """What was meant and what was recognised, beside the ids, in the order of the references."""

    ids: list[str]
    meant: list[str]
    said: list[str]


def paired_transcripts(
    references: Path,
    hypotheses: Path,
    *,
    format: TranscriptFormat | None = None,
    missing_is_empty: bool = False,
) -> TranscriptPairs:
    """Return the transcripts of two files in pairs; of alternatives in .trn references, those nearest to what was said.

    Files of lines without ids are paired line by line, with a SeedcornWarning unless ``format`` says so. Raises
    DataError for other numbers of lines then, and as ``have_no_ids`` and ``paired_by_id`` do.
    """
    if format is None and have_no_ids(references, hypotheses):
        message = f"{references}, {hypotheses}: no utterance ids, paired line by line"
        warnings.warn(message, SeedcornWarning, stacklevel=2)
        format = TranscriptFormat.LINES
    meant = read_transcripts(references, format=format)
    said = read_transcripts(hypotheses, format=format, are_hypotheses=True)
    if format is TranscriptFormat.LINES and not missing_is_empty and len(meant) != len(said):
        raise DataError(
            wanted=f"a line for each of the {len(meant):,} references", found=f"{len(said):,}", where=hypotheses
        )
    pairs = TranscriptPairs(*paired_by_id(meant, said, missing_is_empty=missing_is_empty))
    if (format or format_of(references)) is not TranscriptFormat.TRN:
        return pairs
    return pairs._replace(meant=[_nearest(r, h) for r, h in zip(pairs.meant, pairs.said, strict=True)])


def _nearest(reference: str, hypothesis: str) -> str:
    readings = alternatives_of(reference)
    if len(readings) == 1:
        return readings[0]
    errors = word_errors(readings, [hypothesis] * len(readings)).counts[:, 1:].sum(axis=1)
    return readings[int(errors.argmin())]
