"""What to do with a row that cannot be read: stop, or skip it into a rejects file and count it."""

import json
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from seedcorn.corpus.columns import ColumnChoice
from seedcorn.corpus.names import OnError
from seedcorn.errors import DataError, SeedcornWarning
from seedcorn.files import writing_whole

STOP, SKIP = OnError.STOP, OnError.SKIP


@dataclass
class BadRows:
    """One pass over a file: what was asked for, its bad rows, and what had no place.

    ``rejects`` receives each bad row as a JSON line with its place and its reason. Columns that were chosen may be
    absent from some records: ``chosen_and_found`` and ``chosen_and_lacking`` are those that one had, that one lacked.
    """

    on_error: OnError = STOP
    rejects: TextIO | None = None
    columns: ColumnChoice = ColumnChoice()
    left_out: Counter[str] = field(default_factory=Counter, init=False)
    chosen_and_found: set[str] = field(default_factory=set, init=False)
    chosen_and_lacking: set[str] = field(default_factory=set, init=False)
    n_skipped: int = field(default=0, init=False)
    first_message: str = field(default="", init=False)

    def report(self, problem: DataError, row: str, *, where: str = "") -> None:
        """Raise ``problem`` with its place, or count the row and write it down when bad rows are skipped."""
        error = DataError(wanted=problem.wanted, found=problem.found, where=where or problem.where, fix=problem.fix)
        if self.on_error is STOP:
            raise error from problem.__cause__
        self.n_skipped += 1
        self.first_message = self.first_message or str(error)
        if self.rejects is not None:
            entry = {"where": error.where, "wanted": error.wanted, "found": error.found, "row": row}
            self.rejects.write(json.dumps(entry, ensure_ascii=False) + "\n")

    def leave_out(self, what: str, n: int = 1) -> None:
        """Count something that a Corpus has no place for, to be said when the pass ends."""
        self.left_out[what] += n


@contextmanager
def handling_bad_rows(
    on_error: OnError, rejects: Path | str | None, *, columns: ColumnChoice = ColumnChoice(), where: Path | None = None
) -> Iterator[BadRows]:
    """Yield the BadRows of one pass; the rejects file appears whole when the pass ends well.

    Warns with SeedcornWarning when rows were skipped: how many, the first of them, and where they are; and when
    something of the file was left out. Raises DataError when no record had a column that was chosen.
    """
    if on_error is STOP or rejects is None:
        bad_rows = BadRows(on_error, columns=columns)
        yield bad_rows
    else:
        # Half of a surrogate pair, which UTF-8 cannot hold, is written as its JSON escape.
        with (
            writing_whole(Path(rejects)) as partial,
            partial.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as stream,
        ):
            bad_rows = BadRows(on_error, stream, columns)
            yield bad_rows
    for name in sorted(bad_rows.chosen_and_lacking - bad_rows.chosen_and_found):
        raise DataError(wanted=f"'{name}', the column that was named, in some record", found="none", where=where or "")
    if bad_rows.n_skipped:
        place = f", all written to {rejects}" if rejects else ""
        message = f"{bad_rows.n_skipped:,} bad rows skipped{place}; the first: {bad_rows.first_message}"
        warnings.warn(message, SeedcornWarning, stacklevel=2)
    if bad_rows.left_out:
        counts = ", ".join(f"{n:,} {what}" for what, n in sorted(bad_rows.left_out.items()))
        warnings.warn(f"{where or 'input'}: left out {counts}", SeedcornWarning, stacklevel=2)
