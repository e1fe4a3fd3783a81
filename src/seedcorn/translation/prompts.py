"""Prompts of causal language models that translate: the source, a line end, then the model writes the target."""

from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

from seedcorn.errors import DataError

SEPARATOR = "\n"


def prompt_ids(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], max_length: int) -> list[list[int]]:
    """Return the tokens of each of ``texts`` as a prompt, at most ``max_length`` of the text and those of its start."""
    asked = tokenizer(SEPARATOR, add_special_tokens=False).input_ids
    return [[*ids, *asked] for ids in tokenizer(list(texts), truncation=True, max_length=max_length).input_ids]


def answer_ids(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], max_length: int) -> list[list[int]]:
    """Return the tokens of each of ``texts`` as what follows a prompt, the end included, at most ``max_length`` long.

    Raises DataError when the tokenizer has no token for an end.
    """
    if tokenizer.eos_token_id is None:
        raise DataError(wanted="a tokenizer with an end of sentence", found=f"none in {tokenizer.name_or_path}")
    cut = tokenizer(list(texts), truncation=True, max_length=max_length - 1, add_special_tokens=False).input_ids
    return [[*ids, int(tokenizer.eos_token_id)] for ids in cut]


def padding_of(tokenizer: PreTrainedTokenizerBase) -> int:
    """Return what fills batches; causal language models often have nothing for that, and never look at it."""
    return int(tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id)
