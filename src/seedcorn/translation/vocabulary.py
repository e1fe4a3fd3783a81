"""Trimming the vocabulary of a pretrained model to the languages at hand: its output is most of what training costs.

Models of a hundred languages know a quarter of a million subwords; the pairs of two languages use a tenth (Abdaoui,
Pradel and Sigel 2020, "Load what you need"). Byte-pair merges that none of the kept subwords needs are dropped, which
never fired in these texts: they are split as before.
"""

import json
from collections.abc import Iterable
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import PreTrainedModel, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from seedcorn.errors import ConfigError

N_COMMONEST = 30_000
"""The first subwords are the commonest of a byte-pair vocabulary; the domain's words may be among them."""


def trim_vocabulary(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, used: Iterable[int], *, n_commonest: int = N_COMMONEST
) -> PreTrainedTokenizerBase:
    """Keep the subwords ``used`` and the ``n_commonest`` first ones, in their order; return the trimmed tokenizer.

    ``model`` is changed in place. Named special tokens and single bytes stay. Raises ConfigError when it is no causal
    language model, or the tokenizer is none of byte pairs.
    """
    if model.config.is_encoder_decoder:
        raise ConfigError(wanted="a causal language model, to trim its vocabulary", found="an encoder-decoder")
    described = json.loads(tokenizer.backend_tokenizer.to_str()) if tokenizer.is_fast else {}
    if described.get("model", {}).get("type") != "BPE":
        raise ConfigError(wanted="a tokenizer of byte pairs, to trim its vocabulary", found="another kind")
    added = {token["content"]: token["id"] for token in described["added_tokens"]}
    vocab: dict[str, int] = {**described["model"]["vocab"], **added}
    kept = _needed(vocab, _merges(described), {*range(n_commonest), *used, *tokenizer.all_special_ids})
    new_id = {old: new for new, old in enumerate(kept)}
    _restrict(described, new_id)
    _keep_rows(model, kept)
    special = {name: str(token) for name, token in tokenizer.special_tokens_map.items() if isinstance(token, str)}
    trimmed = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(described)), clean_up_tokenization_spaces=False, **special
    )
    for config in filter(None, (model.config, model.generation_config)):
        config.bos_token_id, config.eos_token_id = trimmed.bos_token_id, trimmed.eos_token_id
        config.pad_token_id = trimmed.pad_token_id
    return trimmed


def _merges(described: dict[str, Any]) -> list[tuple[str, str]]:
    return [(left, right) for left, right in described["model"]["merges"]]


def _needed(vocab: dict[str, int], merges: list[tuple[str, str]], wanted: set[int]) -> list[int]:
    """Return the ids ``wanted``, those of single bytes, and of all that they are merged from, in ascending order."""
    kept = {token for token, i in vocab.items() if i in wanted or (token.startswith("<0x") and len(token) == 6)}
    for left, right in reversed(merges):  # what is merged comes before what it is merged into
        if left + right in kept:
            kept |= {left, right}
    return sorted(vocab[token] for token in kept)


def _restrict(described: dict[str, Any], new_id: dict[int, int]) -> None:
    """Leave what is described of a tokenizer with the ids in ``new_id``, under their new ones."""
    model = described["model"]
    model["vocab"] = {token: new_id[i] for token, i in model["vocab"].items() if i in new_id}
    known = model["vocab"]
    model["merges"] = [
        [left, right] for left, right in model["merges"] if left in known and right in known and left + right in known
    ]
    described["added_tokens"] = [
        {**token, "id": new_id[token["id"]]} for token in described["added_tokens"] if token["id"] in new_id
    ]
    for special in (described.get("post_processor") or {}).get("special_tokens", {}).values():
        special["ids"] = [new_id[i] for i in special["ids"]]


def _keep_rows(model: PreTrainedModel, kept: list[int]) -> None:
    """Leave the rows ``kept`` of the embeddings of ``model``, and of its output where that is not the same matrix."""
    rows = torch.tensor(kept)
    places = [model.get_input_embeddings(), model.get_output_embeddings()]
    old = [place.weight.detach()[rows].clone() for place in places]
    model.resize_token_embeddings(len(kept), mean_resizing=False)
    with torch.no_grad():
        for place, weight in zip([model.get_input_embeddings(), model.get_output_embeddings()], old, strict=True):
            place.weight.copy_(weight)
