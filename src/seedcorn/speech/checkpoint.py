"""Posteriors of a pretrained recogniser: any CTC checkpoint of ``transformers``, by name or folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seedcorn.errors import DataError, require
from seedcorn.progress import track
from seedcorn.speech.alphabet import BLANK, WORD_BOUNDARY, Alphabet
from seedcorn.speech.posteriors import LogPosteriors

if TYPE_CHECKING:
    from transformers import PreTrainedModel, ProcessorMixin


@dataclass(frozen=True, kw_only=True)
class CtcCheckpoint:
    """A pretrained CTC model, what prepares audio for it, and what its columns mean."""

    model: "PreTrainedModel"
    processor: "ProcessorMixin"
    alphabet: Alphabet
    samples_per_second: int


def load_ctc_checkpoint(name: str) -> CtcCheckpoint:
    """Return the checkpoint called ``name`` on the Hugging Face hub, or in the folder ``name``.

    Raises DataError when there is none, or it is no CTC model; MissingExtraError without transformers.
    """
    transformers = require("transformers", extra="neural")
    try:
        processor = transformers.AutoProcessor.from_pretrained(name)
        model = transformers.AutoModelForCTC.from_pretrained(name)
    except (OSError, ValueError) as error:
        raise DataError(
            wanted="a CTC checkpoint of transformers", found=str(error).split("\n")[0], where=name
        ) from error
    tokenizer = processor.tokenizer
    return CtcCheckpoint(
        model=model.eval(),
        processor=processor,
        alphabet=_alphabet_of(tokenizer, model.config.vocab_size),
        samples_per_second=int(processor.feature_extractor.sampling_rate),
    )


def emit_with_checkpoint(checkpoint: CtcCheckpoint, waves: Sequence[NDArray[np.float32]]) -> list[LogPosteriors]:
    """Return the natural-log posteriors (steps, symbols) of each wave at the checkpoint's rate, one after the other.

    A wave too short for a single step gives none.
    """
    torch = require("torch", extra="speech")
    emitted = []
    with torch.inference_mode():
        for wave in track(waves, "recognising recordings", total=len(waves)):
            emitted.append(_emit_one(checkpoint, wave))
    return emitted


def _emit_one(checkpoint: CtcCheckpoint, wave: NDArray[np.float32]) -> LogPosteriors:
    import torch

    if len(wave) < _shortest_wave(checkpoint):
        return np.zeros((0, len(checkpoint.alphabet)), dtype=np.float16)
    inputs = checkpoint.processor(wave, sampling_rate=checkpoint.samples_per_second, return_tensors="pt")
    logits = checkpoint.model(**inputs).logits[0]
    return torch.log_softmax(logits.float(), dim=-1).numpy().astype(np.float16)


def _shortest_wave(checkpoint: CtcCheckpoint) -> int:
    """Return how many samples the first convolutions need for one step, 1 where the model does not say."""
    config = checkpoint.model.config
    if not hasattr(config, "conv_kernel"):
        return 1
    n_samples = 1
    for kernel, stride in zip(reversed(config.conv_kernel), reversed(config.conv_stride), strict=True):
        n_samples = (n_samples - 1) * stride + kernel
    return n_samples


def seconds_per_step(checkpoint: CtcCheckpoint) -> float:
    """Return the time between two steps, 0.02 s where the model does not say."""
    ratio = getattr(checkpoint.model.config, "inputs_to_logits_ratio", None)
    return ratio / checkpoint.samples_per_second if ratio else 0.02


def _alphabet_of(tokenizer: "ProcessorMixin", n_columns: int) -> Alphabet:
    """Return the symbol of each column: the padding is the blank, other special symbols are never said.

    Symbols are lower-cased where that leaves them distinct, as words are in lower case everywhere.
    """
    names = {column: name for name, column in tokenizer.get_vocab().items()}
    special = {*tokenizer.all_special_tokens} - {tokenizer.pad_token}
    delimiter = getattr(tokenizer, "word_delimiter_token", None)
    symbols = []
    for column in range(n_columns):
        name = names.get(column, f"<unused-{column}>")
        if name == tokenizer.pad_token:
            symbols.append(BLANK)
        elif name == delimiter:
            symbols.append(WORD_BOUNDARY)
        else:
            symbols.append(f"<special-{column}>" if name in special else name)
    lowered = [symbol.lower() for symbol in symbols]
    return Alphabet(tuple(lowered if len(set(lowered)) == len(lowered) else symbols))
