"""Bulk translation: a trained translator converted for ctranslate2 (int8 on CPU), giving n-best lists with scores."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import ctranslate2
import numpy as np
import torch
from safetensors import SafetensorError
from transformers import PreTrainedTokenizerBase

from seedcorn.corpus.pairs import SentencePair
from seedcorn.corpus.text import clean_text
from seedcorn.errors import DataError, SeedcornError
from seedcorn.evaluation.translation import chrf
from seedcorn.pretrained import quiet_transformers
from seedcorn.progress import track
from seedcorn.selection import FloatArray
from seedcorn.translation.causal_on_gpu import CausalOnGpu
from seedcorn.translation.engines import Causal, EncoderDecoder, Engine, Search
from seedcorn.translation.nbest import TRANSLATION_LOGP, Hypothesis, NBest
from seedcorn.translation.network import is_encoder_decoder, load_tokenizer
from seedcorn.translation.subwords import texts_of

CONVERTED = "ctranslate2"
SENTENCES_PER_CALL = 1_024


@dataclass(frozen=True)
class Translator:
    """A converted translator and its subwords."""

    engine: Engine
    tokenizer: PreTrainedTokenizerBase

    def nbest(
        self, texts: Sequence[str], *, n_best: int = 10, beam_size: int = 0, tokens_per_batch: int | None = None
    ) -> Iterator[NBest]:
        """Yield the ``n_best`` likeliest translations of each text, in order; the beam is at least that wide.

        ``tokens_per_batch`` counts source tokens times the beam; by default TOKENS_PER_BATCH of the device. Every
        hypothesis has the feature translation_logp, its log-probability; lists are in the order of that per token.
        Memory is flat in the number of texts. Raises DataError on an empty text.
        """
        search = Search(beam_size=max(beam_size, n_best), n_best=n_best, tokens_per_batch=tokens_per_batch)
        starts = range(0, len(texts), SENTENCES_PER_CALL)
        for start in track(starts, f"translating, {SENTENCES_PER_CALL:,} sentences each", total=len(starts)):
            yield from self._translated(_not_empty(texts[start : start + SENTENCES_PER_CALL], first=start), search)

    def best(self, texts: Sequence[str], *, beam_size: int = 4) -> list[str]:
        """Return the likeliest translation of each text, in order."""
        return [found.best.text for found in self.nbest(texts, n_best=1, beam_size=beam_size)]

    def sampled(
        self, texts: Sequence[str], *, n_samples: int, n_likeliest: int = 10, random_seed: int
    ) -> Iterator[NBest]:
        """Yield ``n_samples`` translations of each text, each subword drawn from its ``n_likeliest`` ones (0: all).

        In order; equal draws stay. The same seed gives the same samples on one device. Raises DataError on an empty
        text.
        """
        fresh = replace(self, engine=self.engine.fresh(random_seed))
        search = Search(beam_size=1, n_best=1, n_likeliest=n_likeliest)
        starts = range(0, len(texts), SENTENCES_PER_CALL)
        for start in track(starts, f"sampling translations, {SENTENCES_PER_CALL:,} sentences each", total=len(starts)):
            part = _not_empty(texts[start : start + SENTENCES_PER_CALL], first=start)
            lists = fresh._translated([text for text in part for _ in range(n_samples)], search)
            for of_one in zip(*[lists] * n_samples, strict=True):
                yield NBest(source=of_one[0].source, hypotheses=tuple(found.best for found in of_one))

    def mean_logps(self, sources: Sequence[str], targets: Sequence[str]) -> FloatArray:
        """Return the natural-log probability a subword, the end included, of each target as a translation, (texts,)."""
        try:
            return np.array(self.engine.mean_logps(sources, targets), dtype=np.float64)
        except RuntimeError as error:
            raise _explained(error) from error

    def _translated(self, texts: Sequence[str], search: Search) -> Iterator[NBest]:
        try:
            found = self.engine.search(texts, search)
        except RuntimeError as error:
            raise _explained(error) from error
        decoded = iter(texts_of(self.tokenizer, [hypothesis.tokens for some in found for hypothesis in some]))
        for text, some in zip(texts, found, strict=True):
            yield NBest(
                source=text,
                hypotheses=tuple(
                    Hypothesis(text=clean_text(next(decoded)), features={TRANSLATION_LOGP: hypothesis.logp})
                    for hypothesis in some
                ),
            )


def _not_empty(texts: Sequence[str], *, first: int) -> Sequence[str]:
    for row, text in enumerate(texts):
        if not text.strip():
            raise DataError(wanted="a sentence to translate", found=f"an empty one in row {first + row}")
    return texts


def convert(folder: Path) -> Path:
    """Convert the checkpoint in ``folder`` for ctranslate2 in int8 and return the folder of the result, inside it.

    Raises DataError when the architecture has no conversion, or the weights are damaged.
    """
    final = folder / CONVERTED
    partial = folder / f".{CONVERTED}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    try:
        with quiet_transformers():
            ctranslate2.converters.TransformersConverter(str(folder)).convert(str(partial), quantization="int8")
    except (ValueError, SafetensorError) as error:
        raise DataError(wanted="a translator that ctranslate2 can run", found=str(error), where=folder) from error
    shutil.rmtree(final, ignore_errors=True)
    partial.rename(final)
    return final


def load_translator(folder: Path | str, *, n_threads: int = 0) -> Translator:
    """Return the translator saved in ``folder``, converted now unless it was before.

    ``n_threads`` translate, a batch each; 0 means as many as there are processors. Raises DataError when there is no
    translator in ``folder``, or none that ctranslate2 can run.
    """
    folder = Path(folder)
    if not (folder / "config.json").exists():
        raise DataError(
            wanted="the folder of a translator",
            found="no config.json in it",
            where=folder,
            fix="Train one with: seedcorn translate train.",
        )
    tokenizer = load_tokenizer(str(folder))  # first: where there is none, it says so better than the conversion
    return Translator(_engine(folder, tokenizer, n_threads), tokenizer)


def dev_chrf(translator: Translator, dev: Sequence[SentencePair]) -> float:
    """Return the chrF of greedy translations of the ``dev`` pairs."""
    return chrf(translator.best([pair.source for pair in dev], beam_size=1), [pair.target for pair in dev]).score


def _engine(folder: Path, tokenizer: PreTrainedTokenizerBase, n_threads: int) -> Engine:
    causal = not is_encoder_decoder(str(folder))
    if causal and torch.cuda.is_available():
        return CausalOnGpu.load(folder, tokenizer)
    if not (folder / CONVERTED / "model.bin").exists():
        convert(folder)
    return (Causal if causal else EncoderDecoder).load(folder / CONVERTED, tokenizer, n_threads=n_threads)


def _explained(error: RuntimeError) -> Exception:
    """Return what to tell the user about an engine failure: out of memory is one, anything else stays as it is."""
    if "memory" not in str(error).lower():
        return error
    return SeedcornError(
        wanted="memory for a batch of translations",
        found="not enough",
        fix="Lower the tokens per batch or the number of hypotheses.",
    )
