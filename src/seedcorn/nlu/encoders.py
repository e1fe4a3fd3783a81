"""Encoders of the neural NLU model: one vector a token, from scratch or from any pretrained checkpoint."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor, nn

from seedcorn.errors import ConfigError, DataError
from seedcorn.nlu.tokens import MOST_TOKENS, Token, tokens_of
from seedcorn.pretrained import n_subwords_max, quiet_transformers

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PretrainedConfig, PreTrainedModel

CHARACTER_NGRAM_LENGTHS = (2, 3, 4)
_N_WORD_BUCKETS = 1 << 15
_N_CHARACTER_BUCKETS = 1 << 15
_NO_TOKENS = (Token(0, 0, ""),)  # stands in for a text without tokens, so that no row of a batch is all padding


@dataclass(frozen=True, kw_only=True)
class EncoderInput:
    """A batch ready for its encoder: named tensors, and which tokens are real, shape (texts, tokens)."""

    tensors: Mapping[str, Tensor]
    mask: Tensor

    def on(self, device: torch.device) -> "EncoderInput":
        """Return the batch in the memory of ``device``."""
        return EncoderInput(tensors={n: t.to(device) for n, t in self.tensors.items()}, mask=self.mask.to(device))


class TokenEncoder(Protocol):
    """Turns texts into token vectors; a torch module too."""

    n_dimensions: int

    def prepare(self, texts: Sequence[str]) -> EncoderInput:
        """Return the batch of ``texts``; at most MOST_TOKENS tokens each."""
        ...

    def __call__(self, batch: EncoderInput) -> Tensor:
        """Return the vectors of the tokens, shape (texts, tokens, n_dimensions)."""
        ...


def encoder_tokens(text: str) -> tuple[Token, ...]:
    """Return the tokens that an encoder sees of ``text``: the first MOST_TOKENS, or one empty token."""
    return tuple(tokens_of(text)[:MOST_TOKENS]) or _NO_TOKENS


class SmallEncoder(nn.Module):
    """A transformer encoder from scratch over hashed words and hashed character n-grams, so that no word is unknown."""

    def __init__(self, *, n_dimensions: int, n_layers: int, n_heads: int, dropout: float) -> None:
        super().__init__()
        self.n_dimensions = n_dimensions
        self.words = nn.Embedding(_N_WORD_BUCKETS, n_dimensions)
        self.characters = nn.EmbeddingBag(_N_CHARACTER_BUCKETS, n_dimensions, mode="mean")
        self.places = nn.Embedding(MOST_TOKENS, n_dimensions)
        layer = nn.TransformerEncoderLayer(
            n_dimensions, n_heads, 4 * n_dimensions, dropout, activation="gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(
            layer, n_layers, norm=nn.LayerNorm(n_dimensions), enable_nested_tensor=False
        )
        self.dropout = nn.Dropout(dropout)

    def prepare(self, texts: Sequence[str]) -> EncoderInput:
        """Return word buckets (texts, tokens) and the character n-gram buckets of all real tokens, end to end."""
        tokens = [encoder_tokens(text) for text in texts]
        width = max(len(row) for row in tokens)
        word_ids = torch.zeros((len(texts), width), dtype=torch.long)
        mask = torch.zeros((len(texts), width), dtype=torch.bool)
        characters: list[int] = []
        offsets: list[int] = []
        for i, row in enumerate(tokens):
            mask[i, : len(row)] = True
            word_ids[i, : len(row)] = torch.tensor([_bucket(t.word, _N_WORD_BUCKETS) for t in row])
            for token in row:
                offsets.append(len(characters))
                characters += _character_buckets(token.word)
        tensors = {"words": word_ids, "characters": torch.tensor(characters), "offsets": torch.tensor(offsets)}
        return EncoderInput(tensors=tensors, mask=mask)

    def forward(self, batch: EncoderInput) -> Tensor:
        """Return the vectors of the tokens, shape (texts, tokens, n_dimensions)."""
        spelt = torch.zeros((*batch.mask.shape, self.n_dimensions))
        spelt[batch.mask] = self.characters(batch.tensors["characters"], batch.tensors["offsets"])
        places = self.places(torch.arange(batch.mask.shape[1]))
        summed: Tensor = self.dropout(self.words(batch.tensors["words"]) + spelt + places)
        encoded: Tensor = self.layers(summed, src_key_padding_mask=~batch.mask)
        return encoded


class PretrainedEncoder(nn.Module):
    """A transformers encoder; a token's vector is that of its first subword."""

    def __init__(self, model: "PreTrainedModel", tokenizer: "Tokenizer") -> None:
        super().__init__()
        self.model = model
        self.tokenizer = tokenizer
        self.n_dimensions = int(model.config.hidden_size)
        self.tokenizer.enable_truncation(min(n_subwords_max(model.config), 4 * MOST_TOKENS))
        self.tokenizer.no_padding()

    def prepare(self, texts: Sequence[str]) -> EncoderInput:
        """Return subword ids and mask, and the place of the first subword of every token (0 where there is none)."""
        tokens = [encoder_tokens(text) for text in texts]
        # Subwords are taken from the text as written: lower-casing is for the checkpoint's own tokenizer to do.
        written = [[text[t.start : t.end] or " " for t in row] for text, row in zip(texts, tokens, strict=True)]
        encoded = self.tokenizer.encode_batch(written, is_pretokenized=True)
        longest = max(1, max(len(e.ids) for e in encoded))
        ids = torch.zeros((len(texts), longest), dtype=torch.long)
        attended = torch.zeros((len(texts), longest), dtype=torch.long)
        first = torch.zeros((len(texts), max(map(len, tokens))), dtype=torch.long)
        mask = torch.zeros_like(first, dtype=torch.bool)
        for i, (row, subwords) in enumerate(zip(tokens, encoded, strict=True)):
            ids[i, : len(subwords.ids)] = torch.tensor(subwords.ids)
            attended[i, : max(1, len(subwords.ids))] = 1
            mask[i, : len(row)] = True
            for place in reversed(range(len(subwords.ids))):
                if subwords.word_ids[place] is not None:
                    first[i, subwords.word_ids[place]] = place
        return EncoderInput(tensors={"ids": ids, "attended": attended, "first": first}, mask=mask)

    def of_subwords(self, batch: EncoderInput) -> Tensor:
        """Return the vectors of the subwords, special ones too, shape (texts, subwords, n_dimensions)."""
        hidden: Tensor = self.model(
            input_ids=batch.tensors["ids"], attention_mask=batch.tensors["attended"]
        ).last_hidden_state
        return hidden

    def forward(self, batch: EncoderInput) -> Tensor:
        """Return the vectors of the tokens, shape (texts, tokens, n_dimensions)."""
        hidden = self.of_subwords(batch)
        first = batch.tensors["first"].unsqueeze(-1).expand(-1, -1, self.n_dimensions)
        return hidden.gather(1, first)


