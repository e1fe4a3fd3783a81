"""Intents by a pretrained encoder whose upper half is fine-tuned on them: beside the n-grams another view of a text.

The functionality's few utterances stand against all that others ask for, those nearest to them above all: what an
encoder must still learn is where the one ends and the other begins. After Chen, Zhuo & Wang 2019 (arXiv 1902.10909);
hard negatives after Gillick et al. 2019 (1909.10506).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import DataError
from seedcorn.nlu.fine_tuned import FineTuned
from seedcorn.nlu.fine_tuning import FineTuningSettings, batches_by_length
from seedcorn.selection import FloatArray

if TYPE_CHECKING:
    from torch import Tensor

    from seedcorn.nlu.upper_half import UpperHalf


@dataclass(frozen=True, kw_only=True)
class IntentExample:
    """An utterance and how often it is seen an epoch (a share: with that chance).

    One without intent is known to have none of the excluded intents, and teaches just that.
    """

    utterance: Utterance
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True, eq=False)
class FineTunedIntents(FineTuned):
    """A fine-tuned classifier; its outputs are the intents."""

    def log_probabilities(self, texts: Sequence[str]) -> FloatArray:
        """Return log P(intent | text), (texts, intents)."""
        import torch

        found = np.zeros((len(texts), len(self.outputs)))
        with torch.inference_mode():
            for rows in batches_by_length(texts):
                found[rows] = self.network.of_texts([texts[i] for i in rows]).double().log_softmax(-1).numpy()
        return found


def train_fine_tuned_intents(
    examples: Sequence[IntentExample],
    *,
    intents: Sequence[str],
    checkpoint: str,
    excluded_intents: Collection[str] = (),
    settings: FineTuningSettings = FineTuningSettings(),
    random_seed: int = 0,
) -> FineTunedIntents:
    """Return the classifier over ``intents`` that minimises the cross-entropy, summed over those an example may have.

    The sum is what partial labels ask for (Jin & Ghahramani 2002). Raises DataError without an example, and ConfigError
    for an unknown checkpoint.
    """
    from seedcorn.nlu.upper_half import fine_tune

    if not examples:
        raise DataError(wanted="utterances to fine-tune an encoder on", found="none")
    texts = [e.utterance.text for e in examples]
    possible = np.array([_possible(e.utterance.intent, intents, excluded_intents) for e in examples])

    def loss(network: "UpperHalf", rows: NDArray[np.int64]) -> "Tensor":
        return _cross_entropy(network.of_texts([texts[i] for i in rows]), possible[rows])

    network = fine_tune(
        checkpoint,
        texts,
        np.array([e.weight for e in examples]),
        loss,
        n_outputs=len(intents),
        settings=settings,
        random_seed=random_seed,
        description="fine-tuning the intents",
    )
    return FineTunedIntents(checkpoint=checkpoint, outputs=tuple(intents), tensors=network.trained())


def _possible(intent: str, intents: Sequence[str], excluded: Collection[str]) -> NDArray[np.bool_]:
    return np.array([known == intent if intent else known not in excluded for known in intents], dtype=np.bool_)


def _cross_entropy(logits: "Tensor", possible: NDArray[np.bool_]) -> "Tensor":
    """Return minus the mean log probability of the ``possible`` (texts, intents) intents together."""
    import torch

    impossible = ~torch.from_numpy(possible).to(logits.device)
    log_probabilities = logits.log_softmax(-1).masked_fill(impossible, -torch.inf)
    return -log_probabilities.logsumexp(-1).mean()
