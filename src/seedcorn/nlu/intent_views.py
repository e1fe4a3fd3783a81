"""Intents by two views of the same text: what the n-grams and frozen vectors say, and what a fine-tuned encoder says.

Their log odds of the functionality are added, a logarithmic opinion pool (Genest & Zidek 1986); where one of them is
sure, the other must be as sure of the contrary. Probabilities of intents are averaged.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from seedcorn.corpus.utterances import Utterance
from seedcorn.nlu.fine_tuned_intents import FineTunedIntents, IntentExample, train_fine_tuned_intents
from seedcorn.nlu.fine_tuning import FineTuningSettings, times_of_own
from seedcorn.nlu.functionality import functionality_log_odds, own_columns
from seedcorn.nlu.maxent import MaxEnt, probabilities_of
from seedcorn.nlu.sentence_encoder import CachedEncoder
from seedcorn.selection import FloatArray

N_NEAREST, N_RANDOM = 1_000, 250  # other utterances: those most like the functionality's, and of the rest
_STEPS_PER_INTENT = 50  # at least, for each intent of the functionality


@dataclass(frozen=True, eq=False)
class IntentScores:
    """What the views say of some texts: margins and, of a fine-tuned encoder, log probabilities, (texts, intents)."""

    intents: tuple[str, ...]
    margins: FloatArray
    log_probabilities: FloatArray | None = None

    @property
    def probabilities(self) -> FloatArray:
        """P(intent | text), (texts, intents)."""
        by_margins = probabilities_of(self.margins)
        return by_margins if self.log_probabilities is None else (by_margins + np.exp(self.log_probabilities)) / 2

    @property
    def ranked(self) -> FloatArray:
        """What the intents of a text are ordered by, (texts, intents): margins, or the probabilities of both views."""
        return self.margins if self.log_probabilities is None else self.probabilities

    def log_odds(self, functionality: Collection[str]) -> FloatArray:
        """Return the log odds that a text is for the functionality, (texts,)."""
        own = own_columns(self.intents, functionality)
        log_odds = functionality_log_odds(self.margins, own)
        if self.log_probabilities is None or own.all():
            return log_odds
        first, second = (logsumexp(self.log_probabilities[:, part], axis=1) for part in (own, ~own))
        return np.asarray(log_odds + first - second, dtype=np.float64)


@dataclass(frozen=True, kw_only=True)
class OperatingPoint:
    """The intents that are the functionality, and the log odds above which an utterance is for it."""

    functionality: tuple[str, ...]
    threshold: float = 0.0

    def choose(self, scores: IntentScores) -> NDArray[np.int64]:
        """Return the column of the intent chosen for every text, (texts,).

        It is the best of the functionality's where its log odds are above the threshold, else the best other one.
        """
        own, ranked = own_columns(scores.intents, self.functionality), scores.ranked
        if own.all() or not own.any():
            return np.asarray(ranked.argmax(axis=1), dtype=np.int64)
        is_own = scores.log_odds(self.functionality) > self.threshold
        best_own = np.where(own, ranked, -np.inf).argmax(axis=1)
        best_other = np.where(own, -np.inf, ranked).argmax(axis=1)
        return np.asarray(np.where(is_own, best_own, best_other), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class IntentViews:
    """The maximum entropy model and, where an encoder was fine-tuned, its classifier over the same intents."""

    maxent: MaxEnt
    fine_tuned: FineTunedIntents | None = None

    def scores(self, texts: Sequence[str]) -> IntentScores:
        """Return what every view says of ``texts``."""
        log_probabilities = None if self.fine_tuned is None else self.fine_tuned.log_probabilities(texts)
        return IntentScores(self.maxent.intents, self.maxent.margins(texts), log_probabilities)


def train_intent_views(
    maxent: MaxEnt,
    utterances: Sequence[Utterance],
    *,
    functionality: Collection[str],
    encoder: CachedEncoder,
    excluded_intents: Collection[str] = (),
    random_seed: int = 0,
) -> IntentViews:
    """Return ``maxent`` and a classifier fine-tuned on ``utterances`` from the ``encoder``'s checkpoint.

    Those of the ``functionality`` are repeated; of the others those are seen that are nearest to one of them in the
    encoder's vectors, and a random part of the rest. Many intents take longer to tell apart than one takes.
    """
    own = [u for u in utterances if u.intent in functionality]
    others = [u for u in utterances if u.intent not in functionality]
    if not own or not others:
        return IntentViews(maxent)
    times = times_of_own(len(own))
    seen = nearest_and_random(own, others, encoder, np.random.default_rng(random_seed))
    examples = [*(IntentExample(utterance=u, weight=times) for u in own), *(IntentExample(utterance=u) for u in seen)]
    fine_tuned = train_fine_tuned_intents(
        examples,
        intents=maxent.intents,
        checkpoint=encoder.name,
        excluded_intents=excluded_intents,
        settings=FineTuningSettings(least_steps=_STEPS_PER_INTENT * len(functionality)),
        random_seed=random_seed,
    )
    return IntentViews(maxent, fine_tuned)


def nearest_and_random(
    own: Sequence[Utterance],
    others: Sequence[Utterance],
    encoder: CachedEncoder,
    rng: np.random.Generator,
    *,
    n_nearest: int = N_NEAREST,
    n_random: int = N_RANDOM,
) -> list[Utterance]:
    """Return the ``n_nearest`` of ``others`` by the cosine to the nearest of ``own``, then ``n_random`` of the rest."""
    vectors = encoder.encode([u.text for u in others])
    cosines = (vectors @ encoder.encode([u.text for u in own]).T).max(axis=1)
    order = np.argsort(-cosines, kind="stable")
    return [others[i] for i in (*order[:n_nearest], *rng.permutation(order[n_nearest:])[:n_random])]
