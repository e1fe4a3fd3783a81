"""Encoders from transformers checkpoints: sentences as the mean of their token vectors, spans as that of their own."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from transformers import AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from seedcorn.corpus.normalising import Texts
from seedcorn.corpus.parallel import map_in_order
from seedcorn.errors import DataError
from seedcorn.pretrained import loading, n_subwords_max
from seedcorn.relevance.hidden_states import (
    EncoderPrecision,
    HiddenStates,
    batches_at_once,
    hidden_states_of,
    resolve_precision,
)
from seedcorn.relevance.sentence_vectors import Embeddings

SPAN_LAYER = 2 / 3  # of the layers: the last ones forget the words for the sentence
_FIX = "Give a folder or a name on the model hub, or leave the built-in encoder."


@dataclass(frozen=True)
class TransformerEncoder:
    """An encoder checkpoint with its tokenizer; its two computations are loaded on first use."""

    name: str
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    batch_size: int
    precision: EncoderPrecision

    @staticmethod
    def load(
        name: str, *, batch_size: int, precision: EncoderPrecision = EncoderPrecision.AUTO
    ) -> "TransformerEncoder":
        """Load the checkpoint ``name``. Raises DataError when it or its tokenizer cannot be had."""
        with loading(name, wanted="a sentence encoder with its tokenizer", fix=_FIX):
            tokenizer = AutoTokenizer.from_pretrained(name)
        model = _encoder_of(name)
        return TransformerEncoder(name, model, tokenizer, batch_size, resolve_precision(precision, model))

    @property
    def n_dimensions(self) -> int:
        """How long its vectors are."""
        return int(self.model.config.hidden_size)

    @property
    def n_subwords_max(self) -> int:
        """How many subwords of a text it sees: what both the tokenizer and the network allow."""
        return min(self.tokenizer.model_max_length, n_subwords_max(self.model.config))

    @cached_property
    def digest(self) -> str:
        """What the vectors depend on beside the text: weights, tokenizer and precision."""
        hashed = hashlib.sha256(f"{self.precision} {SPAN_LAYER}".encode())
        hashed.update(repr(sorted(self.tokenizer.get_vocab().items())).encode())
        for key, weight in self.model.state_dict().items():
            hashed.update(key.encode() + weight.float().cpu().numpy().tobytes())
        return hashed.hexdigest()

    @cached_property
    def _last_layer(self) -> HiddenStates:
        return hidden_states_of(self.model, self.name, self.precision)

    @cached_property
    def _span_layer(self) -> HiddenStates:
        n_layers = max(1, round(SPAN_LAYER * int(self.model.config.num_hidden_layers)))
        return hidden_states_of(_encoder_of(self.name, n_layers), self.name, self.precision)

    def encode(self, texts: Texts) -> Embeddings:
        """Return float32 rows of length one, shape (n, d), a row always the same whatever else is encoded with it."""
        strings = [str(text) for text in (texts if isinstance(texts, Sequence) else texts.to_pylist())]
        rows = np.zeros((len(strings), self.n_dimensions), dtype=np.float32)
        ids = self.tokenizer(strings, truncation=True, max_length=self.n_subwords_max)["input_ids"] if strings else []
        for positions, states in self._states_of(ids, self._last_layer):
            means = states.mean(axis=1)
            rows[positions] = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
        return rows

    def encode_spans(self, text: str, spans: Sequence[tuple[int, int]]) -> Embeddings:
        """Return one float32 row a span of characters of ``text``, shape (spans, d), from a layer in the middle.

        A row is the mean over the subwords that touch the span; zeros where none does, as beyond the longest text that
        the checkpoint takes. Raises DataError when its tokenizer does not tell where subwords are.
        """
        return self.encode_spans_of([text], [spans])[0]

    def encode_spans_of(
        self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]
    ) -> list[NDArray[np.float32]]:
        """Return what ``encode_spans`` returns for each of ``texts``, the same bytes, many times faster."""
        if not self.tokenizer.is_fast:
            raise DataError(wanted="a checkpoint with a fast tokenizer", found=type(self.tokenizer).__name__)
        if not texts:
            return []
        inputs = self.tokenizer(
            list(texts), truncation=True, max_length=self.n_subwords_max, return_offsets_mapping=True
        )
        rows: list[NDArray[np.float32]] = [np.zeros((0, 0), np.float32)] * len(texts)
        for positions, states in self._states_of(inputs["input_ids"], self._span_layer):
            for p, vectors in zip(positions, states, strict=True):
                rows[p] = _means_of_spans(vectors, np.array(inputs["offset_mapping"][p]), spans[p])
        return rows

    def _states_of(
        self, ids: Sequence[Sequence[int]], layer: HiddenStates
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """Yield the positions of each batch of ``ids`` and their token vectors, (batch, length, d)."""
        batches = list(_of_equal_length(ids, self.batch_size))
        made = map_in_order(
            lambda positions: layer([ids[p] for p in positions]), batches, n_threads=batches_at_once(self.precision)
        )
        return zip(batches, made, strict=True)


def _encoder_of(name: str, n_layers: int | None = None) -> PreTrainedModel:
    """Return the encoder of the checkpoint ``name``, or its first ``n_layers`` layers."""
    with loading(name, wanted="a sentence encoder with its tokenizer", fix=_FIX):
        model = AutoModel.from_pretrained(name, **({} if n_layers is None else {"num_hidden_layers": n_layers}))
    # Encoder-decoder checkpoints (LaBSE-like ones are plain encoders) are used by their encoder.
    return (model.get_encoder() if model.config.is_encoder_decoder else model).eval()


def _of_equal_length(rows: Sequence[Sequence[int]], batch_size: int) -> Iterator[NDArray[np.int64]]:
    """Yield the positions of ``rows`` in batches whose rows have one length, so that none is padded."""
    lengths = np.array([len(row) for row in rows], dtype=np.int64)
    order = np.argsort(lengths, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(lengths[order])) + 1) if len(order) else []
    batches = [group[i : i + batch_size] for group in groups for i in range(0, len(group), batch_size)]
    yield from batches


def _means_of_spans(
    vectors: NDArray[np.float32], offsets: NDArray[np.int64], spans: Sequence[tuple[int, int]]
) -> NDArray[np.float32]:
    """Return one row a span: the mean of the ``vectors`` (subwords, d) whose ``offsets`` (subwords, 2) touch it."""
    starts, ends = offsets.T
    rows = np.zeros((len(spans), vectors.shape[1]), dtype=np.float32)
    for row, (start, end) in zip(rows, spans, strict=True):
        touching = (starts < end) & (ends > start) & (starts < ends)  # no special token: those are empty
        if touching.any():
            row[:] = vectors[touching].mean(axis=0)
    return rows
