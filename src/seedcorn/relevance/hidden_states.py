"""What computes the token vectors of an encoder checkpoint: torch, or 8-bit integers by ctranslate2.

A row's numbers may not depend on the rows beside it, or they would change with the batches. Rows of a batch have one
length, so that nothing is padded. Integer products are exact and their scales are a token's own, so 8 bits are the same
in any batch; the float kernels of torch are once a product has more than a few rows, so small batches are filled up.
"""

import tempfile
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from seedcorn.errors import ConfigError
from seedcorn.pretrained import quiet_transformers

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_KNOWN_TO_CTRANSLATE2 = {"BertConfig", "DistilBertConfig", "RobertaConfig", "XLMRobertaConfig", "CamembertConfig"}
FEWEST_ROWS = 8  # from 4 on the float kernels gave every row the same bytes

HiddenStates: TypeAlias = Callable[[Sequence[Sequence[int]]], NDArray[np.float32]]
"""Token vectors (n, length, d), float32, of n rows of token ids of one length."""


class EncoderPrecision(StrEnum):
    """The numbers that an encoder computes with."""

    AUTO = "auto"  # bfloat16 on a GPU that has it; else int8 where ctranslate2 knows the architecture; else float32
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    INT8 = "int8"  # weights and activations in 8 bits (ctranslate2), on any processor


def resolve_precision(wanted: EncoderPrecision, model: "PreTrainedModel") -> EncoderPrecision:
    """Return what ``wanted`` comes to for ``model`` on this machine; AUTO never raises.

    Raises ConfigError when 8 bits are wanted and ctranslate2 does not know the architecture.
    """
    import torch

    known = type(model.config).__name__ in _KNOWN_TO_CTRANSLATE2 and not model.config.is_encoder_decoder
    if wanted is EncoderPrecision.INT8 and not known:
        raise ConfigError(
            wanted="an encoder that ctranslate2 knows, for int8",
            found=type(model.config).__name__,
            fix="Take the precision float32.",
        )
    if wanted is not EncoderPrecision.AUTO:
        return wanted
    if torch.cuda.is_available():
        return EncoderPrecision.BFLOAT16 if torch.cuda.is_bf16_supported() else EncoderPrecision.FLOAT32
    return EncoderPrecision.INT8 if known else EncoderPrecision.FLOAT32


def batches_at_once(precision: EncoderPrecision) -> int:
    """Return how many batches are computed at a time: in 8 bits one a thread, which small networks gain most by."""
    import torch

    return torch.get_num_threads() if precision is EncoderPrecision.INT8 else 1


def hidden_states_of(model: "PreTrainedModel", name: str, precision: EncoderPrecision) -> HiddenStates:
    """Return what computes the last token vectors of ``model``, the checkpoint called ``name``."""
    if precision is EncoderPrecision.INT8:
        return _int8_states(model, name)
    return _torch_states(model, bfloat16=precision is EncoderPrecision.BFLOAT16)


def _torch_states(model: "PreTrainedModel", *, bfloat16: bool) -> HiddenStates:
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = model.to(device, torch.bfloat16 if bfloat16 else torch.float32)

    @torch.inference_mode()
    def states(rows: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        filled = [*rows, *[rows[0]] * (FEWEST_ROWS - len(rows))]
        ids = torch.tensor(filled, device=device)
        vectors = model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
        return np.asarray(vectors[: len(rows)].float().cpu().numpy())

    return states


def _int8_states(model: "PreTrainedModel", name: str) -> HiddenStates:
    import ctranslate2
    import torch
    from ctranslate2.converters import TransformersConverter
    from transformers import AutoTokenizer

    if not hasattr(model.config, "position_embedding_type"):  # newer transformers know no other, converters ask
        model.config.position_embedding_type = "absolute"
    with tempfile.TemporaryDirectory(prefix="seedcorn-") as folder, quiet_transformers():
        model.save_pretrained(f"{folder}/float32")
        AutoTokenizer.from_pretrained(name).save_pretrained(f"{folder}/float32")
        TransformersConverter(f"{folder}/float32").convert(f"{folder}/int8", quantization="int8")
        encoder = ctranslate2.Encoder(
            f"{folder}/int8", compute_type="int8", intra_threads=1, inter_threads=torch.get_num_threads()
        )

    def states(rows: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        return np.array(encoder.forward_batch([list(row) for row in rows]).last_hidden_state, dtype=np.float32)

    return states
