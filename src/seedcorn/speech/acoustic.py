"""A small CTC acoustic model: strided convolution, depthwise-separable blocks, bidirectional LSTM.

Utterances are padded to multiples of PADDED_SAMPLES and batched only with others of the same length: nothing has to be
masked, and what the model says of an utterance does not depend on its batch.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from seedcorn.errors import DataError
from seedcorn.files import writing_whole
from seedcorn.speech.alphabet import Alphabet
from seedcorn.speech.features import N_MELS, SAMPLES_PER_FRAME, log_mel
from seedcorn.speech.synthesis import SAMPLES_PER_SECOND
from seedcorn.tensor_files import as_json, check_depth, check_seal, read_tensors, reading_saved, sealed, with_tensors

FRAMES_PER_STEP = 3
SECONDS_PER_STEP = FRAMES_PER_STEP * SAMPLES_PER_FRAME / SAMPLES_PER_SECOND
PADDED_SAMPLES = 48 * SAMPLES_PER_FRAME
_ABOUT = "acoustic_model"
_SILENCE_SAMPLES = 1_600  # at least, at both ends together twice this


@dataclass(frozen=True, kw_only=True)
class NetworkShape:
    """Sizes of the acoustic network."""

    n_channels: int
    n_blocks: int
    n_hidden: int
    n_lstm_layers: int
    dropout: float = 0.1


SMALL = NetworkShape(n_channels=320, n_blocks=4, n_hidden=192, n_lstm_layers=2)
TINY = NetworkShape(n_channels=96, n_blocks=2, n_hidden=64, n_lstm_layers=1, dropout=0.0)


class _SeparableBlock(nn.Module):
    """Depthwise convolution over time, pointwise over channels, residual."""

    def __init__(self, n_channels: int, dropout: float) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(n_channels, n_channels, 11, padding=5, groups=n_channels, bias=False)
        self.pointwise = nn.Conv1d(n_channels, n_channels, 1, bias=False)
        self.norm = nn.BatchNorm1d(n_channels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, signal: torch.Tensor) -> torch.Tensor:
        return signal + self.dropout(torch.relu(self.norm(self.pointwise(self.depthwise(signal)))))


class CtcNetwork(nn.Module):
    """Log-mel features (n, frames, N_MELS) to CTC log-probabilities (n, frames // 3, n_symbols)."""

    def __init__(self, shape: NetworkShape, n_symbols: int) -> None:
        super().__init__()
        self.stem = nn.Conv1d(N_MELS, shape.n_channels, 9, stride=FRAMES_PER_STEP, padding=3, bias=False)
        self.stem_norm = nn.BatchNorm1d(shape.n_channels)
        self.blocks = nn.Sequential(*[_SeparableBlock(shape.n_channels, shape.dropout) for _ in range(shape.n_blocks)])
        self.lstm = nn.LSTM(
            shape.n_channels,
            shape.n_hidden,
            shape.n_lstm_layers,
            batch_first=True,
            bidirectional=True,
            dropout=shape.dropout if shape.n_lstm_layers > 1 else 0.0,
        )
        self.dropout = nn.Dropout(shape.dropout)
        self.output = nn.Linear(2 * shape.n_hidden, n_symbols)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return natural-log probabilities in float32."""
        signal = self.blocks(torch.relu(self.stem_norm(self.stem(features.transpose(1, 2)))))
        hidden, _ = self.lstm(signal.transpose(1, 2).contiguous())
        return torch.log_softmax(self.output(self.dropout(hidden)).float(), dim=-1)


@dataclass(frozen=True, kw_only=True)
class AcousticModel:
    """A trained network, the symbols of its output and its shape."""

    network: CtcNetwork
    alphabet: Alphabet
    shape: NetworkShape

    def save(self, path: Path) -> None:
        """Write the model as one safetensors file."""
        from safetensors.numpy import save

        arrays = {name: tensor.numpy() for name, tensor in self.network.state_dict().items()}
        about = sealed({"alphabet": self.alphabet.symbols, "shape": asdict(self.shape)}, arrays)
        # One key, because safetensors writes several in any order, and the same model shall be the same bytes.
        with writing_whole(path) as partial:
            partial.write_bytes(save(arrays, {_ABOUT: json.dumps(about)}))


def load_acoustic_model(path: Path) -> AcousticModel:
    """Return the model that ``AcousticModel.save`` wrote; raises DataError when the file is something else."""
    weights, about = read_tensors(path, wanted="an acoustic model (safetensors)", extra="speech")
    if _ABOUT not in about:
        raise DataError(wanted="an acoustic model of Seedcorn", found="other weights", where=path)
    with reading_saved(path, wanted="an acoustic model of Seedcorn"):
        described = as_json(about[_ABOUT], dict[str, Any])
        check_seal(described, weights)
        alphabet = Alphabet(as_json(json.dumps(described["alphabet"]), tuple[str, ...]))
        shape = as_json(json.dumps(described["shape"]), NetworkShape)
        check_depth(shape.n_blocks + shape.n_lstm_layers, weights)
        network = with_tensors(lambda: CtcNetwork(shape, len(alphabet)), weights)
    return AcousticModel(network=network.eval(), alphabet=alphabet, shape=shape)


def padded_length(n_samples: int) -> int:
    """Return the length to which an utterance is padded with silence before it meets the network."""
    return -(-(n_samples + 2 * _SILENCE_SAMPLES) // PADDED_SAMPLES) * PADDED_SAMPLES


def padded(wave: NDArray[np.float32], *, silence_before: int | None = None) -> NDArray[np.float32]:
    """Return ``wave`` in silence of its padded length; in the middle unless ``silence_before`` samples are given."""
    longer = np.zeros(padded_length(len(wave)), dtype=np.float32)
    start = (len(longer) - len(wave)) // 2 if silence_before is None else silence_before
    longer[start : start + len(wave)] = wave
    return longer


def equal_length_batches(lengths: Sequence[int], *, max_samples: int) -> Iterator[list[int]]:
    """Yield positions of equal length, at most ``max_samples`` in all (or one position), shortest first."""
    batch: list[int] = []
    for position in sorted(range(len(lengths)), key=lambda p: lengths[p]):
        length = lengths[position]
        if batch and (lengths[batch[0]] != length or (len(batch) + 1) * length > max_samples):
            yield batch
            batch = []
        batch.append(position)
    if batch:
        yield batch


def emit(
    model: AcousticModel, waves: Sequence[NDArray[np.float32]], *, seconds_per_batch: float = 60.0
) -> list[NDArray[np.float16]]:
    """Return the natural-log posteriors (steps, n_symbols) of each wave (16 kHz, -1..1), float16, in order.

    Waves whose length is not that of ``padded`` are padded with silence first.
    """
    long = [wave if len(wave) and len(wave) % PADDED_SAMPLES == 0 else padded(wave) for wave in waves]
    emitted: list[NDArray[np.float16]] = [np.zeros((0, len(model.alphabet)), np.float16)] * len(waves)
    max_samples = int(seconds_per_batch * SAMPLES_PER_SECOND)
    with torch.inference_mode():
        for batch in equal_length_batches([len(wave) for wave in long], max_samples=max_samples):
            features = log_mel(torch.from_numpy(np.stack([long[p] for p in batch])))
            logps = model.network(features).numpy().astype(np.float16)
            for row, position in enumerate(batch):
                emitted[position] = logps[row]
    return emitted


def greedy_text(logps: NDArray[np.float16], alphabet: Alphabet) -> str:
    """Return the text of the best symbol at each step, repeats and blanks removed."""
    best = logps.argmax(axis=1)
    changed = np.flatnonzero(np.diff(best, prepend=-1))
    return " ".join("".join(alphabet.symbols[column] for column in best[changed]).split())
