"""Cross-entropy with label smoothing, its gradient computed on the way: no matrix of probabilities is ever stored.

With a small network most of a training step on a CPU is memory traffic of matrices as wide as the vocabulary.
"""

from typing import Protocol

import torch
from transformers.modeling_outputs import Seq2SeqLMOutput

from seedcorn.translation.batching import IGNORED_LABEL

LABEL_SMOOTHING = 0.1
_ROWS_AT_ONCE = 128  # of these the logits stay in the cache of a core


class _Saved(Protocol):
    saved_tensors: tuple[torch.Tensor]

    def save_for_backward(self, gradient: torch.Tensor) -> None: ...


class _SmoothedCrossEntropy(torch.autograd.Function):
    """The mean over the labels that are not ignored; the gradient is kept in the type of the logits."""

    @staticmethod
    def forward(context: _Saved, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        counted = labels != IGNORED_LABEL
        weights = counted / counted.sum().clamp_min(1)
        even = LABEL_SMOOTHING / logits.shape[1]
        gradient = torch.empty_like(logits)
        total = torch.zeros((), device=logits.device)
        for start in range(0, len(logits), _ROWS_AT_ONCE):
            rows = slice(start, start + _ROWS_AT_ONCE)
            logps = torch.log_softmax(logits[rows].float(), dim=1)
            label = labels[rows].clamp_min(0).unsqueeze(1)
            of_label = logps.gather(1, label).squeeze(1)
            losses = -(1 - LABEL_SMOOTHING) * of_label - LABEL_SMOOTHING * logps.mean(dim=1)
            total += losses @ weights[rows]
            slopes = logps.exp_().sub_(even)
            slopes.scatter_add_(1, label, slopes.new_full(label.shape, LABEL_SMOOTHING - 1))
            gradient[rows] = slopes.mul_(weights[rows].unsqueeze(1))
        context.save_for_backward(gradient)
        return total

    @staticmethod
    def backward(context: _Saved, slope: torch.Tensor) -> tuple[torch.Tensor, None]:
        (gradient,) = context.saved_tensors
        return gradient * slope.to(gradient.dtype), None


def smoothed_loss(
    outputs: Seq2SeqLMOutput, labels: torch.Tensor, num_items_in_batch: torch.Tensor | int | None = None
) -> torch.Tensor:
    """Return the mean cross-entropy of the target tokens with label smoothing (Szegedy et al. 2016, section 7)."""
    logits = outputs.logits
    return _SmoothedCrossEntropy.apply(logits.view(-1, logits.shape[-1]), labels.view(-1))