def pretrained_encoder(name: str) -> PretrainedEncoder:
    """Return the encoder of the checkpoint ``name`` (a folder, or a name that transformers can fetch).

    Raises ConfigError when there is none, or when its tokenizer is not a fast one.
    """
    from transformers import AutoModel, AutoTokenizer

    try:
        with quiet_transformers():
            tokenizer = AutoTokenizer.from_pretrained(name, use_fast=True, add_prefix_space=True)
            model = AutoModel.from_pretrained(name, use_safetensors=True)
    except (OSError, ValueError) as error:
        raise ConfigError(
            wanted="an encoder checkpoint with safetensors weights", found=f"'{name}': {str(error).splitlines()[0]}"
        ) from error
    if not tokenizer.is_fast:
        raise ConfigError(wanted="a checkpoint with a fast tokenizer", found=f"'{name}' without one")
    return PretrainedEncoder(model, tokenizer.backend_tokenizer)


def described_encoder(description: Mapping[str, str]) -> PretrainedEncoder:
    """Return an encoder of the architecture and tokenizer in ``description``, its weights still to be loaded."""
    import json

    from tokenizers import Tokenizer
    from transformers import AutoConfig, AutoModel

    settings = json.loads(description["config"])
    try:
        config: PretrainedConfig = AutoConfig.for_model(settings.pop("model_type"), **settings)
    except (KeyError, ValueError) as error:
        raise DataError(wanted="a known encoder architecture", found=str(error)) from error
    return PretrainedEncoder(AutoModel.from_config(config), Tokenizer.from_str(description["tokenizer"]))


def description_of(encoder: TokenEncoder) -> dict[str, str]:
    """Return what ``described_encoder`` needs; nothing for an encoder from scratch."""
    if not isinstance(encoder, PretrainedEncoder):
        return {}
    return {"config": encoder.model.config.to_json_string(use_diff=False), "tokenizer": encoder.tokenizer.to_str()}


def _bucket(text: str, n_buckets: int) -> int:
    return zlib.crc32(text.encode("utf-8")) % n_buckets


def _character_buckets(word: str) -> list[int]:
    padded = f"<{word}>"
    return [
        _bucket(padded[i : i + n], _N_CHARACTER_BUCKETS)
        for n in CHARACTER_NGRAM_LENGTHS
        for i in range(max(1, len(padded) - n + 1))
    ]
