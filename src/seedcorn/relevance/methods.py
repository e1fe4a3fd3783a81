"""The four ways to say how relevant a text is, fitted from the same texts and behind one call."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from seedcorn.corpus.normalising import Texts
from seedcorn.errors import ConfigError, DataError
from seedcorn.relevance.keeping import PrecisionCurve, precision_curve
from seedcorn.relevance.linear import RelevanceModel, load_relevance_model, relevance_scores
from seedcorn.relevance.names import Aggregate, Method, named
from seedcorn.relevance.streaming import Scorer
from seedcorn.selection import Scores


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
    chosen = named(Method, method, "method")
    if not len(seed):
        raise DataError(wanted="at least one seed example", found="none")
    if chosen is Method.LOGISTIC:
        by = named(Aggregate, aggregate or "probability", "aggregate")
        return _logistic(seed, background, pool_sample, by, relevant_fraction, random_seed)
    if chosen is Method.IMPORTANCE:
        from seedcorn.relevance.importance import fit_importance

        return with_model(fit_importance(seed, [pool_sample]), named(Aggregate, aggregate or "sum", "aggregate"))
    if chosen is Method.EMBEDDING:
        return _embedding(seed, pool_sample, random_seed)
    return _cross_entropy(seed, pool_sample)


def saved_method(path: Path, aggregate: str | None) -> FittedMethod:
    """Return the n-gram method saved at ``path``; by default it scores by probability where it is calibrated."""
    model = load_relevance_model(path)
    default = Aggregate.PROBABILITY if model.calibration else Aggregate.SUM
    return with_model(model, named(Aggregate, aggregate or default, "aggregate"))


def with_model(model: RelevanceModel, aggregate: Aggregate) -> FittedMethod:
    """Return a method that scores by a fitted n-gram model."""

    def score(texts: pa.StringArray) -> Scores:
        return relevance_scores([texts], model, aggregate=aggregate)

    score(pa.array(["a"]))  # refuses an aggregate that the model cannot give before any work is done
    return FittedMethod(score=score, model=model)


def _logistic(
    seed: Texts,
    background: Texts,
    pool_sample: Texts,
    aggregate: Aggregate,
    relevant_fraction: float | None,
    random_seed: int,
) -> FittedMethod:
    from seedcorn.relevance.logistic import fit_logistic

    fit = fit_logistic(seed, background, pool_sample, relevant_fraction=relevant_fraction, random_seed=random_seed)
    fitted = with_model(fit.model, aggregate)
    if fit.held_out is None or fit.held_out.relevant.all():
        return fitted
    curve = precision_curve(fit.held_out.values(aggregate), fit.held_out.relevant, relevant_fraction=relevant_fraction)
    return FittedMethod(score=fitted.score, model=fit.model, curve=curve)


def _embedding(seed: Sequence[str], pool_sample: pa.StringArray, random_seed: int) -> FittedMethod:
    from seedcorn.relevance.embedding import centroid, centroid_scores, fit_encoder

    encoder = fit_encoder([*seed, *pool_sample.to_pylist()], random_seed=random_seed)
    in_domain, general = centroid([pa.array(seed)], encoder), centroid([pool_sample], encoder)

    def score(texts: pa.StringArray) -> Scores:
        return centroid_scores([texts], encoder, in_domain=in_domain, general=general)

    return FittedMethod(score=score)


def _cross_entropy(seed: Sequence[str], pool_sample: pa.StringArray) -> FittedMethod:
    from seedcorn.relevance.cross_entropy import cross_entropy_scores, fit_cross_entropy

    models = fit_cross_entropy([seed], [pool_sample])

    def score(texts: pa.StringArray) -> Scores:
        return cross_entropy_scores([texts], models)

    return FittedMethod(score=score)
