"""What the optimisers need to know of a submodular objective, and what they give back."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from seedcorn.errors import ConfigError, DataError
from seedcorn.selection import FloatArray, PositionArray

KEY_BITS = 40
"""Gains are compared as multiples of 2^-40 of the largest first gain, so that rounding never breaks a tie."""


class Objective(Protocol):
    """A monotone submodular set function over the rows of a pool, and the set chosen so far."""

    @property
    def n_rows(self) -> int:
        """Rows that can be chosen."""

    def gains(self, rows: PositionArray) -> FloatArray:
        """Return what each of ``rows`` alone would add to the set now, shape (n,); never more than it was before."""

    def add(self, row: int) -> None:
        """Put ``row`` into the set."""


@dataclass(frozen=True)
class Picks:
    """Rows in the order in which they were chosen, with the gain of each, and its round where each is not one alone."""

    positions: PositionArray
    gains: FloatArray
    rounds: PositionArray | None = None


@dataclass(frozen=True)
class Budget:
    """How much may be chosen: ``total`` in the unit of ``costs`` (int64, one a row, at least 1).

    Raises ConfigError for a budget below one, or above the cost of all rows together; DataError for an empty pool.
    """

    total: int
    costs: PositionArray

    def __post_init__(self) -> None:
        if not len(self.costs):
            raise DataError(wanted="a pool with at least one utterance", found="an empty pool")
        if self.costs.min() < 1:
            raise DataError(wanted="a cost of at least 1 a row", found=f"{self.costs.min()}")
        if not 1 <= self.total <= self.costs.sum():
            raise ConfigError(
                wanted=f"a budget from 1 to {self.costs.sum():,}, what the whole pool costs", found=f"{self.total:,}"
            )

    @staticmethod
    def utterances(n_utterances: int, *, n_rows: int) -> "Budget":
        """Return a budget of ``n_utterances`` out of ``n_rows``."""
        return Budget(n_utterances, np.ones(n_rows, np.int64))

    @staticmethod
    def words(n_words: int, *, words_of_rows: PositionArray) -> "Budget":
        """Return a budget of ``n_words``; a row without words costs one."""
        return Budget(n_words, np.maximum(words_of_rows, 1))

    @property
    def n_rows(self) -> int:
        """Rows of the pool."""
        return len(self.costs)

    @property
    def n_picks_at_most(self) -> int:
        """The most rows that the budget can pay for."""
        return int(np.searchsorted(np.cumsum(np.sort(self.costs)), self.total, side="right"))


def key_scale(first_gains: FloatArray) -> float:
    """Return the power of two that turns gains into integer keys of at most KEY_BITS + 1 bits."""
    largest = float(first_gains.max(initial=0.0))
    return float(2.0 ** (KEY_BITS - np.frexp(largest)[1])) if largest > 0 else 1.0


def affordable(order: PositionArray, costs: PositionArray, total: int) -> PositionArray:
    """Return the rows of ``order`` that ``total`` pays for, in order, passing over each that no longer fits."""
    spent = np.cumsum(costs[order])
    n_sure = int(np.searchsorted(spent, total, side="right"))
    chosen = order[:n_sure].tolist()
    left = total - (int(spent[n_sure - 1]) if n_sure else 0)
    rest = order[n_sure:]
    cheapest_after = np.minimum.accumulate(costs[rest][::-1])[::-1]
    for row, cheapest in zip(rest.tolist(), cheapest_after.tolist(), strict=True):
        if cheapest > left:
            break
        if costs[row] <= left:
            chosen.append(row)
            left -= int(costs[row])
    return np.array(chosen, np.int64)
