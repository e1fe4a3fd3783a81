"""Which hypotheses of n-best lists become in-domain text, judged by what is known of the domain."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from seedcorn.corpus.normalising import normalise_all
from seedcorn.corpus.utterances import Utterance
from seedcorn.lm.domain_model import DevLoss, DomainModel
from seedcorn.progress import say
from seedcorn.relevance.keeping import keep_best, keep_fraction
from seedcorn.selection import Selection
from seedcorn.translation.keep_or_reject import best_point, in_domain_scores, keep_curve, keep_likely
from seedcorn.translation.nbest import NBest
from seedcorn.translation.rescoring import tune_weights, with_lm, with_out_of_vocabulary_words
from seedcorn.translation.settings import NO_RESCORING, KeepSettings, RescoringWeights

if TYPE_CHECKING:
    from seedcorn.translation.entities import Candidates


def best_translations(
    candidates: Sequence["Candidates"],
    domain: DomainModel,
    weights: RescoringWeights,
    *,
    n_hypotheses: int = 1,
    lang: str,
) -> list[Utterance]:
    """Return the best hypotheses of each list under ``weights``, as utterances with intent and slots."""
    if weights != NO_RESCORING:
        judged = _judged((c.nbest for c in candidates), domain)
        candidates = [replace(c, nbest=nbest) for c, nbest in zip(candidates, judged, strict=True)]
    return [u for c in candidates for u in c.best(weights, n_hypotheses=n_hypotheses, lang=lang)]


def keep_in_domain(texts: Sequence[str], domain: DomainModel, settings: KeepSettings) -> Selection:
    """Return which normalised translations are kept: known words only, by their in-domain log-probability per word."""
    known = domain.words if settings.known_words_only else None
    scores = in_domain_scores(texts, domain.mixture, known=known)
    if not len(scores.best_first()):
        say(f"keep/reject: none of {len(texts):,} translations is kept, for each has {scores.missing_reason}")
        return keep_best(scores, n_kept=0)
    if settings.logp_per_word is not None:
        return keep_likely(scores, logp_per_word=settings.logp_per_word)
    if settings.fraction is not None:
        return keep_fraction(scores, fraction=settings.fraction)
    best = best_point(keep_curve(scores, DevLoss.of_domain(texts, domain)))
    return keep_best(scores, n_kept=best.n_kept)


def tune_for_dev(
    candidates: Sequence["Candidates"], domain: DomainModel, *, n_hypotheses: int, n_tuning: int
) -> RescoringWeights:
    """Return the rescoring weights with the lowest dev perplexity, measured with ``n_tuning`` of the lists.

    They are spread evenly over ``candidates``, which may come from several corpora.
    """
    rows = np.unique(np.linspace(0, len(candidates) - 1, min(n_tuning, len(candidates))).astype(np.int64))
    nbests = list(_judged((candidates[row].nbest for row in rows), domain))
    every = normalise_all([h.text for nbest in nbests for h in nbest.hypotheses])
    loss = DevLoss.of_domain(every, domain)
    return tune_weights(nbests, lambda texts: loss.of(normalise_all(list(texts))), n_hypotheses=n_hypotheses)


def _judged(nbests: Iterable[NBest], domain: DomainModel) -> Iterator[NBest]:
    return with_out_of_vocabulary_words(with_lm(nbests, domain.mixture), domain.words)
