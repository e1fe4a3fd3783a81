"""What to annotate next: the unlabelled texts whose labels are worth most to the model that is there.

A text is worth its label when the model is probably wrong about it (uncertainty), when many others are like it
(density), when nothing labelled is like it yet (novelty), and when nothing else in the batch is (diversity). ``mixed``
gets all four from one submodular function: facility location over the doubtful texts, each of which matters as much as
it is doubtful, where everything labelled counts as chosen already (Wei, Iyer, Bilmes 2015; Settles 2010). Doubtful is
where two views of a text disagree, or where the model is unsure when there is only one.
"""

from dataclasses import dataclass

import numpy as np
from pydantic import Field

from seedcorn.config import Settings
from seedcorn.diversity.facility_location import FacilityLocation
from seedcorn.diversity.greedy import lazy_greedy
from seedcorn.diversity.methods import Strategy
from seedcorn.diversity.nearest import Vectors
from seedcorn.diversity.objectives import Budget, Picks, affordable
from seedcorn.errors import DataError
from seedcorn.selection import FloatArray, PositionArray, Selection, keep

_LEAST_PROBABILITY = 1e-9
NOT_WORTH_IT = "its label is worth less than those of the batch"


class AnnotationSettings(Settings):
    """How a batch is chosen.

    ``batch_size`` texts, or with ``n_words`` as many as have together so many words, for annotators who are paid by
    length. ``n_unsure`` is of how many of the most doubtful texts ``mixed`` and ``coverage`` choose at most;
    ``slots_count`` whether the slots are looked at, or the intent alone.
    """

    strategy: Strategy = Strategy.MIXED
    batch_size: int = Field(25, ge=1)
    n_words: int | None = Field(None, ge=1)
    n_unsure: int = Field(1000, ge=1)
    slots_count: bool = True


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """What is known of n unlabelled texts.

    ``intent_probabilities`` (n, k), calibrated or not; ``slots_probabilities`` (n,), of all slots being right;
    ``vectors`` (n, d) and ``labelled_vectors`` (m, d) of unit length; ``n_words`` (n,); ``relevance`` (n,) from 0 to 1,
    how probably the text is any of the agent's business; ``second_view`` (n, k) are other intent probabilities.
    """

    intent_probabilities: FloatArray
    slots_probabilities: FloatArray
    vectors: Vectors
    labelled_vectors: Vectors
    n_words: PositionArray
    relevance: FloatArray | None = None
    second_view: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.slots_probabilities)


def choose_to_annotate(candidates: Candidates, *, settings: AnnotationSettings, rng: np.random.Generator) -> Selection:
    """Return the batch, the most valuable text first, each with its gain; ties go to the lower position.

    A batch larger than what there is takes everything. Raises DataError without candidates, and for ``disagreement``
    without a second view.
    """
    n = len(candidates)
    if not n:
        raise DataError(wanted="unlabelled text to choose from", found="none")
    if settings.strategy is Strategy.RANDOM:
        order = rng.permutation(n)
        return _kept(_first(order, np.zeros(n), _budget(candidates.n_words, settings)), n)
    worth = annotation_worth(candidates, settings=settings)
    if settings.strategy in (Strategy.MIXED, Strategy.COVERAGE):
        budget = _budget(candidates.n_words, settings)
        picks = cover_doubtful(
            worth,
            candidates.vectors,
            labelled_vectors=candidates.labelled_vectors,
            budget=budget,
            n_unsure=settings.n_unsure,
        )
        return _kept(picks, n)
    order = np.argsort(-worth, kind="stable")
    return _kept(_first(order, worth, _budget(candidates.n_words, settings)), n)


def annotation_worth(candidates: Candidates, *, settings: AnnotationSettings) -> FloatArray:
    """Return what the label of each text alone is worth by the model, at least 0, shape (n,).

    It is how many mistakes the model is expected to make: one for the intent by its doubt, and for the slots minus the
    log of the probability that all are right, which is about the number of tokens labelled wrong.
    """
    relevance = np.ones(len(candidates)) if candidates.relevance is None else candidates.relevance
    if settings.strategy in (Strategy.COVERAGE, Strategy.RANDOM):
        return np.asarray(relevance, dtype=np.float64)
    mistakes = _intent_doubts(candidates, settings.strategy)
    if settings.slots_count:
        mistakes = mistakes - np.log(np.maximum(candidates.slots_probabilities, _LEAST_PROBABILITY))
    return np.asarray(mistakes * relevance, dtype=np.float64)


def _intent_doubts(candidates: Candidates, strategy: Strategy) -> FloatArray:
    match strategy:
        case Strategy.MARGIN:
            return 1.0 - intent_margins(candidates.intent_probabilities)
        case Strategy.DISAGREEMENT if candidates.second_view is None:
            raise DataError(wanted="a second view of the texts for the strategy 'disagreement'", found="none")
        case Strategy.DISAGREEMENT | Strategy.MIXED if candidates.second_view is not None:
            return jensen_shannon(candidates.intent_probabilities, candidates.second_view)
        case _:
            return 1.0 - candidates.intent_probabilities.max(axis=1)


def intent_margins(probabilities: FloatArray) -> FloatArray:
    """Return by how much the best intent beats the second, (n,); with a single intent its probability."""
    if probabilities.shape[1] < 2:
        return np.asarray(probabilities[:, 0], dtype=np.float64)
    two = np.sort(probabilities, axis=1)[:, -2:]
    return np.asarray(two[:, 1] - two[:, 0], dtype=np.float64)


def jensen_shannon(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return the Jensen-Shannon divergence of the rows of two (n, k) in bits, from 0 equal to 1 disjoint, (n,)."""
    middle = 0.5 * (first + second)
    return np.clip(0.5 * (_relative_entropy(first, middle) + _relative_entropy(second, middle)), 0.0, 1.0)


def _relative_entropy(of: FloatArray, against: FloatArray) -> FloatArray:
    positive = of > 0
    ratio = np.divide(of, against, out=np.ones_like(of), where=positive)
    return np.asarray((of * np.log2(ratio)).sum(axis=1), dtype=np.float64)


def cover_doubtful(
    worth: FloatArray, vectors: Vectors, *, labelled_vectors: Vectors, budget: Budget, n_unsure: int
) -> Picks:
    """Return the choice among the ``n_unsure`` rows of most ``worth`` (n,) by facility location weighted with it.

    ``vectors`` (n, d) and ``labelled_vectors`` (m, d) are of unit length; what is labelled counts as chosen already.
    """
    rows = np.sort(np.argsort(-worth, kind="stable")[:n_unsure])
    costs = budget.costs[rows]
    objective = FacilityLocation(vectors[rows], seed_vectors=labelled_vectors, weights=worth[rows])
    picks = lazy_greedy(objective, Budget(min(budget.total, int(costs.sum())), costs))
    return Picks(rows[picks.positions], picks.gains)


def _budget(n_words: PositionArray, settings: AnnotationSettings) -> Budget:
    if settings.n_words is not None:
        costs = np.maximum(n_words, 1)
        return Budget.words(min(settings.n_words, int(costs.sum())), words_of_rows=n_words)
    return Budget.utterances(min(settings.batch_size, len(n_words)), n_rows=len(n_words))


def _first(order: PositionArray, worth: FloatArray, budget: Budget) -> Picks:
    chosen = affordable(order, budget.costs, budget.total)
    return Picks(chosen, worth[chosen])


def _kept(picks: Picks, n_rows: int) -> Selection:
    return keep(picks.positions, picks.gains, n_rows=n_rows, reason=NOT_WORTH_IT)
