"""The neural NLU model: one transformer encoder under an intent classifier and a BIO tagger, trained together.

Joint intent and slots after Chen, Zhuo & Wang 2019 (arXiv 1902.10909); slots are decoded by Viterbi over well-formed
BIO. The encoder is a small one from scratch, or any pretrained checkpoint of transformers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from seedcorn.corpus.predictions import Prediction
from seedcorn.corpus.utterances import Slot
from seedcorn.nlu.bio_decoding import best_bio_labels
from seedcorn.nlu.encoders import EncoderInput, SmallEncoder, TokenEncoder, encoder_tokens, pretrained_encoder
from seedcorn.nlu.tokens import slot_at, spans_of
from seedcorn.selection import FloatArray

TEXTS_PER_BATCH = 256


@dataclass(frozen=True, kw_only=True)
class NeuralSettings:
    """The size of a small encoder, or the pretrained one to start from, and how to train.

    ``checkpoint`` names a pretrained encoder (give it a learning rate near 5e-5), which has a size of its own.
    """

    checkpoint: str | None = None
    n_dimensions: int = 128
    n_layers: int = 2
    n_heads: int = 4
    dropout: float = 0.2
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    batch_size: int = 32
    most_epochs: int = 30
    n_epochs_without_gain: int = 4
    held_out_fraction: float = 0.1


class JointNetwork(nn.Module):
    """Intent logits from the mean token vector, BIO logits from each token vector."""

    def __init__(self, encoder: TokenEncoder, *, n_intents: int, n_labels: int, dropout: float) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.intent = nn.Linear(encoder.n_dimensions, n_intents)
        self.label = nn.Linear(encoder.n_dimensions, n_labels)

    def forward(self, batch: EncoderInput) -> tuple[Tensor, Tensor]:
        """Return intent logits (texts, intents) and label logits (texts, tokens, labels)."""
        vectors = self.dropout(self.encoder(batch))
        real = batch.mask.unsqueeze(-1)
        mean = (vectors * real).sum(dim=1) / real.sum(dim=1)
        return self.intent(mean), self.label(vectors)


@dataclass(frozen=True, kw_only=True)
class NeuralNlu:
    """A trained network with the names of its outputs."""

    network: JointNetwork
    intents: tuple[str, ...]
    labels: tuple[str, ...]
    settings: NeuralSettings

    def intent_probabilities(self, texts: Sequence[str]) -> FloatArray:
        """Return P(intent | text), shape (texts, intents)."""
        if not texts:
            return np.zeros((0, len(self.intents)))
        return np.concatenate([intents for _, intents, _ in self._outputs(texts)])

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Return the most probable intent and the slots of the best BIO sequence of every text."""
        return [
            self._prediction(text, intents[i], label_logps[i])
            for batch, intents, label_logps in self._outputs(texts)
            for i, text in enumerate(batch)
        ]

    @torch.inference_mode()
    def _outputs(self, texts: Sequence[str]) -> Iterator[tuple[Sequence[str], FloatArray, FloatArray]]:
        self.network.eval()
        for start in range(0, len(texts), TEXTS_PER_BATCH):
            batch = texts[start : start + TEXTS_PER_BATCH]
            intents, labels = self.network(self.network.encoder.prepare(batch))
            yield batch, intents.double().softmax(-1).numpy(), labels.double().log_softmax(-1).numpy()

    def _prediction(self, text: str, intents: FloatArray, label_logps: FloatArray) -> Prediction:
        tokens = encoder_tokens(text)
        label_logps = label_logps[: len(tokens)]
        best = best_bio_labels(label_logps, self.labels)
        spans = [span for span in spans_of(best) if tokens[0].end]  # the stand-in for no tokens has no width
        chosen = np.exp([logps[self.labels.index(label)] for logps, label in zip(label_logps, best, strict=True)])
        slots: list[Slot] = [slot_at(tokens, span) for span in spans]
        return Prediction(
            intent=self.intents[int(intents.argmax())],
            intent_probability=float(intents.max()),
            slots=tuple(slots),
            # As with the CRF: the least sure token of the span and of its right neighbour.
            slot_probabilities=tuple(float(chosen[first : end + 1].min()) for first, end, _ in spans),
            all_slots_probability=float(chosen.prod()) if tokens[0].end else 1.0,
        )


def encoder_of(settings: NeuralSettings) -> TokenEncoder:
    """Return the encoder to train, from its checkpoint or from scratch."""
    if settings.checkpoint:
        return pretrained_encoder(settings.checkpoint)
    return SmallEncoder(
        n_dimensions=settings.n_dimensions,
        n_layers=settings.n_layers,
        n_heads=settings.n_heads,
        dropout=settings.dropout,
    )
