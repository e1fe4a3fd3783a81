"""The translator's network: a small encoder-decoder transformer from scratch, or any pretrained checkpoint by name."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    PegasusConfig,
    PegasusForConditionalGeneration,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from seedcorn.errors import DataError
from seedcorn.pretrained import first_line, loading, quiet_transformers
from seedcorn.translation.settings import NetworkShape

_TRANSLATES = "a checkpoint that translates: an encoder-decoder or a causal language model"


def new_network(tokenizer: PreTrainedTokenizerBase, shape: NetworkShape, *, random_seed: int) -> PreTrainedModel:
    """Return an untrained network for the vocabulary of ``tokenizer``.

    The architecture is that of Pegasus, which normalises before each layer (Xiong et al. 2020): it bears higher
    learning rates than one that normalises after. Its places are sinusoids, its embeddings shared by both languages.
    """
    config = PegasusConfig(
        vocab_size=len(tokenizer),
        d_model=shape.width,
        encoder_layers=shape.n_encoder_layers,
        decoder_layers=shape.n_decoder_layers,
        encoder_attention_heads=shape.n_heads,
        decoder_attention_heads=shape.n_heads,
        encoder_ffn_dim=4 * shape.width,
        decoder_ffn_dim=4 * shape.width,
        max_position_embeddings=256,
        activation_function="relu",
        dropout=shape.dropout,
        attention_dropout=0.0,
        activation_dropout=0.0,
        scale_embedding=True,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        forced_eos_token_id=None,
        decoder_start_token_id=tokenizer.pad_token_id,
        init_std=shape.width**-0.5,
        normalize_before=True,  # these two are for converters, which take nothing for granted
        normalize_embedding=False,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(random_seed)
        return PegasusForConditionalGeneration(config)


def start_embeddings_at(model: PreTrainedModel, start: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> None:
    """Replace the embeddings of ``model``, which its output shares, by what ``start`` makes of their random start."""
    weight = model.get_input_embeddings().weight
    with torch.no_grad():
        weight.copy_(torch.from_numpy(start(weight.numpy(force=True))))


def pretrained(
    name: str, *, source_lang: str = "", target_lang: str = ""
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Return the checkpoint ``name`` (a folder, or a name on the model hub) in float32, and its tokenizer.

    It is an encoder-decoder or a causal language model. The languages are needed by many-language checkpoints only,
    under the names that the checkpoint uses. Raises DataError when the checkpoint, its tokenizer or one of the
    languages is missing, or it is of another kind.
    """
    tokenizer = load_tokenizer(name, source_lang=source_lang, target_lang=target_lang)
    kind = AutoModelForSeq2SeqLM if is_encoder_decoder(name) else AutoModelForCausalLM
    with loading(name, wanted=_TRANSLATES):
        model = kind.from_pretrained(name, dtype=torch.float32)
    saved_as = model.config.architectures or [type(model).__name__]
    if type(model).__name__ not in saved_as:  # transformers would give an encoder an untrained output
        raise DataError(wanted=_TRANSLATES, found=f"a {saved_as[0]}", where=name)
    if len(tokenizer) > model.get_input_embeddings().num_embeddings:
        raise DataError(
            wanted=f"a tokenizer of at most {model.get_input_embeddings().num_embeddings} tokens, as the network has",
            found=f"{len(tokenizer)}",
            where=name,
            fix="The tokenizer belongs to another checkpoint.",
        )
    return model, tokenizer


def is_encoder_decoder(name: str) -> bool:
    """Return whether the checkpoint ``name`` reads the source with an encoder; if not, it is a causal language model.

    Raises DataError when there is no checkpoint.
    """
    with loading(name, wanted=_TRANSLATES):
        return bool(AutoConfig.from_pretrained(name).is_encoder_decoder)


def load_tokenizer(name: str, *, source_lang: str = "", target_lang: str = "") -> PreTrainedTokenizerBase:
    """Return the tokenizer of the checkpoint ``name``; raises DataError when there is none or it needs a package."""
    try:
        with quiet_transformers():
            return AutoTokenizer.from_pretrained(name, src_lang=source_lang or None, tgt_lang=target_lang or None)
    except ImportError as error:
        raise DataError(
            wanted="the packages that the tokenizer of this checkpoint needs",
            found=first_line(error),
            where=name,
            fix="Most need: pip install sentencepiece.",
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:  # sentencepiece raises the last for a missing file
        raise DataError(
            wanted="a translation checkpoint with its tokenizer",
            found=f"no tokenizer ({first_line(error)})",
            where=name,
            fix="Save the tokenizer into the checkpoint's folder: tokenizer.save_pretrained(folder).",
        ) from error


def hold_padding_at_zero(model: PreTrainedModel) -> None:
    """Keep the padding row of a Marian network's embeddings at zero in training.

    Marian decoders start from it and count on it being zero, as ctranslate2 does; tied to the output, it would drift.
    """
    if model.config.model_type == "marian":
        weight, padding_id = model.get_input_embeddings().weight, model.config.pad_token_id
        with torch.no_grad():
            weight[padding_id] = 0
        padding_row = torch.tensor([padding_id])
        weight.register_hook(lambda gradient: gradient.index_fill(0, padding_row.to(gradient.device), 0))


def keep_logits_narrow(model: PreTrainedModel) -> None:
    """Hold a logit bias that is zero in bfloat16: added in float32 it would widen all logits."""
    bias = getattr(model, "final_logits_bias", None)
    if bias is not None and not bias.any():
        model.final_logits_bias = bias.to(torch.bfloat16)
