"""The paraphrase network: do two utterances ask for the same, with the same values?

Two towers with shared weights: every utterance is encoded once into a code of length one, and the log odds that two are
paraphrases are scale * (code . code') + bias, so that scoring a pool against a seed is one matrix product. A code joins
what is asked (meaning: attention over words in context) with which values are named (several sums of word signs,
weighted by how much each word in its context looks like a value). Signs are drawn by hash, so that two artists are told
apart even when the network has never met them. The design is ours; the task is that of Cho, Xie, Lalor, Kumar, Campbell
(2019).
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from seedcorn.array_files import checked
from seedcorn.corpus.normalising import Texts
from seedcorn.corpus.word_vectors import WordVectors
from seedcorn.diversity.nearest import Vectors
from seedcorn.diversity.paraphrase_words import Lexicon, TextBatch, WordFeatures, text_batch
from seedcorn.errors import DataError, require
from seedcorn.files import read_json, write_text_whole, writing_whole
from seedcorn.selection import FloatArray
from seedcorn.tensor_files import as_json, check_seal, read_tensors, reading_saved, sealed, with_tensors

TEXTS_PER_CALL = 8_192
TEXTS_PER_BATCH = 256
FORMAT = "seedcorn paraphrase network 1"


class ParaphraseModel(Protocol):
    """Anything that encodes utterances so that inner products of codes tell paraphrases."""

    def encode(self, texts: Texts) -> Vectors:
        """Return float32 codes of length one, shape (n, d)."""

    def probabilities(self, products: NDArray[np.floating]) -> FloatArray:
        """Return the probability that two utterances are paraphrases, for inner products of their codes."""


@dataclass(frozen=True, kw_only=True)
class NetworkShape:
    """Sizes of the network: ``n_value_views`` sums of ``n_signs`` signs each, beside a meaning of ``n_meaning``."""

    n_hidden: int = 96
    n_ngram_buckets: int = 8_192
    n_ngram_dimensions: int = 32
    n_attention_heads: int = 4
    n_meaning: int = 96
    n_value_views: int = 2
    n_signs: int = 96
    dropout: float = 0.2


class ParaphraseNetwork(nn.Module):
    """The tower and the head; see the module for what a code holds."""

    def __init__(self, shape: NetworkShape, word_vectors: WordVectors) -> None:
        super().__init__()
        self.shape, self.word_vectors = shape, word_vectors
        self._vector_table = torch.from_numpy(word_vectors.vectors)
        n_input = word_vectors.vectors.shape[1] + shape.n_ngram_dimensions + 2
        self.ngram_vectors = nn.EmbeddingBag(shape.n_ngram_buckets, shape.n_ngram_dimensions, mode="sum")
        nn.init.normal_(self.ngram_vectors.weight, std=0.5)
        self.input = nn.Linear(n_input, shape.n_hidden)
        self.context = nn.Conv1d(shape.n_hidden, shape.n_hidden, 3, padding=1)
        self.norm = nn.LayerNorm(shape.n_hidden)
        self.attention = nn.Linear(shape.n_hidden, shape.n_attention_heads)
        self.meaning = nn.Linear(shape.n_attention_heads * shape.n_hidden, shape.n_meaning)
        self.value_weight = nn.Linear(shape.n_hidden, shape.n_value_views)
        self.no_value = nn.Parameter(torch.full((shape.n_value_views,), 0.3))
        self.view_scales = nn.Parameter(torch.tensor([3.0] + [8.0] * shape.n_value_views))
        self.bias = nn.Parameter(torch.tensor(-10.0))
        self.dropout = nn.Dropout(shape.dropout)

    def forward(
        self, words: WordFeatures, batch: TextBatch, *, ngram_dropout: float = 0.0, vector_dropout: float = 0.0
    ) -> torch.Tensor:
        """Return the codes of the texts of ``batch``, shape (n, d), each of length one."""
        used, places = torch.unique(batch.word_numbers, return_inverse=True)
        mask = batch.mask.unsqueeze(-1)
        hidden = self._in_context(self._of_words(words, used, ngram_dropout, vector_dropout)[places] * mask, mask)
        values = self._values(hidden, words.signs[used][places], mask)
        shares = (self.scales() / self.scales().sum()).sqrt()
        meaning = self._meaning(hidden, mask) * shares[0]
        return torch.cat([meaning, (values * shares[1:, None]).flatten(1)], dim=1)

    def scales(self) -> torch.Tensor:
        """Return how much the meaning and each view of the values add to the log odds, (1 + n_value_views,)."""
        return functional.softplus(self.view_scales)

    def log_odds(self, products: torch.Tensor) -> torch.Tensor:
        """Return the log odds of a paraphrase for inner products of codes."""
        return self.scales().sum() * products + self.bias

    def _of_words(
        self, words: WordFeatures, used: torch.Tensor, ngram_dropout: float, vector_dropout: float
    ) -> torch.Tensor:
        ngrams = self.ngram_vectors(words.ngrams[used], per_sample_weights=words.ngram_weights[used])
        vectors = 3 * self._vector_table[words.vector_rows[used]]
        if self.training:
            ngrams = ngrams * (torch.rand(len(used), 1) >= ngram_dropout)
            vectors = vectors * (torch.rand(len(used), 1) >= vector_dropout)
        joined = self.input(torch.cat([vectors, ngrams, words.frequencies[used]], dim=1))
        return self.dropout(functional.gelu(joined))

    def _in_context(self, hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        around = self.context(hidden.transpose(1, 2)).transpose(1, 2)
        return self.norm(hidden + self.dropout(functional.gelu(around))) * mask

    def _meaning(self, hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        attention = self.attention(hidden).masked_fill(mask == 0, -1e9).softmax(dim=1)
        heads = torch.einsum("nwh,nwd->nhd", attention, hidden).flatten(1)
        return functional.normalize(self.meaning(heads), dim=-1)

    def _values(self, hidden: torch.Tensor, signs: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return (n, views, n_signs + 1): summed signs, and a constant that utterances without values share."""
        weights = functional.softplus(self.value_weight(hidden)) * mask
        by_view = signs.unflatten(-1, (self.shape.n_value_views, self.shape.n_signs)) / self.shape.n_signs**0.5
        summed = torch.einsum("nwv,nwvs->nvs", weights, by_view)
        constant = self.no_value.abs()[None, :, None].expand(len(summed), -1, 1)
        return functional.normalize(torch.cat([summed, constant], dim=-1), dim=-1)

    def features(self, lexicon: Lexicon) -> WordFeatures:
        """Return what the network sees of the words of ``lexicon``."""
        n_signs = self.shape.n_value_views * self.shape.n_signs
        return lexicon.features(self.word_vectors, n_buckets=self.shape.n_ngram_buckets, n_signs=n_signs)

    @torch.inference_mode()
    def encode(self, texts: Texts) -> Vectors:
        """Return float32 codes of length one, shape (n, d); only the first 64 words of a text count."""
        self.eval()
        calls = [self._encoded(texts[start : start + TEXTS_PER_CALL]) for start in range(0, len(texts), TEXTS_PER_CALL)]
        n_dimensions = self.shape.n_meaning + self.shape.n_value_views * (self.shape.n_signs + 1)
        return np.concatenate(calls) if calls else np.zeros((0, n_dimensions), np.float32)

    def _encoded(self, texts: Texts) -> Vectors:
        lexicon = Lexicon()
        numbered = lexicon.number(texts)
        words = self.features(lexicon)
        by_length = np.argsort([len(row) for row in numbered], kind="stable")
        codes: Vectors | None = None
        for start in range(0, len(numbered), TEXTS_PER_BATCH):
            rows = by_length[start : start + TEXTS_PER_BATCH]
            block = self(words, text_batch(numbered[row] for row in rows)).numpy()
            codes = np.empty((len(numbered), block.shape[1]), np.float32) if codes is None else codes
            codes[rows] = block
        return codes if codes is not None else np.zeros((0, 0), np.float32)

    def probabilities(self, products: NDArray[np.floating]) -> FloatArray:
        """Return the probability that two utterances are paraphrases, for inner products of their codes."""
        return _logistic(products, float(self.scales().sum().detach()), float(self.bias.detach()))


