"""From Scores to a Selection: how many of the best are kept, and the reason why each other row is not."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedcorn.errors import ConfigError, DataError
from seedcorn.selection import Direction, FloatArray, PositionArray, Scores, Selection


def keep_above(scores: Scores, *, threshold: float) -> Selection:
    """Keep every row that is at least as good as ``threshold``, best first, ties by position."""
    is_kept = _sign(scores) * scores.values >= _sign(scores) * threshold
    n_kept = np.count_nonzero(is_kept if scores.missing is None else is_kept & ~scores.missing)
    kept = scores.best_first(int(n_kept))
    at_fault = "below" if scores.direction is Direction.HIGHER_IS_BETTER else "above"
    return _selection(scores, kept, f"{scores.name} {at_fault} {threshold:.6g}")


def keep_best(scores: Scores, *, n_kept: int) -> Selection:
    """Keep the ``n_kept`` best rows, ties by position; all scored rows when there are fewer."""
    _refuse_negative(n_kept, "rows")
    return _selection(scores, scores.best_first(n_kept), f"not among the {n_kept} best by {scores.name}")


def keep_fraction(scores: Scores, *, fraction: float) -> Selection:
    """Keep the best ``fraction`` of all rows, rounded down; rows without a score count as rows."""
    kept = scores.best_first(n_of_fraction(len(scores), fraction))
    return _selection(scores, kept, f"not in the best {fraction:.6g} of the pool by {scores.name}")


def n_of_fraction(n_rows: int, fraction: float) -> int:
    """Return how many rows a fraction of a pool is. Raises ConfigError outside 0..1."""
    if not 0 <= fraction <= 1:
        raise ConfigError(wanted="a fraction in 0..1", found=str(fraction))
    # The tolerance undoes the binary rounding of decimal fractions: 0.29 of 100 rows are 29.
    return int(n_rows * fraction + 1e-9 * n_rows)


def keep_words(scores: Scores, n_words: NDArray[np.int64], *, n_words_budget: int) -> Selection:
    """Keep the best rows whose words together stay within ``n_words_budget``; the first that does not fit ends it.

    ``n_words`` (n,) are the words of each row.
    """
    _refuse_negative(n_words_budget, "words")
    _refuse_other_length(scores, len(n_words), "word count")
    ranked = scores.best_first()
    n_kept = int(np.searchsorted(np.cumsum(n_words[ranked]), n_words_budget, side="right"))
    return _selection(scores, ranked[:n_kept], f"beyond the budget of {n_words_budget} words")


def words_candidates(scores: Scores, n_words: NDArray[np.int64], *, n_words_budget: int) -> Selection:
    """Keep what ``keep_words`` could keep of any pool that holds these rows, and the row that could end it there.

    For pools read in parts: rows are kept while the words of the better ones are within the budget.
    """
    ranked = scores.best_first()
    words_before = np.cumsum(n_words[ranked]) - n_words[ranked]
    n_kept = int(np.searchsorted(words_before, n_words_budget, side="right"))
    return _selection(scores, ranked[:n_kept], f"beyond the budget of {n_words_budget} words")


def keep_per_intent(scores: Scores, intents: NDArray[np.str_], *, quotas: int | Mapping[str, int]) -> Selection:
    """Keep the best rows of each intent up to its quota (one for all, or each its own; 0 for those not named).

    ``intents`` (n,) names what each row is taken for. Kept rows come best first over all intents.
    """
    _refuse_other_length(scores, len(intents), "intent")
    ranked = scores.best_first()
    names, codes = np.unique(intents[ranked], return_inverse=True)
    of_intent = np.array([quotas if isinstance(quotas, int) else quotas.get(str(name), 0) for name in names], np.int64)
    kept = ranked[_rank_within(codes) < of_intent[codes]]
    return _selection(scores, kept, "beyond the quota of its intent")


def _rank_within(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each entry how many earlier ones have the same code."""
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], codes[order])
    ranks = np.empty(len(codes), np.int64)
    ranks[order] = np.arange(len(codes)) - starts
    return ranks


@dataclass(frozen=True, kw_only=True)
class PrecisionCurve:
    """What each threshold keeps of the labelled examples: arrays of shape (k,), best threshold first.

    ``precision`` assumes that ``relevant_fraction`` of the pool is relevant and that its irrelevant text scores like
    the background. ``recall`` is the share of held-out seed examples kept.
    """

    thresholds: FloatArray
    precision: FloatArray
    recall: FloatArray
    relevant_fraction: float

    def threshold_for(self, precision: float) -> float:
        """Return the threshold that keeps most while the estimated precision is at least ``precision``.

        Raises DataError when no threshold is that precise.
        """
        enough = np.flatnonzero((self.precision >= precision) & (self.recall > 0))
        if len(enough) == 0:
            raise DataError(
                wanted=f"a threshold with a precision of at least {precision:.3g}",
                found=f"{self.precision.max(initial=0.0):.3g} at best in cross-validation",
                fix="Ask for less, or annotate more seed or background examples.",
            )
        return float(self.thresholds[enough[-1]])


def precision_curve(
    held_out: FloatArray,
    relevant: NDArray[np.bool_],
    *,
    relevant_fraction: float | None = None,
    direction: Direction = Direction.HIGHER_IS_BETTER,
) -> PrecisionCurve:
    """Return the precision at every threshold, from scores of labelled examples under models that never saw them.

    ``held_out`` and ``relevant`` (n,) are the cross-validated scores and which of them are of seed examples. The share
    of irrelevant text above a threshold is estimated with half an example more than was seen, so that nothing counts as
    perfectly precise only because the background is small. ``relevant_fraction`` defaults to the seed's share of the
    labelled examples. Raises DataError without examples of both kinds.
    """
    n_relevant, n_other = int(relevant.sum()), int((~relevant).sum())
    if not n_relevant or not n_other:
        raise DataError(
            wanted="seed and background examples to estimate precision from", found=f"{n_relevant} and {n_other}"
        )
    share = relevant_fraction if relevant_fraction is not None else n_relevant / (n_relevant + n_other)
    goodness = held_out if direction is Direction.HIGHER_IS_BETTER else -held_out
    order = np.argsort(-goodness, kind="stable")
    last_of_ties = np.append(np.diff(goodness[order]) != 0, True)
    recall = np.cumsum(relevant[order])[last_of_ties] / n_relevant
    false_share = (np.cumsum(~relevant[order])[last_of_ties] + 0.5) / (n_other + 1)
    return PrecisionCurve(
        thresholds=held_out[order][last_of_ties],
        precision=share * recall / (share * recall + (1 - share) * false_share),
        recall=recall,
        relevant_fraction=share,
    )


def _selection(scores: Scores, kept: PositionArray, reason: str) -> Selection:
    codes = np.zeros(len(scores), np.int16)
    if scores.missing is not None:
        codes[scores.missing] = 1
    codes[kept] = -1
    return Selection(
        positions=kept,
        gains=scores.values[kept],
        reject_codes=codes,
        reject_reasons=(reason, scores.missing_reason),
    )


def _sign(scores: Scores) -> int:
    return 1 if scores.direction is Direction.HIGHER_IS_BETTER else -1


def _refuse_negative(number: int, what: str) -> None:
    if number < 0:
        raise ConfigError(wanted=f"a number of {what} of at least 0", found=str(number))


def _refuse_other_length(scores: Scores, n_found: int, what: str) -> None:
    if n_found != len(scores):
        raise DataError(wanted=f"one {what} for each of {len(scores)} rows", found=str(n_found))
