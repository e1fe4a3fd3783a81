"""Engines of both kinds of translator: encoder-decoders, and causal language models that go on from a prompt.

ctranslate2 runs both; on a GPU transformers runs the causal ones.
"""

import ctypes
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple, Protocol

import ctranslate2
import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerBase

from seedcorn.errors import DataError
from seedcorn.pretrained import loading
from seedcorn.progress import say
from seedcorn.translation.batching import causal_batch, padded
from seedcorn.translation.prompts import padding_of, prompt_ids

MAX_LENGTH = 128
# Source tokens times beam. What a batch of a small network holds should stay in the processor's cache.
TOKENS_PER_BATCH = {"cpu": 640, "cuda": 20_000}
_CUBLAS = "libcublas.so.12"
_TOKENS_PER_BATCH_ON_GPU = 60_000
_LABELS_AT_ONCE = 8_192  # a logit for each word of a large vocabulary, for each of them


class Found(NamedTuple):
    """One hypothesis: its tokens, and its natural-log probability with that of its end."""

    tokens: list[str]
    logp: float


@dataclass(frozen=True, kw_only=True)
class Search:
    """How hypotheses are looked for; with ``n_likeliest`` above 1 (0: all) each token is drawn among so many."""

    beam_size: int
    n_best: int
    n_likeliest: int = 1
    tokens_per_batch: int | None = None


class Engine(Protocol):
    """What makes hypotheses of source texts."""

    def search(self, texts: Sequence[str], search: Search) -> list[list[Found]]:
        """Return the hypotheses of each text, best first."""
        ...

    def fresh(self, random_seed: int) -> "Engine":
        """Return the same engine before its first draw, drawing from ``random_seed``."""
        ...


@dataclass(frozen=True)
class EncoderDecoder:
    """Runs an encoder-decoder; ``target_prefix`` tells a many-language one the language it writes."""

    folder: Path
    tokenizer: PreTrainedTokenizerBase
    running: ctranslate2.Translator
    target_prefix: tuple[str, ...] = ()

    @classmethod
    def load(cls, folder: Path, tokenizer: PreTrainedTokenizerBase, *, n_threads: int = 0) -> "EncoderDecoder":
        """Return the engine of the network converted into ``folder``. Raises DataError when it is damaged."""
        try:
            running = ctranslate2.Translator(str(folder), **_placed(n_threads))
        except RuntimeError as error:
            raise _damaged(folder, error) from error
        return cls(folder, tokenizer, running, _target_prefix(tokenizer))

    def fresh(self, random_seed: int) -> "EncoderDecoder":
        """Return the same engine before its first draw, drawing from ``random_seed``."""
        # Engines take the seed when they first draw, each thread for itself: one that drew before would go on.
        ctranslate2.set_random_seed(random_seed)
        return self.load(self.folder, self.tokenizer, n_threads=1)

    def search(self, texts: Sequence[str], search: Search) -> list[list[Found]]:
        """Return the hypotheses of each text, best first."""
        ids = self.tokenizer(list(texts), truncation=True, max_length=MAX_LENGTH).input_ids
        results = self.running.translate_batch(
            [self.tokenizer.convert_ids_to_tokens(one) for one in ids],
            target_prefix=[list(self.target_prefix)] * len(texts) if self.target_prefix else None,
            beam_size=search.beam_size,
            num_hypotheses=search.n_best,
            sampling_topk=search.n_likeliest,
            max_decoding_length=MAX_LENGTH,
            **_batches(self.running.device, search),
        )
        n_prefix = len(self.target_prefix)
        return [_found((t[n_prefix:], len(t), s) for t, s in zip(r.hypotheses, r.scores, strict=True)) for r in results]


@dataclass(frozen=True)
class Causal:
    """Runs a causal language model that goes on from the prompts which it was trained after."""

    folder: Path
    tokenizer: PreTrainedTokenizerBase
    running: ctranslate2.Generator

    @classmethod
    def load(cls, folder: Path, tokenizer: PreTrainedTokenizerBase, *, n_threads: int = 0) -> "Causal":
        """Return the engine of the network converted into ``folder``. Raises DataError when it is damaged."""
        try:
            return cls(folder, tokenizer, ctranslate2.Generator(str(folder), **_placed(n_threads)))
        except RuntimeError as error:
            raise _damaged(folder, error) from error

    def fresh(self, random_seed: int) -> "Causal":
        """Return the same engine before its first draw, drawing from ``random_seed``."""
        # Engines take the seed when they first draw, each thread for itself: one that drew before would go on.
        ctranslate2.set_random_seed(random_seed)
        return self.load(self.folder, self.tokenizer, n_threads=1)

    def search(self, texts: Sequence[str], search: Search) -> list[list[Found]]:
        """Return the hypotheses of each text, best first."""
        results = self.running.generate_batch(
            [self.tokenizer.convert_ids_to_tokens(ids) for ids in prompt_ids(self.tokenizer, texts, MAX_LENGTH)],
            include_prompt_in_result=False,
            beam_size=search.beam_size,
            num_hypotheses=search.n_best,
            sampling_topk=search.n_likeliest,
            max_length=MAX_LENGTH,
            **_batches(self.running.device, search),
        )
        return [_found((t, len(t), s) for t, s in zip(r.sequences, r.scores, strict=True)) for r in results]


