"""What keeps a translator from learning its few pairs by heart, and its last steps from noise.

Word dropout and averaging of checkpoints, as Sennrich and Zhang 2019 ("Revisiting low-resource neural machine
translation") and Vaswani et al. 2017 use them.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from seedcorn.errors import ConfigError

_READ = ("input_ids", "decoder_input_ids")


def drop_words(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, *, probability: float) -> None:
    """Have ``model`` read, in training, each subword as the unknown one with ``probability``, on both sides.

    Ends, padding, placeholders and tags are always read; what is to be said is not changed. Draws come from torch's
    own generator, which checkpoints hold. Raises ConfigError when the tokenizer has no unknown subword.
    """
    if tokenizer.unk_token_id is None:
        raise ConfigError(wanted="a tokenizer with an unknown subword for word dropout", found="one without")
    always_read = torch.tensor(sorted({*tokenizer.all_special_ids, *tokenizer.get_added_vocab().values()}))

    def read_less(
        module: torch.nn.Module, args: tuple[object, ...], inputs: dict[str, torch.Tensor]
    ) -> tuple[tuple[object, ...], dict[str, torch.Tensor]] | None:
        if not module.training:
            return None
        for name in filter(inputs.__contains__, _READ):
            ids = inputs[name]
            dropped = torch.rand(ids.shape, device=ids.device) < probability
            dropped &= ~torch.isin(ids, always_read.to(ids.device))
            inputs[name] = ids.masked_fill(dropped, int(tokenizer.unk_token_id))
        return args, inputs

    model.register_forward_pre_hook(read_less, with_kwargs=True)


def average_checkpoints(folders: Sequence[Path]) -> dict[str, torch.Tensor]:
    """Return the mean, in float32, of the weights saved in ``folders`` of one network; there is at least one."""
    mean: dict[str, torch.Tensor] = {}
    for folder in folders:
        for name, weight in load_file(folder / "model.safetensors").items():
            part = weight.float() / len(folders)
            mean[name] = mean[name] + part if name in mean else part
    return mean
