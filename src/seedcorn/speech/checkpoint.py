"""Posteriors of a pretrained recogniser: any CTC checkpoint of ``transformers``, by name or folder."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seedcorn.errors import require
from seedcorn.pretrained import loading
from seedcorn.speech.alphabet import BLANK, WORD_BOUNDARY, Alphabet
from seedcorn.speech.posteriors import LogPosteriors

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, SequenceFeatureExtractor


_WANTED = "a CTC checkpoint of transformers with its tokenizer and feature extractor"
_FIX = "Save the processor into the checkpoint's folder too: processor.save_pretrained(folder)."
_SHORTEST_SECONDS = 0.05  # two windows of spectral features, where the model does not count in samples


@dataclass(frozen=True, kw_only=True)
class CtcCheckpoint:
    """A pretrained CTC model, what prepares audio for it, and what its columns mean."""

    model: "PreTrainedModel"
    feature_extractor: "SequenceFeatureExtractor"
    alphabet: Alphabet
    samples_per_second: int


def load_ctc_checkpoint(name: str) -> CtcCheckpoint:
    """Return the checkpoint called ``name`` on the Hugging Face hub, or in the folder ``name``.

    Raises DataError when there is none, it is no CTC model, or its tokenizer or feature extractor is missing;
    MissingExtraError without transformers.
    """
    transformers = require("transformers", extra="neural")
    with loading(name, wanted=_WANTED, fix=_FIX):
        # One by one: a processor may also bring a decoder of its own, which needs a package that nothing here uses.
        feature_extractor = transformers.AutoFeatureExtractor.from_pretrained(name)
        tokenizer = transformers.AutoTokenizer.from_pretrained(name)
        model = transformers.AutoModelForCTC.from_pretrained(name)
    return CtcCheckpoint(
        model=model.eval(),
        feature_extractor=feature_extractor,
        alphabet=_alphabet_of(tokenizer, model.config.vocab_size),
        samples_per_second=int(feature_extractor.sampling_rate),
    )


def emit_with_checkpoint(checkpoint: CtcCheckpoint, waves: Iterable[NDArray[np.float32]]) -> list[LogPosteriors]:
    """Return the natural-log posteriors (steps, symbols) of each wave at the checkpoint's rate, one after the other.

    A wave too short for a single step gives none.
    """
    torch = require("torch", extra="speech")
    with torch.inference_mode():
        return [_emit_one(checkpoint, wave) for wave in waves]


def _emit_one(checkpoint: CtcCheckpoint, wave: NDArray[np.float32]) -> LogPosteriors:
    import torch

    if len(wave) < _shortest_wave(checkpoint):
        return np.zeros((0, len(checkpoint.alphabet)), dtype=np.float16)
    inputs = checkpoint.feature_extractor(wave, sampling_rate=checkpoint.samples_per_second, return_tensors="pt")
    logits = checkpoint.model(**inputs).logits[0]
    return torch.log_softmax(logits.float(), dim=-1).numpy().astype(np.float16)


def _shortest_wave(checkpoint: CtcCheckpoint) -> int:
    """Return how many samples the first convolutions need for one step, a guess where the model has none."""
    config = checkpoint.model.config
    if not hasattr(config, "conv_kernel"):
        return int(_SHORTEST_SECONDS * checkpoint.samples_per_second)
    n_samples = 1
    for kernel, stride in zip(reversed(config.conv_kernel), reversed(config.conv_stride), strict=True):
        n_samples = (n_samples - 1) * stride + kernel
    return n_samples


def seconds_per_step(checkpoint: CtcCheckpoint) -> float:
    """Return the time between two steps, measured on silence: not every configuration tells it, or tells it right."""
    silences = [np.zeros(seconds * checkpoint.samples_per_second, dtype=np.float32) for seconds in (1, 3)]
    short, long = (len(logps) for logps in emit_with_checkpoint(checkpoint, silences))
    return 2.0 / (long - short)


def _alphabet_of(tokenizer: "PreTrainedTokenizerBase", n_columns: int) -> Alphabet:
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
