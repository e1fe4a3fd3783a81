"""Did anything get worse? Paired tests of two models, each intent and each slot type for itself.

An utterance concerns an intent when it is of it, or when either model takes it for it; it is right when the model says
so exactly if it is so. A slot type likewise. So every intent and type has right and wrong utterances before and after,
of which only those that changed count: McNemar's exact test for a difference, corrected for the number of tests (Holm
1979), and an interval of the difference (Agresti and Min 2005) that must lie above minus a margin: "not worse" is
something to be shown, not the absence of a significant loss.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from seedcorn.corpus.predictions import Prediction
from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import DataError
from seedcorn.evaluation.nlu import f1
from seedcorn.selection import FloatArray

BoolArray = NDArray[np.bool_]


class Kind(StrEnum):
    """What a row of the certificate is about."""

    INTENT = "intent"
    SLOT_TYPE = "slot type"


class Verdict(StrEnum):
    """What the test says of an intent or slot type."""

    BETTER = "better"  # the difference is above zero with confidence
    WORSE = "worse"  # below zero with confidence, and not shown to be within the margin
    NOT_WORSE = "not worse"  # above minus the margin with confidence
    UNDECIDED = "undecided"  # too few utterances, or too many changed, to say


@dataclass(frozen=True, kw_only=True)
class _Counted:
    kind: Kind
    name: str
    n_utterances: int
    n_mended: int
    n_broken: int
    f1_before: float
    f1_after: float


@dataclass(frozen=True, kw_only=True)
class Comparison(_Counted):
    """One intent or slot type before and after; all rates are fractions.

    ``difference`` is that of the share of the ``n_utterances`` concerned that are right; ``low`` and ``high`` its 90 %
    interval, so that ``low`` is a 95 % bound; ``p_holm`` the two-sided p-value corrected for all rows of its kind.
    """

    difference: float
    low: float
    high: float
    p_value: float
    p_holm: float
    verdict: Verdict


def compare_models(
    references: Sequence[Utterance],
    before: Sequence[Prediction],
    after: Sequence[Prediction],
    *,
    intents: Sequence[str],
    margin: float = 0.05,
) -> list[Comparison]:
    """Return a comparison of each of ``intents``, then of each slot type that ``references`` have, sorted.

    Raises DataError when the three differ in length, or there is nothing to compare on.
    """
    if not len(references) == len(before) == len(after):
        raise DataError(
            wanted="one prediction of each model an utterance",
            found=f"{len(before)} and {len(after)} for {len(references)} utterances",
        )
    if not references:
        raise DataError(wanted="annotated utterances to compare the models on", found="none")
    types = sorted({slot.type for u in references for slot in u.slots})
    of_intents = [_counted(_is(name), Kind.INTENT, name, references, before, after) for name in intents]
    of_types = [_counted(_spans(name), Kind.SLOT_TYPE, name, references, before, after) for name in types]
    return [*_judged(of_intents, margin), *_judged(of_types, margin)]


Look = Callable[[Utterance | Prediction], frozenset[tuple[int, int]]]
WHOLE = frozenset({(-1, -1)})


def _is(intent: str) -> Look:
    return lambda seen: WHOLE if seen.intent == intent else frozenset()


def _spans(slot_type: str) -> Look:
    return lambda seen: frozenset((s.start, s.end) for s in seen.slots if s.type == slot_type)


def _counted(
    look: Look,
    kind: Kind,
    name: str,
    references: Sequence[Utterance],
    before: Sequence[Prediction],
    after: Sequence[Prediction],
) -> _Counted:
    rows = [(look(r), look(b), look(a)) for r, b, a in zip(references, before, after, strict=True)]
    rows = [row for row in rows if any(row)]
    return _Counted(
        kind=kind,
        name=name,
        n_utterances=len(rows),
        n_mended=sum(b != r == a for r, b, a in rows),
        n_broken=sum(b == r != a for r, b, a in rows),
        f1_before=_f1([(r, b) for r, b, _ in rows]),
        f1_after=_f1([(r, a) for r, _, a in rows]),
    )


def _f1(pairs: Sequence[tuple[frozenset[tuple[int, int]], frozenset[tuple[int, int]]]]) -> float:
    return f1(
        sum(len(wanted & found) for wanted, found in pairs),
        n_found=sum(len(found) for _, found in pairs),
        n_wanted=sum(len(wanted) for wanted, _ in pairs),
    )


def _judged(counted: Sequence[_Counted], margin: float) -> list[Comparison]:
    p_values = [mcnemar_exact(c.n_mended, c.n_broken) for c in counted]
    judged = []
    for c, p_value, p_holm in zip(counted, p_values, holm(p_values), strict=True):
        low, high = paired_difference_interval(c.n_mended, c.n_broken, c.n_utterances)
        difference = (c.n_mended - c.n_broken) / c.n_utterances if c.n_utterances else 0.0
        judged.append(
            Comparison(
                **c.__dict__,
                difference=difference,
                low=low,
                high=high,
                p_value=p_value,
                p_holm=p_holm,
                verdict=_verdict(difference, low, p_holm, margin),
            )
        )
    return judged


def _verdict(difference: float, low: float, p_holm: float, margin: float) -> Verdict:
    significant = p_holm < 0.05
    if significant and difference > 0:
        return Verdict.BETTER
    if low >= -margin:
        return Verdict.NOT_WORSE
    return Verdict.WORSE if significant else Verdict.UNDECIDED


def mcnemar_exact(n_mended: int, n_broken: int) -> float:
    """Return the two-sided p-value of the hypothesis that as many are mended as broken (McNemar 1947, exact)."""
    from scipy import stats

    n_changed = n_mended + n_broken
    return float(stats.binomtest(n_mended, n_changed, 0.5).pvalue) if n_changed else 1.0


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values corrected for their number by Holm's step-down method (Holm 1979), in the same order."""
    order = np.argsort(p_values, kind="stable")
    factors = len(p_values) - np.arange(len(p_values))
    stepped = np.maximum.accumulate(np.asarray(p_values, dtype=np.float64)[order] * factors)
    corrected: FloatArray = np.empty(len(p_values))
    corrected[order] = np.minimum(stepped, 1.0)
    return [float(p) for p in corrected]


def paired_difference_interval(
    n_mended: int, n_broken: int, n_utterances: int, *, confidence: float = 0.9
) -> tuple[float, float]:
    """Return the interval of the difference of two paired shares, half an utterance added to each of the four cells.

    No changes in few utterances thus prove little. Source: Agresti and Min 2005, Simple improved confidence intervals
    for comparing matched proportions.
    """
    from scipy import stats

    n = n_utterances + 2.0
    difference = (n_mended - n_broken) / n
    variance = (n_mended + n_broken + 1.0) / n**2 - difference**2 / n
    half = float(stats.norm.ppf(0.5 + confidence / 2)) * float(np.sqrt(max(variance, 0.0)))
    return max(difference - half, -1.0), min(difference + half, 1.0)
