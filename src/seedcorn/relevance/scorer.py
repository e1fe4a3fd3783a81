"""What every relevance scorer is fitted to, and what fitting gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from seedcorn.errors import ConfigError
from seedcorn.relevance.keeping import PrecisionCurve
from seedcorn.relevance.linear import RelevanceModel, relevance_scores
from seedcorn.relevance.names import Aggregate
from seedcorn.relevance.streaming import Scorer
from seedcorn.selection import Scores


@dataclass(frozen=True, kw_only=True)
class ScorerTexts:
    """The texts that a scorer is fitted to; ``pool_sample`` stands for general text."""

    seed: Sequence[str]
    background: Sequence[str]
    pool_sample: pa.StringArray


@dataclass(frozen=True, kw_only=True)
class ScorerOptions:
    """What may be asked of a scorer; each reads what is its own.

    ``aggregate`` is for the n-gram methods, each of which has one of its own by default. ``relevant_fraction`` is the
    share of relevant text that probabilities and precision assume.
    """

    aggregate: Aggregate | None = None
    relevant_fraction: float | None = None
    random_seed: int = 0


@dataclass(frozen=True, kw_only=True)
class FittedMethod:
    """A scorer of text batches; for n-gram methods also the model, for logistic also its cross-validated precision."""

    score: Scorer
    model: RelevanceModel | None = None
    curve: PrecisionCurve | None = None

    def threshold_for(self, precision: float) -> float:
        """Return the score above which the estimated precision is at least ``precision``.

        Raises ConfigError for methods and seeds without a cross-validated estimate.
        """
        if self.curve is None:
            raise ConfigError(
                wanted="a precision estimate, for a cut-off by precision",
                found="none",
                fix="Use the method logistic with at least two seed and two background examples, and no saved model.",
            )
        return self.curve.threshold_for(precision)


class FitScorer(Protocol):
    """Fits a scorer; names.Method has one for every method."""

    def __call__(self, texts: ScorerTexts, options: ScorerOptions) -> FittedMethod:
        """Return the scorer. Raises DataError when a side that it needs has no words."""
        ...


def with_model(model: RelevanceModel, aggregate: Aggregate) -> FittedMethod:
    """Return a method that scores by a fitted n-gram model."""

    def score(texts: pa.StringArray) -> Scores:
        return relevance_scores([texts], model, aggregate=aggregate)

    score(pa.array(["a"]))  # refuses an aggregate that the model cannot give before any work is done
    return FittedMethod(score=score, model=model)
