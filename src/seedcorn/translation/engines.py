"""Engines of both kinds of translator: encoder-decoders, and causal language models that go on from a prompt.

ctranslate2 runs both; on a GPU transformers runs the causal ones (``causal_on_gpu``).
"""

import ctypes
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import ClassVar, Generic, NamedTuple, Protocol, Self, TypeVar

import ctranslate2
from transformers import PreTrainedTokenizerBase

from seedcorn.errors import DataError
from seedcorn.progress import say
from seedcorn.translation.prompts import answer_ids, prompt_ids

MAX_LENGTH = 128
# Source tokens times beam. What a batch of a small network holds should stay in the processor's cache.
TOKENS_PER_BATCH = {"cpu": 640, "cuda": 20_000}
_CUBLAS = "libcublas.so.12"
Running = TypeVar("Running", ctranslate2.Translator, ctranslate2.Generator)


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

    def mean_logps(self, sources: Sequence[str], targets: Sequence[str]) -> list[float]:
        """Return the natural-log probability a token, the end included, of each target as what its source means."""
        ...

    def fresh(self, random_seed: int) -> "Engine":
        """Return the same engine before its first draw, drawing from ``random_seed``."""
        ...


@dataclass(frozen=True)
class Converted(Generic[Running]):
    """A network converted for ctranslate2 into ``folder``, and what runs it, on a GPU or in threads."""

    runner: ClassVar[type]  # of ctranslate2

    folder: Path
    tokenizer: PreTrainedTokenizerBase
    running: Running

    @classmethod
    def load(cls, folder: Path, tokenizer: PreTrainedTokenizerBase, *, n_threads: int = 0) -> Self:
        """Return the engine of the network converted into ``folder``. Raises DataError when it is damaged."""
        try:
            return cls(folder, tokenizer, cls.runner(str(folder), **_placed(n_threads)))
        except RuntimeError as error:
            raise DataError(
                wanted="a converted translator",
                found=str(error),
                where=folder,
                fix="Remove that folder: the translator is then converted anew.",
            ) from error

    def fresh(self, random_seed: int) -> Self:
        """Return the same engine before its first draw, drawing from ``random_seed``."""
        # Engines take the seed when they first draw, each thread for itself: one that drew before would go on.
        ctranslate2.set_random_seed(random_seed)
        return self.load(self.folder, self.tokenizer, n_threads=1)


class EncoderDecoder(Converted[ctranslate2.Translator]):
    """Runs an encoder-decoder."""

    runner = ctranslate2.Translator

    def search(self, texts: Sequence[str], search: Search) -> list[list[Found]]:
        """Return the hypotheses of each text, best first."""
        ids = self.tokenizer(list(texts), truncation=True, max_length=MAX_LENGTH).input_ids
        prefix = _target_prefix(self.tokenizer)
        results = self.running.translate_batch(
            [self.tokenizer.convert_ids_to_tokens(one) for one in ids],
            target_prefix=[prefix] * len(texts) if prefix else None,
            beam_size=search.beam_size,
            num_hypotheses=search.n_best,
            sampling_topk=search.n_likeliest,
            max_decoding_length=MAX_LENGTH,
            **_batches(self.running.device, search),
        )
        n = len(prefix)
        return [_found((t[n:], len(t), s) for t, s in zip(r.hypotheses, r.scores, strict=True)) for r in results]

    def mean_logps(self, sources: Sequence[str], targets: Sequence[str]) -> list[float]:
        """Return the natural-log probability a token, the end included, of each target as what its source means."""
        cut = {"truncation": True, "max_length": MAX_LENGTH}
        read = self.tokenizer(list(sources), **cut).input_ids
        written = self.tokenizer(text_target=list(targets), add_special_tokens=False, **cut).input_ids
        prefix, tokens_of = _target_prefix(self.tokenizer), self.tokenizer.convert_ids_to_tokens
        scored = self.running.score_batch(
            [tokens_of(ids) for ids in read],
            [[*prefix, *tokens_of(ids)] for ids in written],
            max_batch_size=TOKENS_PER_BATCH[self.running.device],
            batch_type="tokens",
        )
        return [fmean(one.log_probs[len(prefix) :]) for one in scored]


class Causal(Converted[ctranslate2.Generator]):
    """Runs a causal language model that goes on from the prompts which it was trained after."""

    runner = ctranslate2.Generator

    def search(self, texts: Sequence[str], search: Search) -> list[list[Found]]:
        """Return the hypotheses of each text, best first."""
        results = self.running.generate_batch(
            [self.tokenizer.convert_ids_to_tokens(ids) for ids in prompt_ids(self.tokenizer, texts, MAX_LENGTH)],
            include_prompt_in_result=False,
            beam_size=search.beam_size,
            num_hypotheses=search.n_best,
            sampling_topk=search.n_likeliest,
            min_length=1,  # an empty answer says nothing, and would come without a score
            max_length=MAX_LENGTH,
            **_batches(self.running.device, search),
        )
        return [_found((t, len(t), s) for t, s in zip(r.sequences, r.scores, strict=True)) for r in results]

    def mean_logps(self, sources: Sequence[str], targets: Sequence[str]) -> list[float]:
        """Return the natural-log probability a token, the end included, of each target as what its source means."""
        prompts = prompt_ids(self.tokenizer, sources, MAX_LENGTH)
        answers = answer_ids(self.tokenizer, targets, MAX_LENGTH)
        scored = self.running.score_batch(
            [self.tokenizer.convert_ids_to_tokens([*p, *a]) for p, a in zip(prompts, answers, strict=True)],
            max_batch_size=TOKENS_PER_BATCH[self.running.device],
            batch_type="tokens",
        )
        return [fmean(one.log_probs[-len(a) :]) for one, a in zip(scored, answers, strict=True)]


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


def _target_prefix(tokenizer: PreTrainedTokenizerBase) -> list[str]:
    """Return the token that tells a many-language checkpoint its target language; others need none."""
    lang = getattr(tokenizer, "tgt_lang", None)
    if not lang:
        return []
    return [tokenizer.get_lang_token(lang) if hasattr(tokenizer, "get_lang_token") else str(lang)]