def _logistic(products: NDArray[np.floating], scale: float, bias: float) -> FloatArray:
    odds: FloatArray = scale * products.astype(np.float64) + bias
    return 1 / (1 + np.exp(-odds))


def save_paraphrase_network(network: ParaphraseNetwork, folder: Path) -> None:
    """Write the network as ``paraphrase.safetensors`` and ``paraphrase.json`` in ``folder``, each file whole."""
    save_file = require("safetensors.numpy", extra="neural").save_file
    arrays = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    vectors = {f"words.{name}": values for name, values in vars(network.word_vectors).items()}
    description = sealed({"format": FORMAT, "shape": asdict(network.shape)}, arrays | vectors)
    with writing_whole(folder / "paraphrase.safetensors") as partial:
        save_file(arrays | vectors, partial)
    write_text_whole(folder / "paraphrase.json", json.dumps(description, indent=1) + "\n")


def load_paraphrase_network(folder: Path) -> ParaphraseNetwork:
    """Return the network that was saved in ``folder``. Raises DataError when there is none, or a damaged one."""
    description_path = folder / "paraphrase.json"
    if not description_path.is_file():
        raise DataError(wanted="a saved paraphrase network", found="no paraphrase.json", where=folder)
    description = read_json(description_path, dict[str, Any])
    if description.get("format") != FORMAT:
        raise DataError(wanted=FORMAT, found=str(description.get("format")), where=description_path)
    arrays, _ = read_tensors(folder / "paraphrase.safetensors", wanted="a paraphrase network", extra="neural")
    with reading_saved(folder, wanted="a paraphrase network"):
        check_seal(description, arrays)
        shape = as_json(json.dumps(description["shape"]), NetworkShape)
        own = {name: array for name, array in arrays.items() if not name.startswith("words.")}
        words = _word_vectors(arrays)
        return with_tensors(lambda: ParaphraseNetwork(shape, words), own).eval()


def _word_vectors(arrays: Mapping[str, NDArray[np.generic]]) -> WordVectors:
    """Return the word vectors among ``arrays``. Raises ValueError for other sizes, or hashes out of order."""
    hashes = checked(arrays, "words.hashes", np.uint64, shape=(None,))
    if (hashes[1:] <= hashes[:-1]).any():
        raise ValueError("words out of order")
    return WordVectors(
        hashes=hashes,
        vectors=checked(arrays, "words.vectors", np.float32, shape=(len(hashes) + 1, None)),
        log_frequencies=checked(arrays, "words.log_frequencies", np.float32, shape=(len(hashes) + 1,)),
    )
