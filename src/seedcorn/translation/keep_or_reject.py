"""Keep or reject translations by their in-domain log-probability per word, with the curve that helps to choose."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

from seedcorn.corpus.normalising import normalise_all
from seedcorn.errors import DataError
from seedcorn.relevance.keeping import keep_above, keep_best, n_of_fraction
from seedcorn.selection import Scores, Selection
from seedcorn.translation.rescoring import SentenceLm, n_out_of_vocabulary

FRACTIONS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


@dataclass(frozen=True, kw_only=True)
class KeepPoint:
    """One cut-off: what it keeps, and what that is worth (``loss``, lower is better; NaN where it was not measured)."""

    kept_fraction: float
    logp_per_word: float
    n_kept: int
    loss: float


def in_domain_scores(texts: Sequence[str], lm: SentenceLm, *, known: Collection[str] | None = None) -> Scores:
    """Return log p of each text per word (its end counts as one) under the in-domain ``lm``; higher is better.

    Texts with a word that is not among ``known`` ones, where those are given, have no score and are never kept.
    """
    normalised = normalise_all(texts)
    n_words = np.array([len(text.split(" ")) + 1 for text in normalised], dtype=np.float64)
    logps = np.asarray(lm.sentence_logps(normalised), dtype=np.float64) if normalised else np.zeros(0)
    missing = None if known is None else np.array([n_out_of_vocabulary(t, known) > 0 for t in normalised], np.bool_)
    values = logps / n_words
    return Scores(
        values=values if missing is None else np.where(missing, 0.0, values),
        name="in-domain log-probability per word",
        unit="natural log",
        missing=missing,
        missing_reason="a word that no known text has",
    )


def keep_likely(scores: Scores, *, logp_per_word: float) -> Selection:
    """Keep every text at least as likely per word as the cut-off; the others are rejected as below it."""
    return keep_above(scores, threshold=logp_per_word)


def keep_curve(
    scores: Scores, loss: Callable[[Selection], float] | None = None, *, fractions: Sequence[float] = FRACTIONS
) -> list[KeepPoint]:
    """Return what keeping each of the best ``fractions`` means: its cut-off, its count, the ``loss`` of what is kept.

    A useful loss is the perplexity of dev text under a language model that contains what is kept.
    """
    ranked = scores.best_first()
    if len(ranked) == 0:
        raise DataError(wanted="translations to keep or reject", found=f"none with a score among {len(scores)}")
    points = []
    for fraction in fractions:
        n_kept = max(n_of_fraction(len(ranked), fraction), 1)
        selection = keep_best(scores, n_kept=n_kept)
        points.append(
            KeepPoint(
                kept_fraction=fraction,
                logp_per_word=float(scores.values[ranked[n_kept - 1]]),
                n_kept=n_kept,
                loss=loss(selection) if loss else float("nan"),
            )
        )
    return points


def best_point(curve: Sequence[KeepPoint]) -> KeepPoint:
    """Return the point with the lowest loss, of equal ones the one that keeps most."""
    measured = [point for point in curve if not np.isnan(point.loss)]
    if not measured:
        raise DataError(wanted="a curve with losses", found="none", fix="Give keep_curve a loss.")
    return min(measured, key=lambda point: (point.loss, -point.n_kept))
