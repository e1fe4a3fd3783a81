"""Bulk translation: a trained translator converted for ctranslate2 (int8 on CPU), giving n-best lists with scores."""

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import ctranslate2
from safetensors import SafetensorError
from transformers import PreTrainedTokenizerBase

from seedcorn.corpus.pairs import SentencePair
from seedcorn.corpus.text import clean_text
from seedcorn.errors import DataError, SeedcornError
from seedcorn.evaluation.translation import chrf
from seedcorn.pretrained import quiet_transformers
from seedcorn.progress import track
from seedcorn.translation.nbest import TRANSLATION_LOGP, Hypothesis, NBest
from seedcorn.translation.network import load_tokenizer
from seedcorn.translation.subwords import texts_of

CONVERTED = "ctranslate2"
SENTENCES_PER_CALL = 1_024
MAX_LENGTH = 128
# Source tokens times beam. What a batch of a small network holds should stay in the processor's cache.
TOKENS_PER_BATCH = {"cpu": 640, "cuda": 20_000}


@dataclass(frozen=True)
class Translator:
    """A converted translator and its subwords."""

    engine: ctranslate2.Translator
    tokenizer: PreTrainedTokenizerBase
    target_prefix: tuple[str, ...] = ()
    converted: Path = Path()

    def nbest(
        self, texts: Sequence[str], *, n_best: int = 10, beam_size: int = 0, tokens_per_batch: int | None = None
    ) -> Iterator[NBest]:
        """Yield the ``n_best`` likeliest translations of each text, in order; the beam is at least that wide.

        ``tokens_per_batch`` counts source tokens times the beam; by default TOKENS_PER_BATCH of the device. Every
        hypothesis has the feature translation_logp, its log-probability; lists are in the order of that per token.
        Memory is flat in the number of texts. Raises DataError on an empty text.
        """
        beam_size, limit = max(beam_size, n_best), tokens_per_batch or TOKENS_PER_BATCH[self.engine.device]
        starts = range(0, len(texts), SENTENCES_PER_CALL)
        for start in track(starts, f"translating, {SENTENCES_PER_CALL:,} sentences each", total=len(starts)):
            part = _not_empty(texts[start : start + SENTENCES_PER_CALL], first=start)
            yield from self._translated(part, n_best, beam_size, limit)

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
        # Engines take the seed when they first draw: one that drew before would go on from there.
        ctranslate2.set_random_seed(random_seed)
        fresh, limit = replace(self, engine=_engine(self.converted, 1)), TOKENS_PER_BATCH[self.engine.device]
        starts = range(0, len(texts), SENTENCES_PER_CALL)
        for start in track(starts, f"sampling translations, {SENTENCES_PER_CALL:,} sentences each", total=len(starts)):
            part = _not_empty(texts[start : start + SENTENCES_PER_CALL], first=start)
            repeated = [text for text in part for _ in range(n_samples)]
            lists = fresh._translated(repeated, 1, 1, limit, n_likeliest=n_likeliest)
            for of_one in zip(*[lists] * n_samples, strict=True):
                yield NBest(source=of_one[0].source, hypotheses=tuple(found.best for found in of_one))

    def _translated(
        self,
        texts: Sequence[str],
        n_best: int,
        beam_size: int,
        tokens_per_batch: int,
        *,
        n_likeliest: int = 1,
    ) -> Iterator[NBest]:
        tokens = [
            self.tokenizer.convert_ids_to_tokens(ids)
            for ids in self.tokenizer(list(texts), truncation=True, max_length=MAX_LENGTH).input_ids
        ]
        try:
            results = self.engine.translate_batch(
                tokens,
                target_prefix=[list(self.target_prefix)] * len(tokens) if self.target_prefix else None,
                beam_size=beam_size,
                num_hypotheses=n_best,
                return_scores=True,
                sampling_topk=n_likeliest,
                max_decoding_length=MAX_LENGTH,
                max_batch_size=max(tokens_per_batch // beam_size, 1),
                batch_type="tokens",
            )
        except RuntimeError as error:
            raise _explained(error, tokens_per_batch) from error
        found = [(tokens, score) for r in results for tokens, score in zip(r.hypotheses, r.scores, strict=True)]
        n_prefix = len(self.target_prefix)
        decoded = iter(texts_of(self.tokenizer, [tokens[n_prefix:] for tokens, _ in found]))
        # Scores come divided by the length (length penalty 1), which counts the end of sentence.
        logps = iter([score * (len(tokens) + 1) for tokens, score in found])
        for text, result in zip(texts, results, strict=True):
            yield NBest(
                source=text,
                hypotheses=tuple(
                    Hypothesis(text=clean_text(next(decoded)), features={TRANSLATION_LOGP: next(logps)})
                    for _ in result.hypotheses
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
    converted = folder / CONVERTED
    if not (converted / "model.bin").exists():
        convert(folder)
    return Translator(_engine(converted, n_threads), tokenizer, _target_prefix(tokenizer), converted)


def dev_chrf(translator: Translator, dev: Sequence[SentencePair]) -> float:
    """Return the chrF of greedy translations of the ``dev`` pairs."""
    return chrf(translator.best([pair.source for pair in dev], beam_size=1), [pair.target for pair in dev]).score


def _engine(converted: Path, n_threads: int) -> ctranslate2.Translator:
    on_gpu = ctranslate2.get_cuda_device_count() > 0
    try:
        return ctranslate2.Translator(
            str(converted),
            device="cuda" if on_gpu else "cpu",
            compute_type="auto",
            # A batch is too small for several threads: they would wait for each other most of the time.
            inter_threads=1 if on_gpu else n_threads or os.cpu_count() or 1,
            intra_threads=1,
        )
    except RuntimeError as error:
        raise DataError(
            wanted="a converted translator",
            found=str(error),
            where=converted,
            fix="Remove that folder: the translator is then converted anew.",
        ) from error


def _target_prefix(tokenizer: PreTrainedTokenizerBase) -> tuple[str, ...]:
    """Return the token that tells a many-language checkpoint its target language; others need none."""
    lang = getattr(tokenizer, "tgt_lang", None)
    if not lang:
        return ()
    return (tokenizer.get_lang_token(lang) if hasattr(tokenizer, "get_lang_token") else str(lang),)


def _explained(error: RuntimeError, tokens_per_batch: int) -> Exception:
    """Return what to tell the user about an engine failure: out of memory is one, anything else stays as it is."""
    if "memory" not in str(error).lower():
        return error
    return SeedcornError(
        wanted=f"memory for batches of {tokens_per_batch:,} tokens",
        found="not enough",
        fix="Lower the tokens per batch or the number of hypotheses.",
    )
