"""Training batches of a fixed number of tokens, made of pairs of like length so that little of a batch is padding."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset
from transformers import PreTrainedTokenizerBase

from seedcorn.corpus.pairs import PairCorpus
from seedcorn.progress import track
from seedcorn.translation.prompts import answer_ids, prompt_ids

IGNORED_LABEL = -100


@dataclass(frozen=True)
class Sentences:
    """Token sequences end to end: sequence i is ``tokens[starts[i]:starts[i + 1]]``."""

    tokens: NDArray[np.int32]
    starts: NDArray[np.int64]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each sequence, shape (n,)."""
        return np.diff(self.starts)

    def __getitem__(self, position: int) -> NDArray[np.int32]:
        return self.tokens[self.starts[position] : self.starts[position + 1]]


@dataclass(frozen=True)
class TokenisedPairs:
    """Sentence pairs as token ids, the end of sentence included; too long ones are cut."""

    source: Sentences
    target: Sentences

    def __len__(self) -> int:
        return len(self.source.starts) - 1


def tokenise(
    pairs: PairCorpus, tokenizer: PreTrainedTokenizerBase, *, max_length: int, causal: bool = False
) -> TokenisedPairs:
    """Return ``pairs`` as token ids, each side at most ``max_length`` long.

    For a ``causal`` language model the sources are prompts.
    """
    source: list[list[int]] = []
    target: list[list[int]] = []
    for batch in track(pairs.batches(), "splitting pairs into subwords, batches"):
        if not batch.num_rows:
            continue
        sources, targets = batch.column("source").to_pylist(), batch.column("target").to_pylist()
        if causal:
            source += prompt_ids(tokenizer, sources, max_length)
            target += answer_ids(tokenizer, targets, max_length)
        else:
            source += tokenizer(sources, truncation=True, max_length=max_length).input_ids
            target += tokenizer(text_target=targets, truncation=True, max_length=max_length).input_ids
    return TokenisedPairs(_sentences(source), _sentences(target))


def _sentences(sequences: Sequence[Sequence[int]]) -> Sentences:
    starts = np.zeros(len(sequences) + 1, dtype=np.int64)
    np.cumsum([len(s) for s in sequences], out=starts[1:])
    return Sentences(np.fromiter((t for s in sequences for t in s), np.int32, count=int(starts[-1])), starts)


def pack(pairs: TokenisedPairs, *, tokens_per_batch: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """Return the positions of each batch: pairs sorted by length, cut where source and target, padded, are full.

    Pairs of equal lengths are in random order; every pair is in exactly one batch.
    """
    shuffled = rng.permutation(len(pairs))
    source, target = pairs.source.lengths[shuffled], pairs.target.lengths[shuffled]
    order = np.lexsort((source, target))
    batches: list[NDArray[np.int64]] = []
    start, longest_source = 0, 0
    for end, (n_source, n_target) in enumerate(zip(source[order], target[order], strict=True)):
        longest_source = max(longest_source, n_source)
        if end > start and (end - start + 1) * (longest_source + n_target) > tokens_per_batch:
            batches.append(shuffled[order[start:end]])
            start, longest_source = end, n_source
    if start < len(shuffled):
        batches.append(shuffled[order[start:]])
    return batches


class PackedBatches(Dataset[dict[str, torch.Tensor]]):
    """The packed batches as a dataset whose items are whole batches, so that a Trainer shuffles and resumes them."""

    def __init__(self, pairs: TokenisedPairs, batches: list[NDArray[np.int64]], *, padding_id: int) -> None:
        self.pairs, self.batches, self.padding_id = pairs, batches, padding_id

    def __len__(self) -> int:
        return len(self.batches)

    def sides(self, index: int) -> tuple[list[NDArray[np.int32]], list[NDArray[np.int32]]]:
        """Return the sources and the targets of the batch ``index``."""
        positions = self.batches[index]
        return [self.pairs.source[p] for p in positions], [self.pairs.target[p] for p in positions]


class EncoderDecoderBatches(PackedBatches):
    """Batches of an encoder-decoder, whose decoder reads its labels one step later."""

    def __init__(
        self, pairs: TokenisedPairs, batches: list[NDArray[np.int64]], *, padding_id: int, decoder_start_id: int
    ) -> None:
        super().__init__(pairs, batches, padding_id=padding_id)
        self.decoder_start_id = decoder_start_id

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        sources, targets = self.sides(index)
        source, labels = padded(sources, self.padding_id), padded(targets, IGNORED_LABEL)
        shifted = np.roll(labels, 1, axis=1)
        shifted[:, 0] = self.decoder_start_id
        shifted[shifted == IGNORED_LABEL] = self.padding_id
        return {
            "input_ids": torch.from_numpy(source),
            "attention_mask": torch.from_numpy((source != self.padding_id).astype(np.int64)),
            "decoder_input_ids": torch.from_numpy(shifted),
            "labels": torch.from_numpy(labels),
        }


class CausalBatches(PackedBatches):
    """Batches of a causal language model: prompts that end, and answers that begin, at one column.

    So the logits of the last columns, as many as labels, are all that is computed of the wide output.
    """

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return causal_batch(*self.sides(index), padding_id=self.padding_id)


def causal_batch(
    prompts: list[NDArray[np.int32]], answers: list[NDArray[np.int32]], *, padding_id: int
) -> dict[str, torch.Tensor]:
    """Return what a causal language model reads of prompts and answers, and the labels of its last columns."""
    labels = padded(answers, IGNORED_LABEL)
    read = np.hstack([padded(prompts, -1, at_end=False), padded(answers, -1)[:, :-1]])
    mask = (read >= 0).astype(np.int64)
    return {
        "input_ids": torch.from_numpy(np.where(read >= 0, read, padding_id)),
        "attention_mask": torch.from_numpy(mask),
        "position_ids": torch.from_numpy(np.maximum(mask.cumsum(axis=1) - 1, 0)),
        "logits_to_keep": torch.arange(read.shape[1] - labels.shape[1], read.shape[1]),
        "labels": torch.from_numpy(labels),
    }


def padded(sequences: list[NDArray[np.int32]], padding: int, *, at_end: bool = True) -> NDArray[np.int64]:
    """Return ``sequences`` as the rows of a matrix, filled at their end or their beginning."""
    rows = np.full((len(sequences), max(len(s) for s in sequences)), padding, dtype=np.int64)
    for row, sequence in zip(rows, sequences, strict=True):
        row[slice(len(sequence)) if at_end else slice(len(row) - len(sequence), None)] = sequence
    return rows


def only_item(batches: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """Return the one packed batch that a loader of batch size 1 collected."""
    (batch,) = batches
    return batch
