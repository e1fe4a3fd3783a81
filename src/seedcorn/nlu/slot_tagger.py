"""Slots by a pretrained encoder whose upper half is fine-tuned on them: beside the CRF another view of the same tokens.

The lower half and the embeddings stay as they are: fifty utterances would only spoil them, and it is half the cost. The
slots of all intents are learnt together, as what other functionalities call a date is one here too. After Chen, Zhuo &
Wang 2019 (arXiv 1902.10909) for tagging with a pretrained encoder; soft targets after Hinton et al. 2015 (1503.02531).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seedcorn.array_files import checked
from seedcorn.corpus.utterances import Utterance
from seedcorn.errors import DataError
from seedcorn.nlu.bio_decoding import bio_labels
from seedcorn.nlu.tokens import MOST_TOKENS, OUTSIDE, labels_of, tokens_of
from seedcorn.progress import track
from seedcorn.selection import FloatArray

if TYPE_CHECKING:
    from torch import Tensor, nn

    from seedcorn.nlu.encoders import PretrainedEncoder

_TEXTS_PER_BATCH = 64
_BATCHES_SORTED_TOGETHER = 20  # texts of like length make batches with little padding
_LAYER = re.compile(r"\blayers?\.(\d+)\.")
_TENSOR, _LABELS = "tagger/", "tagger-labels"
_WARM_UP = 0.1  # the share of all steps in which the learning rate rises


@dataclass(frozen=True, kw_only=True)
class TaggerSettings:
    """How the tagger is trained; chosen on development functionalities of MASSIVE (see docs/algorithms)."""

    n_epochs: int = 3
    learning_rate: float = 3e-4
    head_learning_rate: float = 1e-3
    weight_decay: float = 0.01
    batch_size: int = 32
    dropout: float = 0.1


@dataclass(frozen=True, kw_only=True)
class TaggerExample:
    """An utterance, how often it is seen an epoch (a share: with that chance), and what its tokens are.

    ``targets`` (tokens, labels) are distributions over the tagger's labels; its own slots where None.
    """

    utterance: Utterance
    weight: float = 1.0
    targets: FloatArray | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class SlotTagger:
    """A fine-tuned tagger: the checkpoint it began from, its BIO labels, and every tensor that differs from it."""

    checkpoint: str
    labels: tuple[str, ...]
    tensors: Mapping[str, NDArray[np.float32]]

    @cached_property
    def _network(self) -> "nn.Module":
        import torch

        network = _network(self.checkpoint, n_labels=len(self.labels), dropout=0.0)
        wanted = {name: p for name, p in network.named_parameters() if p.requires_grad}
        if {n: tuple(p.shape) for n, p in wanted.items()} != {n: t.shape for n, t in self.tensors.items()}:
            raise DataError(wanted=f"the tensors of a tagger over '{self.checkpoint}'", found="others")
        with torch.no_grad():
            for name, parameter in wanted.items():
                parameter.copy_(torch.from_numpy(self.tensors[name].copy()))
        return network.eval()

    def posteriors(self, texts: Sequence[str], labels: Sequence[str]) -> list[FloatArray]:
        """Return P(label | text) of every token, (tokens, labels); types that are not asked for count as outside."""
        import torch

        n_tokens = [len(tokens_of(text)) for text in texts]
        found = [np.tile(np.eye(len(self.labels))[self.labels.index(OUTSIDE)], (n, 1)) for n in n_tokens]
        order = np.argsort([len(text) for text in texts], kind="stable")
        with torch.inference_mode():
            for start in range(0, len(texts), _TEXTS_PER_BATCH):
                rows = order[start : start + _TEXTS_PER_BATCH]
                logits, _ = self._network([texts[i] for i in rows])
                for i, probabilities in zip(rows, logits.double().softmax(-1).numpy(), strict=True):
                    found[i][:MOST_TOKENS] = probabilities[: min(n_tokens[i], MOST_TOKENS)]
        into = labels_into(labels, self.labels)
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
    settings: TaggerSettings = TaggerSettings(),
    random_seed: int = 0,
) -> SlotTagger:
    """Return the tagger over ``slot_types``, trained with AdamW under a learning rate that rises, then falls to zero.

    One random seed gives the same weights on one machine and thread count. Raises DataError without examples, and
    ConfigError for an unknown checkpoint.
    """
    import torch

    labels = bio_labels(slot_types)
    if not examples:
        raise DataError(wanted="utterances to train a tagger on", found="none")
    rng = np.random.default_rng(random_seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(random_seed)
        network = _network(checkpoint, n_labels=len(labels), dropout=settings.dropout)
        _fit(network, examples, [_targets(e, labels) for e in examples], settings, rng)
    trained = {name: p.detach().numpy() for name, p in network.named_parameters() if p.requires_grad}
    return SlotTagger(checkpoint=checkpoint, labels=labels, tensors=trained)


def _targets(example: TaggerExample, labels: Sequence[str]) -> NDArray[np.float32]:
    from seedcorn.nlu.encoders import encoder_tokens

    if example.targets is not None:
        return np.asarray(example.targets, dtype=np.float32)
    own = labels_of(encoder_tokens(example.utterance.text), example.utterance.slots)
    return np.eye(len(labels), dtype=np.float32)[[labels.index(label) for label in own]]


def _network(checkpoint: str, *, n_labels: int, dropout: float) -> "nn.Module":
    """Return encoder and label head, its upper half trainable; called with texts it returns logits and mask."""
    from torch import nn

    from seedcorn.nlu.encoders import pretrained_encoder

    class Network(nn.Module):
        def __init__(self, encoder: "PretrainedEncoder") -> None:
            super().__init__()
            self.encoder, self.dropout = encoder, nn.Dropout(dropout)
            self.label = nn.Linear(encoder.n_dimensions, n_labels)

        def forward(self, texts: Sequence[str]) -> "tuple[Tensor, Tensor]":
            batch = self.encoder.prepare(texts)
            return self.label(self.dropout(self.encoder(batch))), batch.mask

    network = Network(pretrained_encoder(checkpoint))
    layer_of = {name: int(found[1]) for name, _ in network.named_parameters() if (found := _LAYER.search(name))}
    first_trained = (max(layer_of.values(), default=-1) + 1) // 2
    for name, parameter in network.encoder.named_parameters():
        parameter.requires_grad_(layer_of.get(f"encoder.{name}", -1) >= first_trained)
    return network


def _fit(
    network: "nn.Module",
    examples: Sequence[TaggerExample],
    targets: Sequence[NDArray[np.float32]],
    settings: TaggerSettings,
    rng: np.random.Generator,
) -> None:
    import torch

    weights = np.array([e.weight for e in examples])
    lengths = np.array([len(e.utterance.text) for e in examples])
    batches = [b for _ in range(settings.n_epochs) for b in _batches(weights, lengths, settings.batch_size, rng)]
    parameters = dict(network.named_parameters())
    trained = [p for name, p in parameters.items() if p.requires_grad and not name.startswith("label.")]
    groups = [
        {"params": trained, "lr": settings.learning_rate},
        {"params": [p for n, p in parameters.items() if n.startswith("label.")], "lr": settings.head_learning_rate},
    ]
    optimiser = torch.optim.AdamW(groups, weight_decay=settings.weight_decay)
    rate = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step, len(batches)))
    network.train()
    for rows in track(batches, "fine-tuning the slot tagger, batches", total=len(batches)):
        logits, mask = network([examples[i].utterance.text for i in rows])
        wanted = torch.zeros_like(logits)
        for place, i in enumerate(rows):
            wanted[place, : len(targets[i])] = torch.from_numpy(targets[i])
        loss = -(wanted * logits.log_softmax(-1)).sum() / mask.sum().clamp(min=1)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_([p for p in parameters.values() if p.requires_grad], 1.0)
        optimiser.step()
        rate.step()


def _rate(step: int, n_steps: int) -> float:
    """Return the share of the learning rate at ``step``: it rises for a tenth of all steps, then falls to zero."""
    n_rising = max(1.0, _WARM_UP * n_steps)
    return min((step + 1) / n_rising, max(0.0, (n_steps - step) / max(1.0, n_steps - n_rising)))


def _batches(
    weights: FloatArray, lengths: NDArray[np.int64], size: int, rng: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    """Yield the batches of one epoch in random order: rows of like length, each as often as its weight says."""
    times = np.floor(weights + rng.random(len(weights))).astype(np.int64)
    order = rng.permutation(np.repeat(np.arange(len(weights)), times))
    chunk = size * _BATCHES_SORTED_TOGETHER
    parts = [order[start : start + chunk] for start in range(0, len(order), chunk)]
    by_length = [part[np.argsort(lengths[part], kind="stable")] for part in parts]
    batches = [part[start : start + size] for part in by_length for start in range(0, len(part), size)]
    for i in rng.permutation(len(batches)):
        yield batches[i]


def tagger_arrays(tagger: SlotTagger) -> dict[str, NDArray[np.generic]]:
    """Return the arrays that ``load_tagger`` reads; what the tagger shares with its checkpoint is not among them."""
    tensors: dict[str, NDArray[np.generic]] = {f"{_TENSOR}{name}": rows for name, rows in tagger.tensors.items()}
    return tensors | {_LABELS: np.array(tagger.labels)}


def load_tagger(arrays: Mapping[str, NDArray[np.generic]], checkpoint: str | None) -> SlotTagger | None:
    """Return the tagger over ``checkpoint`` among the ``arrays`` of a saved model, or None where there is none.

    Raises ValueError for arrays that no tagger has.
    """
    if _LABELS not in arrays:
        return None
    labels = tuple(map(str, arrays[_LABELS].tolist()))
    if checkpoint is None or labels != bio_labels([label[2:] for label in labels if label != OUTSIDE]):
        raise ValueError("a slot tagger without its encoder or labels")
    names = [name for name in arrays if name.startswith(_TENSOR)]
    tensors = {
        name.removeprefix(_TENSOR): checked(arrays, name, np.float32, shape=(None,) * arrays[name].ndim)
        for name in names
    }
    return SlotTagger(checkpoint=checkpoint, labels=labels, tensors=tensors)
