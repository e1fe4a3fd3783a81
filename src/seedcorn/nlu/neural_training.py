"""Training the neural NLU model: intents and slots together, until the loss on held-out utterances stops falling."""

import copy
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from seedcorn.corpus.utterances import Utterance
from seedcorn.nlu.bio_decoding import bio_labels
from seedcorn.nlu.encoders import encoder_tokens
from seedcorn.nlu.model import NluModel, check_trainable
from seedcorn.nlu.neural import TEXTS_PER_BATCH, JointNetwork, NeuralNlu, NeuralSettings, encoder_of
from seedcorn.nlu.tokens import labels_of
from seedcorn.progress import say

_PADDED = -100  # the target that torch's cross entropy leaves out


@dataclass(frozen=True)
class _Example:
    utterance: Utterance
    weight: float
    slot_weight: float


def train_neural(
    utterances: Sequence[Utterance],
    *,
    weights: Sequence[float] | None = None,
    slot_weights: Sequence[float] | None = None,
    excluded_intents: Collection[str] = (),
    teacher: NluModel | None = None,
    slots_of_teacher: bool = False,
    settings: NeuralSettings = NeuralSettings(),
    random_seed: int = 0,
) -> NeuralNlu:
    """Return the network trained with AdamW until its loss on held-out utterances stops falling, at its best epoch.

    ``slot_weights`` are ``weights`` when None. An utterance without intent is known to have none of
    ``excluded_intents``: its loss is -log of the probability of all others. Of a ``teacher`` nothing is taken over. One
    random seed gives the same weights on one machine and thread count. Raises DataError as ``check_trainable`` does,
    and ConfigError for an unknown checkpoint.
    """
    check_trainable(utterances, excluded_intents)
    weights = weights or [1.0] * len(utterances)
    examples = [_Example(*row) for row in zip(utterances, weights, slot_weights or weights, strict=True)]
    intents = tuple(sorted({u.intent for u in utterances} - {""}))
    labels = bio_labels([s.type for u in utterances for s in u.slots])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(random_seed)
        network = JointNetwork(
            encoder_of(settings), n_intents=len(intents), n_labels=len(labels), dropout=settings.dropout
        )
        model = NeuralNlu(network=network, intents=intents, labels=labels, settings=settings)
        _fit(
            model,
            examples,
            [i for i, intent in enumerate(intents) if intent in excluded_intents],
            np.random.default_rng(random_seed),
        )
    return model


def _fit(model: NeuralNlu, examples: Sequence[_Example], excluded: Sequence[int], rng: np.random.Generator) -> None:
    """Train in place; with fewer than 20 examples nothing is held out and all epochs run."""
    order = rng.permutation(len(examples))
    n_held_out = round(model.settings.held_out_fraction * len(examples)) if len(examples) >= 20 else 0
    held_out = [examples[i] for i in order[:n_held_out]]
    kept = [examples[i] for i in order[n_held_out:]]
    optimiser = torch.optim.AdamW(
        model.network.parameters(), lr=model.settings.learning_rate, weight_decay=model.settings.weight_decay
    )
    best_loss, best_epoch, best_state = float("inf"), 0, model.network.state_dict()
    for epoch in range(1, model.settings.most_epochs + 1):
        _train_epoch(model, kept, excluded, optimiser, rng)
        if not held_out:
            continue
        loss = _mean_loss(model, held_out, excluded)
        say(f"epoch {epoch}: held-out loss {loss:.3f}")
        if loss < best_loss:
            best_loss, best_epoch, best_state = loss, epoch, copy.deepcopy(model.network.state_dict())
        elif epoch - best_epoch >= model.settings.n_epochs_without_gain:
            break
    model.network.load_state_dict(best_state)
    model.network.eval()


def _train_epoch(
    model: NeuralNlu,
    examples: Sequence[_Example],
    excluded: Sequence[int],
    optimiser: torch.optim.Optimizer,
    rng: np.random.Generator,
) -> None:
    model.network.train()
    for rows in _batches(rng.permutation(len(examples)), model.settings.batch_size):
        optimiser.zero_grad()
        _loss(model, [examples[i] for i in rows], excluded).backward()
        nn.utils.clip_grad_norm_(model.network.parameters(), 1.0)
        optimiser.step()


@torch.inference_mode()
def _mean_loss(model: NeuralNlu, examples: Sequence[_Example], excluded: Sequence[int]) -> float:
    model.network.eval()
    batches = list(_batches(np.arange(len(examples)), TEXTS_PER_BATCH))
    losses = [float(_loss(model, [examples[i] for i in rows], excluded)) * len(rows) for rows in batches]
    return sum(losses) / len(examples)


def _batches(order: NDArray[np.int64], size: int) -> Iterator[NDArray[np.int64]]:
    for start in range(0, len(order), size):
        yield order[start : start + size]


def _loss(model: NeuralNlu, examples: Sequence[_Example], excluded: Sequence[int]) -> Tensor:
    """Return the mean over examples of intent loss x weight + mean token loss x slot weight."""
    batch = model.network.encoder.prepare([e.utterance.text for e in examples])
    intent_logits, label_logits = model.network(batch)
    intent_losses = _intent_losses(model, intent_logits, examples, excluded)
    label_losses = _label_losses(model, label_logits, examples) / batch.mask.sum(dim=1)
    weights = torch.tensor([[e.weight, e.slot_weight] for e in examples], dtype=torch.float32)
    return (weights[:, 0] * intent_losses + weights[:, 1] * label_losses).mean()


def _intent_losses(model: NeuralNlu, logits: Tensor, examples: Sequence[_Example], excluded: Sequence[int]) -> Tensor:
    """Return -log of the probability of the intents that each example may have, shape (examples,)."""
    possible = torch.ones(len(examples), len(model.intents), dtype=torch.bool)
    possible[:, list(excluded)] = False
    for i, e in enumerate(examples):
        if e.utterance.intent:
            possible[i] = False
            possible[i, model.intents.index(e.utterance.intent)] = True
    return logits.logsumexp(dim=1) - logits.masked_fill(~possible, -1e9).logsumexp(dim=1)


def _label_losses(model: NeuralNlu, logits: Tensor, examples: Sequence[_Example]) -> Tensor:
    """Return the summed cross entropy of the BIO labels of each example, shape (examples,); 0 without intent."""
    labels = torch.full(logits.shape[:2], _PADDED)
    for i, e in enumerate(examples):
        if e.utterance.intent:
            wanted = labels_of(encoder_tokens(e.utterance.text), e.utterance.slots)
            labels[i, : len(wanted)] = torch.tensor([model.labels.index(label) for label in wanted])
    return nn.functional.cross_entropy(logits.transpose(1, 2), labels, reduction="none").sum(dim=1)
