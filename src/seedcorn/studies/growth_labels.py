"""What a growth study measures of labels: does the forecast hold, and is label noise found?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from seedcorn.corpus.utterances import Slot, Utterance
from seedcorn.evaluation.forecast import forecast
from seedcorn.nlu.label_noise import About, Suspicion, audit_labels
from seedcorn.nlu.learning_curve import dealt, learning_curve_points
from seedcorn.nlu.model import NluTrainer


@dataclass(frozen=True, kw_only=True)
class ForecastCell:
    """What was foretold for ``n_ahead`` labels from ``n_now``, with its 80 % interval, and the error that came."""

    n_now: int
    n_ahead: int
    forecast: float
    low: float
    high: float
    truth: float

    @property
    def is_covered(self) -> bool:
        """Whether the interval holds the truth."""
        return self.low <= self.truth <= self.high


def forecast_cell(
    train: NluTrainer,
    labelled: Sequence[Utterance],
    held_out: Sequence[Utterance],
    *,
    background: Sequence[Utterance],
    random_seed: int,
) -> ForecastCell:
    """Return the forecast from half of ``labelled`` for all of it, and what a training on all of it gives."""
    rng = np.random.default_rng(random_seed)
    order = dealt(labelled, rng)
    half = [labelled[i] for i in order[: len(order) // 2]]
    points = learning_curve_points(train, half, held_out, background=background, random_seed=random_seed)
    (ahead,) = forecast(points, rng=rng, more_labels=[len(labelled) - len(half)]).forecasts
    ((_, truth),) = learning_curve_points(
        train, labelled, held_out, background=background, fractions=(1.0,), n_subsets=1, random_seed=random_seed
    )
    return ForecastCell(
        n_now=len(half), n_ahead=len(labelled), forecast=ahead.error, low=ahead.low, high=ahead.high, truth=truth
    )


@dataclass(frozen=True, kw_only=True)
class Spoilt:
    """Utterances of which some have wrong labels, and which."""

    utterances: tuple[Utterance, ...]
    wrong_intents: frozenset[int]
    wrong_slots: frozenset[int]


def spoil(utterances: Sequence[Utterance], *, fraction: float, rng: np.random.Generator) -> Spoilt:
    """Return ``utterances`` with another intent for a ``fraction`` of them, and other slot types in others.

    These are the same fraction of those that have slots and kept their intent; one slot of each gets another type.
    """
    rows = list(utterances)
    intents = sorted({u.intent for u in rows})
    types = sorted({slot.type for u in rows for slot in u.slots})
    wrong_intents = rng.permutation(len(rows))[: round(fraction * len(rows))].tolist()
    for i in wrong_intents:
        rows[i] = replace(rows[i], intent=_another(rows[i].intent, intents, rng))
    with_slots = [i for i, u in enumerate(rows) if u.slots and i not in set(wrong_intents)]
    wrong_slots = [with_slots[k] for k in rng.permutation(len(with_slots))[: round(fraction * len(with_slots))]]
    for i in wrong_slots:
        slots = list(rows[i].slots)
        k = int(rng.integers(len(slots)))
        slots[k] = Slot(slots[k].start, slots[k].end, _another(slots[k].type, types, rng))
        rows[i] = replace(rows[i], slots=tuple(slots))
    return Spoilt(utterances=tuple(rows), wrong_intents=frozenset(wrong_intents), wrong_slots=frozenset(wrong_slots))


def _another(name: str, names: Sequence[str], rng: np.random.Generator) -> str:
    others = [other for other in names if other != name]
    return others[int(rng.integers(len(others)))]


def noise_precision(train: NluTrainer, spoilt: Spoilt, *, n_folds: int = 5, random_seed: int = 0) -> dict[str, float]:
    """Return for intents and slots which share of the most suspicious, as many as are wrong, are wrong."""
    suspicions = audit_labels(train, spoilt.utterances, n_folds=n_folds, random_seed=random_seed)
    return {
        "intents": _precision(suspicions, About.INTENT, spoilt.wrong_intents),
        "slots": _precision(suspicions, About.SLOTS, spoilt.wrong_slots),
    }


def _precision(suspicions: Sequence[Suspicion], about: About, wrong: frozenset[int]) -> float:
    first = [s.position for s in suspicions if s.about is about][: len(wrong)]
    return len(wrong & set(first)) / len(wrong) if wrong else 1.0
