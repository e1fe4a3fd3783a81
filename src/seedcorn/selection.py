"""Scores and Selection: what one stage says of a pool and what the next one keeps of it."""

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from seedcorn.array_files import checked, read_arrays
from seedcorn.errors import DataError

FloatArray: TypeAlias = NDArray[np.float64]
PositionArray: TypeAlias = NDArray[np.int64]


class Direction(StrEnum):
    """Which end of a score is the good one."""

    HIGHER_IS_BETTER = "higher_is_better"
    LOWER_IS_BETTER = "lower_is_better"


@dataclass(frozen=True, kw_only=True)
class Scores:
    """One number for each row of a pool, with its meaning.

    ``values`` is float64 of shape (n,), finite or infinite but never NaN; rows where ``missing`` is True have no
    score, for the ``missing_reason``, and their value is 0. Raises DataError on NaN or on shapes that differ.
    """

    values: FloatArray
    name: str
    direction: Direction = Direction.HIGHER_IS_BETTER
    unit: str = ""
    missing: NDArray[np.bool_] | None = None
    missing_reason: str = "nothing in it to score"

    def __post_init__(self) -> None:
        if self.values.ndim != 1:
            raise DataError(wanted=f"one {self.name} score a row", found=f"an array of shape {self.values.shape}")
        if np.isnan(self.values).any():
            row = int(np.flatnonzero(np.isnan(self.values))[0])
            raise DataError(wanted=f"a number as {self.name} score", found=f"NaN in row {row}")
        if self.missing is not None and self.missing.shape != self.values.shape:
            raise DataError(wanted="one missing flag a score", found=f"{len(self.missing)} for {len(self.values)}")

    def __len__(self) -> int:
        return len(self.values)

    def best_first(self, n_best: int | None = None) -> PositionArray:
        """Return the positions of the scored rows, best score first, ties by position: of all, or of the best alone."""
        keys = -self.values if self.direction is Direction.HIGHER_IS_BETTER else self.values
        rows = np.arange(len(keys)) if self.missing is None else np.flatnonzero(~self.missing)
        keys = keys[rows]
        if n_best is not None and 0 < n_best < len(rows):  # few are put in order, all of them only looked through
            among_best = keys <= np.partition(keys, n_best - 1)[n_best - 1]
            rows, keys = rows[among_best], keys[among_best]
        return rows[np.argsort(keys, kind="stable")[:n_best]]


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which rows of a pool are kept, in rank order, and why each other row is rejected.

    ``positions`` are 0-based rows of the pool as read, each at most once; ``gains`` (k,) is the score or gain that
    earned each its place. ``reject_codes`` (n,) is -1 for a kept row, else an index into ``reject_reasons``.
    Raises DataError when a position repeats, lies outside the pool, or disagrees with ``reject_codes``.
    """

    positions: PositionArray
    gains: FloatArray
    reject_codes: NDArray[np.int16]
    reject_reasons: tuple[str, ...]

    def __post_init__(self) -> None:
        n_rows = len(self.reject_codes)
        if len(self.positions) != len(self.gains):
            raise DataError(wanted="one gain a kept row", found=f"{len(self.gains)} for {len(self.positions)}")
        if len(self.positions) and not 0 <= self.positions.min() <= self.positions.max() < n_rows:
            raise DataError(wanted=f"positions in 0..{n_rows - 1}", found=f"{self.positions.max()}")
        kept = np.flatnonzero(self.reject_codes < 0)
        if not np.array_equal(np.sort(self.positions), kept):
            raise DataError(wanted="every row either kept once or rejected with a reason", found="rows that are not")
        if self.reject_codes.size and self.reject_codes.max(initial=-1) >= len(self.reject_reasons):
            raise DataError(wanted="a reason for each reject code", found=f"code {self.reject_codes.max()}")

    @property
    def n_rows(self) -> int:
        """Rows of the pool that was selected from."""
        return len(self.reject_codes)

    def reason(self, position: int) -> str | None:
        """Return why the row was rejected, or None when it was kept."""
        code = int(self.reject_codes[position])
        return None if code < 0 else self.reject_reasons[code]

    def first(self, n_kept: int, *, reason: str) -> "Selection":
        """Return the selection cut to its ``n_kept`` best rows, the others rejected for ``reason``."""
        codes = self.reject_codes.copy()
        codes[self.positions[n_kept:]] = len(self.reject_reasons)
        return Selection(
            positions=self.positions[:n_kept],
            gains=self.gains[:n_kept],
            reject_codes=codes,
            reject_reasons=(*self.reject_reasons, reason),
        )


def keep(
    positions: PositionArray, gains: FloatArray, *, n_rows: int, reason: str, candidates: PositionArray | None = None
) -> Selection:
    """Return the Selection of ``positions``; all other rows are rejected for ``reason``.

    With ``candidates`` given, rows outside them are rejected as "not a candidate" instead.
    """
    codes = np.zeros(n_rows, dtype=np.int16)
    if candidates is not None:
        codes[:] = 1
        codes[candidates] = 0
    codes[positions] = -1
    reasons = (reason,) if candidates is None else (reason, "not a candidate")
    return Selection(
        positions=positions.astype(np.int64),
        gains=gains.astype(np.float64),
        reject_codes=codes,
        reject_reasons=reasons,
    )


def write_scores(scores: Scores, path: Path) -> None:
    """Write ``scores`` as .npz: the values, which are missing, and what they mean."""
    missing = np.zeros(len(scores), np.bool_) if scores.missing is None else scores.missing
    meaning = {
        "name": scores.name,
        "direction": scores.direction,
        "unit": scores.unit,
        "missing_reason": scores.missing_reason,
    }
    description = np.frombuffer(json.dumps(meaning).encode(), np.uint8)
    np.savez_compressed(path, values=scores.values, missing=missing, description=description, allow_pickle=False)


def read_scores(path: Path) -> Scores:
    """Return the scores that ``write_scores`` wrote. Raises DataError when it is something else."""
    arrays = read_arrays(path, wanted="scores")
    try:
        meaning = TypeAdapter(dict[str, str]).validate_json(arrays["description"].tobytes())
        direction = Direction(meaning.pop("direction"))
        missing = checked(arrays, "missing", np.bool_, shape=(None,))
        values = checked(arrays, "values", np.float64, shape=missing.shape)
        return Scores(values=values, missing=missing, direction=direction, **meaning)
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(wanted="scores", found=f"something else ({error})", where=path) from error