@dataclass(frozen=True)
class CausalOnGpu:
    """Runs a causal language model with transformers, in bfloat16."""

    tokenizer: PreTrainedTokenizerBase
    network: PreTrainedModel

    @classmethod
    def load(cls, folder: Path, tokenizer: PreTrainedTokenizerBase, *, device: str = "cuda") -> "CausalOnGpu":
        """Return the engine of the checkpoint in ``folder``. Raises DataError when it is damaged."""
        with loading(str(folder), wanted="a causal language model"):
            network = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16)
        return cls(tokenizer, network.to(device).eval())

    def fresh(self, random_seed: int) -> "CausalOnGpu":
        """Return the same engine before its first draw, drawing from ``random_seed``."""
        torch.manual_seed(random_seed)
        return self

    def search(self, texts: Sequence[str], search: Search) -> list[list[Found]]:
        """Return the hypotheses of each text, best first."""
        prompts = [np.array(ids, np.int32) for ids in prompt_ids(self.tokenizer, texts, MAX_LENGTH)]
        order = sorted(range(len(prompts)), key=lambda row: len(prompts[row]))
        limit = search.tokens_per_batch or _TOKENS_PER_BATCH_ON_GPU
        n_at_once = max(limit // (search.beam_size * max(map(len, prompts), default=1)), 1)
        found: list[list[Found]] = [[] for _ in prompts]
        for start in range(0, len(order), n_at_once):
            rows = order[start : start + n_at_once]
            for row, hypotheses in zip(rows, self._searched([prompts[row] for row in rows], search), strict=True):
                found[row] = hypotheses
        return found

    @torch.inference_mode()
    def _searched(self, prompts: list[NDArray[np.int32]], search: Search) -> list[list[Found]]:
        padding, end = padding_of(self.tokenizer), int(self.tokenizer.eos_token_id)
        read = torch.from_numpy(padded(prompts, -1, at_end=False)).to(self.network.device)
        written = self.network.generate(
            input_ids=read.clamp_min(0).where(read >= 0, padding),
            attention_mask=(read >= 0).long(),
            num_beams=search.beam_size,
            num_return_sequences=search.n_best,
            do_sample=search.n_likeliest != 1,
            top_k=search.n_likeliest if search.n_likeliest != 1 else None,
            max_new_tokens=MAX_LENGTH,
            pad_token_id=padding,
            eos_token_id=end,
        )[:, read.shape[1] :].tolist()
        ids = [one[: one.index(end)] if end in one else one for one in written]
        logps = self._logps([prompt for prompt in prompts for _ in range(search.n_best)], [[*one, end] for one in ids])
        found = [Found(self.tokenizer.convert_ids_to_tokens(one), logp) for one, logp in zip(ids, logps, strict=True)]
        return [found[start : start + search.n_best] for start in range(0, len(found), search.n_best)]

    def _logps(self, prompts: list[NDArray[np.int32]], answers: list[list[int]]) -> list[float]:
        """Return the natural-log probability of each answer after its prompt."""
        n_at_once = max(_LABELS_AT_ONCE // max(map(len, answers)), 1)
        found: list[float] = []
        for start in range(0, len(prompts), n_at_once):
            part = [np.array(ids, np.int32) for ids in answers[start : start + n_at_once]]
            batch = causal_batch(prompts[start : start + n_at_once], part, padding_id=0)
            labels = batch.pop("labels").to(self.network.device)
            logits = self.network(
                **{name: tensor.to(self.network.device) for name, tensor in batch.items()}
            ).logits.float()
            logps = logits.gather(2, labels.clamp_min(0)[:, :, None]).squeeze(2) - logits.logsumexp(dim=2)
            found += logps.float().where(labels >= 0, 0).sum(dim=1).tolist()
        return found


def _found(hypotheses: Iterable[tuple[list[str], int, float]]) -> list[Found]:
    # Scores come divided by the length (length penalty 1), which counts the end of sentence.
    return [Found(tokens, score * (length + 1)) for tokens, length, score in hypotheses]


def _batches(device: str, search: Search) -> dict[str, str | int | bool]:
    n_tokens = search.tokens_per_batch or TOKENS_PER_BATCH[device]
    return {
        "max_batch_size": max(n_tokens // search.beam_size, 1),
        "batch_type": "tokens",
        "return_scores": True,
    }


def _placed(n_threads: int) -> dict[str, str | int]:
    on_gpu = _has_usable_gpu()
    return {
        "device": "cuda" if on_gpu else "cpu",
        "compute_type": "auto",
        # A batch is too small for several threads: they would wait for each other most of the time.
        "inter_threads": 1 if on_gpu else n_threads or os.cpu_count() or 1,
        "intra_threads": 1,
    }


@cache
def _has_usable_gpu() -> bool:
    """Return whether there is a GPU with the library that ctranslate2 multiplies with; say so where only that lacks."""
    if ctranslate2.get_cuda_device_count() == 0:
        return False
    try:
        ctypes.CDLL(_CUBLAS)
    except OSError:
        say(f"there is a GPU but no {_CUBLAS}, which ctranslate2 needs: translating on the processor")
        return False
    return True


def _damaged(folder: Path, error: RuntimeError) -> DataError:
    return DataError(
        wanted="a converted translator",
        found=str(error),
        where=folder,
        fix="Remove that folder: the translator is then converted anew.",
    )


def _target_prefix(tokenizer: PreTrainedTokenizerBase) -> tuple[str, ...]:
    """Return the token that tells a many-language checkpoint its target language; others need none."""
    lang = getattr(tokenizer, "tgt_lang", None)
    if not lang:
        return ()
    return (tokenizer.get_lang_token(lang) if hasattr(tokenizer, "get_lang_token") else str(lang),)
