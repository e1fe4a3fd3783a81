"""The engine of causal language models on a GPU: transformers' beam, in bfloat16."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerBase

from seedcorn.pretrained import loading
from seedcorn.translation.batching import causal_batch, padded
from seedcorn.translation.engines import MAX_LENGTH, Found, Search
from seedcorn.translation.prompts import answer_ids, padding_of, prompt_ids

_TOKENS_PER_BATCH_ON_GPU = 60_000
_LABELS_AT_ONCE = 8_192  # a logit for each word of a large vocabulary, for each of them


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
    def mean_logps(self, sources: Sequence[str], targets: Sequence[str]) -> list[float]:
        """Return the natural-log probability a token, the end included, of each target as what its source means."""
        prompts = [np.array(ids, np.int32) for ids in prompt_ids(self.tokenizer, sources, MAX_LENGTH)]
        answers = answer_ids(self.tokenizer, targets, MAX_LENGTH)
        return [logp / len(ids) for logp, ids in zip(self._logps(prompts, answers), answers, strict=True)]

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
            min_new_tokens=1,
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
            found += logps.where(labels >= 0, 0).sum(dim=1).tolist()
        return found
