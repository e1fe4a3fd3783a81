"""The ways to say how relevant a text is, fitted from the same texts and behind one call."""

import pkgutil
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from seedcorn.errors import DataError
from seedcorn.relevance.linear import load_relevance_model
from seedcorn.relevance.names import Aggregate, Method, named
from seedcorn.relevance.scorer import FitScorer, FittedMethod, ScorerOptions, ScorerTexts, with_model


def fit_method(
    method: str,
    seed: Sequence[str],
    background: Sequence[str],
    pool_sample: pa.StringArray,
    *,
    aggregate: str | None = None,
    relevant_fraction: float | None = None,
    random_seed: int = 0,
) -> FittedMethod:
    """Return ``method`` fitted with its default settings; only logistic learns from ``background``.

    ``method`` is the name of a Method. ``aggregate`` is for the n-gram methods: by default calibrated probability for
    logistic, sum for importance. Raises ConfigError for unknown names, DataError when a side that the method needs has
    no words.
    """
    fit: FitScorer = pkgutil.resolve_name(named(Method, method, "method").fitted_by)
    if not len(seed):
        raise DataError(wanted="at least one seed example", found="none")
    options = ScorerOptions(
        aggregate=None if aggregate is None else named(Aggregate, aggregate, "aggregate"),
        relevant_fraction=relevant_fraction,
        random_seed=random_seed,
    )
    return fit(ScorerTexts(seed=seed, background=background, pool_sample=pool_sample), options)


def saved_method(path: Path, aggregate: str | None) -> FittedMethod:
    """Return the n-gram method saved at ``path``; by default it scores by probability where it is calibrated."""
    model = load_relevance_model(path)
    default = Aggregate.PROBABILITY if model.calibration else Aggregate.SUM
    return with_model(model, named(Aggregate, aggregate or default, "aggregate"))
