"""Encoders from transformers checkpoints: sentences as the mean of their token vectors, spans as that of their own."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from seedcorn.corpus.folding import Texts
from seedcorn.errors import DataError
from seedcorn.pretrained import loading
from seedcorn.relevance.embedding import Embeddings

SPAN_LAYER = 2 / 3  # of the layers: the last ones forget the words for the sentence


@dataclass(frozen=True)
class TransformerEncoder:
    """An encoder checkpoint with its tokenizer."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    batch_size: int

    @staticmethod
    def load(name: str, *, batch_size: int) -> "TransformerEncoder":
        """Load the checkpoint ``name``. Raises DataError when it or its tokenizer cannot be had."""
        fix = "Give a folder or a name on the model hub, or leave the built-in encoder."
        with loading(name, wanted="a sentence encoder with its tokenizer", fix=fix):
            tokenizer = AutoTokenizer.from_pretrained(name)
            model = AutoModel.from_pretrained(name)
        # Encoder-decoder checkpoints (LaBSE-like ones are plain encoders) are used by their encoder.
        encoder = model.get_encoder() if model.config.is_encoder_decoder else model
        return TransformerEncoder(encoder.eval(), tokenizer, batch_size)

    @torch.inference_mode()
    def encode(self, texts: Texts) -> Embeddings:
        """Return float32 rows of length one, shape (n, d)."""
        strings = [str(text) for text in (texts if isinstance(texts, Sequence) else texts.to_pylist())]
        by_length = np.argsort([len(text) for text in strings], kind="stable")
        rows = np.zeros((len(strings), int(self.model.config.hidden_size)), dtype=np.float32)
        for start in range(0, len(strings), self.batch_size):
            positions = by_length[start : start + self.batch_size]
            rows[positions] = self._encoded([strings[p] for p in positions])
        return rows

    @torch.inference_mode()
    def encode_spans(self, text: str, spans: Sequence[tuple[int, int]]) -> Embeddings:
        """Return one float32 row a span of characters of ``text``, shape (spans, d), from a layer in the middle.

        A row is the mean over the subwords that touch the span; zeros where none does, as beyond the longest text that
        the checkpoint takes. Raises DataError when its tokenizer does not tell where subwords are.
        """
        if not self.tokenizer.is_fast:
            raise DataError(wanted="a checkpoint with a fast tokenizer", found=type(self.tokenizer).__name__)
        inputs = self.tokenizer(text, truncation=True, return_offsets_mapping=True, return_tensors="pt")
        states = self.model(
            input_ids=inputs.input_ids, attention_mask=inputs.attention_mask, output_hidden_states=True
        ).hidden_states
        vectors = states[round(SPAN_LAYER * (len(states) - 1))][0].float().numpy()
        starts, ends = inputs.offset_mapping[0].numpy().T
        rows = np.zeros((len(spans), vectors.shape[1]), dtype=np.float32)
        for row, (start, end) in zip(rows, spans, strict=True):
            touching = (starts < end) & (ends > start)  # no special token: those are empty
            if touching.any():
                row[:] = vectors[touching].mean(axis=0)
        return rows

    def _encoded(self, texts: list[str]) -> Embeddings:
        inputs = self.tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
        states = self.model(input_ids=inputs.input_ids, attention_mask=inputs.attention_mask).last_hidden_state
        mask = inputs.attention_mask.unsqueeze(-1).to(states.dtype)
        means = (states * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1)
        return torch.nn.functional.normalize(means, dim=1).float().numpy()
