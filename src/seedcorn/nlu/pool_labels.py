"""Which pool texts a model at its operating point takes for the functionality, and which of them are learnt from."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from seedcorn.config import Settings
from seedcorn.corpus.utterances import Slot
from seedcorn.nlu.calibration import LogOddsCalibration
from seedcorn.nlu.cross_fitting import Labelled
from seedcorn.nlu.functionality import own_columns
from seedcorn.nlu.linear import LinearNlu
from seedcorn.selection import FloatArray

PSEUDO_LABELLED = "pseudo-labelled"


class LabellingSettings(Settings):
    """What of the pool is learnt from.

    A text is learnt as the functionality when its calibrated probability is at least ``least_probability``, it passes
    the request gate, and it is among the most of its intent like the annotated utterances: at most ``most_per_seed``
    for every seed utterance of that intent. Farther from them a pool is of another kind, and more of it brings less.
    """

    least_probability: float = Field(0.5, gt=0, le=1)
    most_per_seed: float = Field(5.0, gt=0)
    pseudo_weight: float = Field(1.0, gt=0)


class PoolReason(StrEnum):
    """What became of a pool text."""

    ACCEPTED = "accepted as the functionality"
    UNSURE = "not sure enough to be the functionality"
    NO_REQUEST = "not like a request"
    OVER_CAP = "less like a request than the most that are accepted"


@dataclass(frozen=True, kw_only=True)
class PoolLabel:
    """What was decided on the pool text at ``position``; ``weight`` is 0 where nothing is learnt from it."""

    position: int
    intent: str
    slots: tuple[Slot, ...]
    confidence: float
    weight: float
    decision: StrEnum

    @property
    def reason(self) -> str:
        """The decision with its probability, in words."""
        return f"{self.decision}: {self.intent} {self.confidence:.2f}"


@dataclass(frozen=True, kw_only=True)
class RequestPool:
    """The pool texts, how like a request each is (texts,), and how like one it must be."""

    texts: Sequence[str]
    requests: FloatArray
    least_request: float


def label_pool(
    model: LinearNlu,
    labelled: Labelled,
    calibration: LogOddsCalibration,
    pool: RequestPool,
    settings: LabellingSettings,
) -> tuple[PoolLabel, ...]:
    """Return what ``model`` makes of every pool text, in order; of equals under the cap the first are kept."""
    scores, own = model.intent_views.scores(pool.texts), own_columns(model.intents, labelled.functionality)
    probabilities = calibration.probabilities(scores.log_odds(labelled.functionality))
    intents = np.array(model.intents)[own][scores.ranked[:, own].argmax(axis=1)]
    is_sure, is_request = probabilities >= settings.least_probability, pool.requests >= pool.least_request
    n_seed = Counter(u.intent for u in labelled.rows)
    most = {intent: max(1, round(settings.most_per_seed * n_seed[intent])) for intent in labelled.functionality}
    accepted = _most_like_requests(intents, is_sure & is_request, pool.requests, most)
    slots = dict(zip(accepted, model.slot_views.slots([pool.texts[i] for i in accepted]), strict=True))
    return tuple(
        PoolLabel(
            position=i,
            intent=str(intents[i]),
            slots=slots[i].slots if i in slots else (),
            confidence=float(probabilities[i]),
            weight=settings.pseudo_weight if i in slots else 0.0,
            decision=_decision(is_sure=bool(is_sure[i]), is_request=bool(is_request[i]), is_accepted=i in slots),
        )
        for i in range(len(pool.texts))
    )


def _decision(*, is_sure: bool, is_request: bool, is_accepted: bool) -> PoolReason:
    if not is_sure:
        return PoolReason.UNSURE
    if not is_request:
        return PoolReason.NO_REQUEST
    return PoolReason.ACCEPTED if is_accepted else PoolReason.OVER_CAP


def _most_like_requests(
    intents: NDArray[np.str_], is_candidate: NDArray[np.bool_], requests: FloatArray, most: Mapping[str, int]
) -> list[int]:
    """Return the positions of the candidates most like requests, at most ``most`` of each intent, in order."""
    kept: list[int] = []
    for intent in np.unique(intents).tolist():
        candidates = np.flatnonzero(is_candidate & (intents == intent))
        kept += candidates[np.argsort(-requests[candidates], kind="stable")][: most[intent]].tolist()
    return sorted(kept)
