"""Is a text a request at all? Open pools hold narration that shares the words of requests.

"It rained all week in Paris" has the words of a question about the weather, yet nobody says it to a voice agent. All
labelled utterances, whatever their intent, show how people speak to one; a random sample of the pool shows the rest.
The n-gram model that scores relevance tells the two apart. The sample holds requests too, which lowers all scores and
leaves their order (Elkan & Noto 2008); so the gate is placed where it lets nearly all labelled utterances pass.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seedcorn.corpus.normalising import Texts
from seedcorn.errors import DataError
from seedcorn.relevance.linear import RelevanceModel, relevance_scores
from seedcorn.relevance.logistic import fit_logistic
from seedcorn.selection import FloatArray

PASSING_FRACTION = 0.97


@dataclass(frozen=True, kw_only=True)
class RequestGate:
    """The n-gram model that tells requests from other text, and the probability that a text must have to pass."""

    model: RelevanceModel
    least_probability: float

    def probabilities(self, texts: Sequence[str]) -> FloatArray:
        """Return how like a request each text is, (n,): probabilities where pool and labelled text are as they were."""
        return relevance_scores([pa.array(texts, pa.string())], self.model).values

    def passes(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Return which texts are enough like requests, (n,)."""
        return np.asarray(self.probabilities(texts) >= self.least_probability, dtype=np.bool_)


def fit_request_gate(
    labelled: Texts, pool_sample: Texts, *, passing_fraction: float = PASSING_FRACTION, random_seed: int = 0
) -> RequestGate:
    """Return the gate that ``passing_fraction`` of the ``labelled`` texts pass when the model was fitted without them.

    Cost: six sparse regressions, a few seconds for 25,000 texts. Raises DataError when there are fewer than two texts
    of either kind, or they have no words.
    """
    if len(labelled) < 2 or len(pool_sample) < 2:
        raise DataError(
            wanted="at least two labelled utterances and two pool texts",
            found=f"{len(labelled)} and {len(pool_sample)}",
        )
    fit = fit_logistic(labelled, (), pool_sample, pool_weight=1.0, random_seed=random_seed)
    if fit.held_out is None:
        raise DataError(wanted="enough labelled text to cross-validate on", found=f"{len(labelled)} utterances")
    held_out = fit.held_out.probabilities[fit.held_out.relevant]
    return RequestGate(model=fit.model, least_probability=float(np.quantile(held_out, 1.0 - passing_fraction)))
