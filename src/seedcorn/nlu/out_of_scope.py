"""None of these: text that is no intent of the model's, told from the model's own doubts.

Each intent has a classifier against all others, so that text which is none of them is far from every one: its best log
odds are low (as the maximum logit of Hendrycks et al. 2022). A threshold on them is set by how much out-of-scope text
may pass, with the certainty that the number of texts it is judged on allows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import DataError
from seedcorn.nlu.calibration import Calibrator, fit_calibrator
from seedcorn.nlu.cross_validation import cross_validated
from seedcorn.nlu.linear import LinearNlu
from seedcorn.nlu.model import NluModel, NluTrainer
from seedcorn.selection import FloatArray

OUT_OF_SCOPE = "out_of_scope"
_SMALLEST = 1e-9


@dataclass(frozen=True, kw_only=True)
class ScopeGate:
    """Text whose score is below ``threshold`` is out of scope; ``probability`` maps scores to P(in scope).

    ``calibrator`` works on scores mapped into 0..1 by the logistic function. ``false_alarm_rate`` is the bound on the
    share of out-of-scope text that passes; ``recall`` the share of text in scope that does.
    """

    threshold: float
    calibrator: Calibrator
    false_alarm_rate: float
    recall: float
    auroc: float

    def passes(self, scores: FloatArray) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
        """Return whether each text is taken to be in scope, (n,)."""
        return np.asarray(scores >= self.threshold, dtype=np.bool_)

    def probability(self, scores: FloatArray) -> FloatArray:
        """Return the calibrated probability of each text to be in scope, (n,), both kinds being equally frequent."""
        return self.calibrator(_logistic(scores))


def scope_scores(model: NluModel, texts: Sequence[str], *, intents: Sequence[str] = ()) -> FloatArray:
    """Return by how much each text belongs to its best intent of ``intents`` (all when empty), in log odds, (n,)."""
    columns = [i for i, intent in enumerate(model.intents) if not intents or intent in intents]
    if isinstance(model, LinearNlu):
        return np.asarray(model.maxent.margins(texts)[:, columns].max(axis=1, initial=-np.inf), dtype=np.float64)
    best = np.clip(model.intent_probabilities(texts)[:, columns].max(axis=1), _SMALLEST, 1 - _SMALLEST)
    return np.asarray(np.log(best / (1 - best)), dtype=np.float64)


def held_out_scope_scores(
    train: NluTrainer,
    utterances: Sequence[Utterance],
    *,
    intents: Sequence[str] = (),
    n_folds: int = 3,
    random_seed: int = 0,
) -> FloatArray:
    """Return the score of every utterance by a model trained without it; cost: ``n_folds`` trainings."""
    scores = cross_validated(
        train,
        utterances,
        lambda model, held_out: scope_scores(model, [u.text for u in held_out], intents=intents).tolist(),
        n_folds=n_folds,
        random_seed=random_seed,
    )
    return np.asarray(scores, dtype=np.float64)


def fit_scope_gate(in_scope: FloatArray, out_of_scope: FloatArray, *, most_false_alarms: float = 0.05) -> ScopeGate:
    """Return the gate with the lowest threshold that lets at most ``most_false_alarms`` of out-of-scope text pass.

    With k of n texts above the threshold a new one is above it with a probability of at most (k + 1) / (n + 1), which
    is the rate that is held. Raises DataError when there is no text in scope, or too few outside for the rate.
    """
    n_needed = int(np.ceil(1 / most_false_alarms)) - 1
    if not len(in_scope) or len(out_of_scope) < n_needed:
        raise DataError(
            wanted=f"scores of text in scope, and {n_needed} of text out of scope for a rate of {most_false_alarms}",
            found=f"{len(in_scope)} and {len(out_of_scope)}",
            fix="Give more out-of-scope text, or allow more false alarms.",
        )
    descending = np.sort(out_of_scope)[::-1]
    n_above = int(np.floor(most_false_alarms * (len(descending) + 1) + 1e-9)) - 1
    threshold = float(np.nextafter(descending[n_above], np.inf))
    return ScopeGate(
        threshold=threshold,
        calibrator=_calibrator(in_scope, out_of_scope),
        false_alarm_rate=(n_above + 1) / (len(descending) + 1),
        recall=float((in_scope >= threshold).mean()),
        auroc=auroc(in_scope, out_of_scope),
    )


def _calibrator(in_scope: FloatArray, out_of_scope: FloatArray) -> Calibrator:
    """Fit on as many scores of either kind, the larger kind thinned evenly in order of rank."""
    n = min(len(in_scope), len(out_of_scope))
    thinned = [np.sort(part)[np.linspace(0, len(part) - 1, n).astype(np.int64)] for part in (in_scope, out_of_scope)]
    return fit_calibrator(_logistic(np.concatenate(thinned)), np.arange(2 * n) < n)


def auroc(higher: FloatArray, lower: FloatArray) -> float:
    """Return the probability that one of ``higher`` is above one of ``lower``, ties counting half."""
    from scipy.stats import rankdata

    if not len(higher) or not len(lower):
        raise DataError(wanted="scores of both kinds of text", found=f"{len(higher)} and {len(lower)}")
    ranks = rankdata(np.concatenate([higher, lower]))
    above = ranks[: len(higher)].sum() - len(higher) * (len(higher) + 1) / 2
    return float(above / (len(higher) * len(lower)))


def _logistic(scores: FloatArray) -> FloatArray:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * scores)), dtype=np.float64)
