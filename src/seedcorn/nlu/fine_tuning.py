"""Fine-tuning the upper half of a pretrained encoder: the settings, the batches, the learning rate.

The lower half and the embeddings stay as they are: fifty utterances would only spoil them, and it is half the cost. The
network itself is in ``upper_half``, which needs torch.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedcorn.selection import FloatArray

# How often the functionality's utterances are seen an epoch: all together, and each at most.
_OWN_AN_EPOCH, _OWN_TIMES = 500.0, 10.0
_TEXTS_PER_BATCH = 64  # where nothing is trained
_BATCHES_SORTED_TOGETHER = 20  # texts of like length make batches with little padding
_WARM_UP = 0.1  # the share of all steps in which the learning rate rises


@dataclass(frozen=True, kw_only=True)
class FineTuningSettings:
    """How a network is fine-tuned; chosen on development functionalities of MASSIVE (see docs/algorithms).

    Where ``n_epochs`` are fewer than ``least_steps`` there are more of them.
    """

    n_epochs: int = 3
    least_steps: int = 0
    learning_rate: float = 3e-4
    head_learning_rate: float = 1e-3
    weight_decay: float = 0.01
    batch_size: int = 32
    dropout: float = 0.1


def rate_at(step: int, n_steps: int) -> float:
    """Return the share of the learning rate at ``step``: it rises for a tenth of all steps, then falls to zero."""
    n_rising = max(1.0, _WARM_UP * n_steps)
    return min((step + 1) / n_rising, max(0.0, (n_steps - step) / max(1.0, n_steps - n_rising)))


def batches_of_epoch(
    texts: Sequence[str], weights: FloatArray, size: int, rng: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    """Yield the batches of one epoch in random order: rows of like length, each as often as its weight says.

    Of a weight that is not whole the rest is the chance of once more.
    """
    lengths = np.array([len(text) for text in texts])
    times = np.floor(weights + rng.random(len(weights))).astype(np.int64)
    order = rng.permutation(np.repeat(np.arange(len(weights)), times))
    chunk = size * _BATCHES_SORTED_TOGETHER
    parts = [order[start : start + chunk] for start in range(0, len(order), chunk)]
    by_length = [part[np.argsort(lengths[part], kind="stable")] for part in parts]
    batches = [part[start : start + size] for part in by_length for start in range(0, len(part), size)]
    for i in rng.permutation(len(batches)):
        yield batches[i]


def batches_of(
    texts: Sequence[str], weights: FloatArray, settings: FineTuningSettings, rng: np.random.Generator
) -> list[NDArray[np.int64]]:
    """Return the batches of all epochs."""
    steps_an_epoch = max(1.0, weights.sum() / settings.batch_size)
    n_epochs = max(settings.n_epochs, math.ceil(settings.least_steps / steps_an_epoch))
    return [rows for _ in range(n_epochs) for rows in batches_of_epoch(texts, weights, settings.batch_size, rng)]


def times_of_own(n_own: int) -> float:
    """Return how often each of ``n_own`` utterances of the functionality is seen an epoch."""
    return min(_OWN_TIMES, max(1.0, _OWN_AN_EPOCH / max(1, n_own)))


def batches_by_length(texts: Sequence[str]) -> Iterator[NDArray[np.int64]]:
    """Yield the positions of ``texts`` in batches of like length, the shortest first, equals in order."""
    order = np.argsort([len(text) for text in texts], kind="stable")
    for start in range(0, len(texts), _TEXTS_PER_BATCH):
        yield order[start : start + _TEXTS_PER_BATCH]
