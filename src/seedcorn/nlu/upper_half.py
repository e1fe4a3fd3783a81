"""A pretrained encoder with a linear head, of which the head and the upper half of the layers are trained."""

import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from seedcorn.bfloat16 import bf16_pays
from seedcorn.errors import DataError
from seedcorn.nlu.encoders import PretrainedEncoder, pretrained_encoder
from seedcorn.nlu.fine_tuning import FineTuningSettings, batches_of, rate_at
from seedcorn.progress import track
from seedcorn.selection import FloatArray
from seedcorn.torch_threads import one_torch_thread

_LAYER = re.compile(r"\blayers?\.(\d+)\.")
_LARGEST_GRADIENT = 1.0


class UpperHalf(nn.Module):
    """The network; its head answers for every token, or once for the mean of a text's subwords."""

    def __init__(self, encoder: PretrainedEncoder, *, n_outputs: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.encoder, self.dropout = encoder, nn.Dropout(dropout)
        self.head = nn.Linear(encoder.n_dimensions, n_outputs)
        layers = {name: int(found[1]) for name, _ in encoder.named_parameters() if (found := _LAYER.search(name))}
        first_trained = (max(layers.values(), default=-1) + 1) // 2
        for name, parameter in encoder.named_parameters():
            parameter.requires_grad_(layers.get(name, -1) >= first_trained)

    def of_tokens(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Return the outputs of every token, (texts, tokens, outputs), and which tokens are real, (texts, tokens)."""
        batch = self.encoder.prepare(texts).on(self.head.weight.device)
        return self.head(self.dropout(self.encoder(batch))), batch.mask

    def of_texts(self, texts: Sequence[str]) -> Tensor:
        """Return the outputs of every text, (texts, outputs)."""
        batch = self.encoder.prepare(texts).on(self.head.weight.device)
        is_subword = batch.tensors["attended"].unsqueeze(-1)
        means = (self.encoder.of_subwords(batch) * is_subword).sum(1) / is_subword.sum(1)
        outputs: Tensor = self.head(self.dropout(means))
        return outputs

    def trained(self) -> dict[str, NDArray[np.float32]]:
        """Return every tensor that may differ from the checkpoint."""
        return {name: p.detach().numpy() for name, p in self.named_parameters() if p.requires_grad}


def trained_network(checkpoint: str, tensors: Mapping[str, NDArray[np.float32]], *, n_outputs: int) -> UpperHalf:
    """Return the network over ``checkpoint`` with the ``tensors`` that ``UpperHalf.trained`` returned.

    Raises DataError for those of another one, ConfigError for an unknown checkpoint.
    """
    network = UpperHalf(pretrained_encoder(checkpoint), n_outputs=n_outputs)
    wanted = {name: p for name, p in network.named_parameters() if p.requires_grad}
    if {n: tuple(p.shape) for n, p in wanted.items()} != {n: t.shape for n, t in tensors.items()}:
        raise DataError(wanted=f"the tensors of a network over '{checkpoint}'", found="others")
    with torch.no_grad():
        for name, parameter in wanted.items():
            parameter.copy_(torch.from_numpy(tensors[name].copy()))
    return network.eval()


def fine_tune(
    checkpoint: str,
    texts: Sequence[str],
    weights: FloatArray,
    loss: Callable[[UpperHalf, NDArray[np.int64]], Tensor],
    *,
    n_outputs: int,
    settings: FineTuningSettings,
    random_seed: int,
    description: str,
) -> UpperHalf:
    """Return the network trained on ``texts``, each seen its weight (texts,) an epoch, for the ``loss`` of some rows.

    AdamW (Loshchilov & Hutter 2019) under a learning rate that rises, then falls to zero; on a GPU where there is one,
    else in one thread, in bfloat16 where it pays. One random seed gives the same weights on one processor; a GPU may
    add up in another order.
    """
    rng, bf16 = np.random.default_rng(random_seed), bf16_pays()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    with one_torch_thread(), torch.random.fork_rng():
        torch.manual_seed(random_seed)
        network = UpperHalf(pretrained_encoder(checkpoint), n_outputs=n_outputs, dropout=settings.dropout).to(device)
        batches = batches_of(texts, weights, settings, rng)
        optimiser = _optimiser(network, settings)
        rate = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: rate_at(step, len(batches)))
        network.train()
        for rows in track(batches, f"{description}, batches", total=len(batches)):
            optimiser.zero_grad()
            with torch.autocast(device.type, dtype=torch.bfloat16, enabled=bf16):
                of_batch = loss(network, rows)
            of_batch.backward()
            nn.utils.clip_grad_norm_([p for p in network.parameters() if p.requires_grad], _LARGEST_GRADIENT)
            optimiser.step()
            rate.step()
    return network.cpu().eval()


def _optimiser(network: UpperHalf, settings: FineTuningSettings) -> torch.optim.Optimizer:
    layers = [p for p in network.encoder.parameters() if p.requires_grad]
    groups = [
        {"params": layers, "lr": settings.learning_rate},
        {"params": list(network.head.parameters()), "lr": settings.head_learning_rate},
    ]
    return torch.optim.AdamW(groups, weight_decay=settings.weight_decay, fused=True)
