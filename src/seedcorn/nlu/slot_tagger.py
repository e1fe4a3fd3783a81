"""Slots by a pretrained encoder whose upper half is fine-tuned on them: beside the CRF another view of the same tokens.

The slots of all intents are learnt together, as what other functionalities call a date is one here too. After Chen,
Zhuo & Wang 2019 (arXiv 1902.10909) for tagging with a pretrained encoder; soft targets after Hinton et al. 2015
(1503.02531).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import DataError
from seedcorn.nlu.bio_decoding import bio_labels
from seedcorn.nlu.fine_tuned import FineTuned
from seedcorn.nlu.fine_tuning import FineTuningSettings, batches_by_length
from seedcorn.nlu.tokens import MOST_TOKENS, OUTSIDE, labels_of, tokens_of
from seedcorn.selection import FloatArray

if TYPE_CHECKING:
    from torch import Tensor

    from seedcorn.nlu.upper_half import UpperHalf

TAGGER = FineTuningSettings(least_steps=500)  # on development functionalities better than three epochs of half of that


@dataclass(frozen=True, kw_only=True)
class TaggerExample:
    """An utterance, how often it is seen an epoch (a share: with that chance), and what its tokens are.

    ``targets`` (tokens, labels) are distributions over the tagger's labels; its own slots where None.
    """

    utterance: Utterance
    weight: float = 1.0
    targets: FloatArray | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class SlotTagger(FineTuned):
    """A fine-tuned tagger; its outputs are BIO labels. Raises ValueError for others."""

    def __post_init__(self) -> None:
        if self.outputs != bio_labels([label[2:] for label in self.outputs if label != OUTSIDE]):
            raise ValueError("a slot tagger with other outputs than BIO labels")

    def posteriors(self, texts: Sequence[str], labels: Sequence[str]) -> list[FloatArray]:
        """Return P(label | text) of every token, (tokens, labels); types that are not asked for count as outside."""
        import torch

        n_tokens = [len(tokens_of(text)) for text in texts]
        found = [np.tile(np.eye(len(self.outputs))[self.outputs.index(OUTSIDE)], (n, 1)) for n in n_tokens]
        with torch.inference_mode():
            for rows in batches_by_length(texts):
                logits, _ = self.network.of_tokens([texts[i] for i in rows])
                for i, probabilities in zip(rows, logits.double().softmax(-1).numpy(), strict=True):
                    found[i][:MOST_TOKENS] = probabilities[: min(n_tokens[i], MOST_TOKENS)]
        into = labels_into(labels, self.outputs)
        return [rows @ into for rows in found]


def labels_into(asked: Sequence[str], own: Sequence[str]) -> FloatArray:
    """Return the matrix (own, asked) that takes probabilities of ``own`` labels to those ``asked`` for.

    A label that is not asked for counts as outside.
    """
    matrix = np.zeros((len(own), len(asked)))
    for i, label in enumerate(own):
        matrix[i, asked.index(label if label in asked else OUTSIDE)] = 1.0
    return matrix


def train_tagger(
    examples: Sequence[TaggerExample],
    *,
    checkpoint: str,
    slot_types: Sequence[str],
    settings: FineTuningSettings = TAGGER,
    random_seed: int = 0,
) -> SlotTagger:
    """Return the tagger over ``slot_types`` that minimises the cross-entropy of the tokens' labels.

    Raises DataError without examples, and ConfigError for an unknown checkpoint.
    """
    from seedcorn.nlu.upper_half import fine_tune

    if not examples:
        raise DataError(wanted="utterances to train a tagger on", found="none")
    labels, texts = bio_labels(slot_types), [e.utterance.text for e in examples]
    targets = [_targets(e, labels) for e in examples]

    def loss(network: "UpperHalf", rows: NDArray[np.int64]) -> "Tensor":
        return _cross_entropy(network, [texts[i] for i in rows], [targets[i] for i in rows])

    network = fine_tune(
        checkpoint,
        texts,
        np.array([e.weight for e in examples]),
        loss,
        n_outputs=len(labels),
        settings=settings,
        random_seed=random_seed,
        description="fine-tuning the slot tagger",
    )
    return SlotTagger(checkpoint=checkpoint, outputs=labels, tensors=network.trained())


def _targets(example: TaggerExample, labels: Sequence[str]) -> NDArray[np.float32]:
    from seedcorn.nlu.encoders import encoder_tokens

    if example.targets is not None:
        return np.asarray(example.targets, dtype=np.float32)
    own = labels_of(encoder_tokens(example.utterance.text), example.utterance.slots)
    return np.eye(len(labels), dtype=np.float32)[[labels.index(label) for label in own]]


def _cross_entropy(network: "UpperHalf", texts: Sequence[str], targets: Sequence[NDArray[np.float32]]) -> "Tensor":
    """Return the mean cross-entropy of the real tokens of ``texts``."""
    import torch

    logits, mask = network.of_tokens(texts)
    wanted = torch.zeros(logits.shape)
    for place, rows in enumerate(targets):
        wanted[place, : len(rows)] = torch.from_numpy(rows)
    return -(wanted.to(logits.device) * logits.log_softmax(-1)).sum() / mask.sum().clamp(min=1)
