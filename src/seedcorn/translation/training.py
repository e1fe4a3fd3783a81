"""Training a translator: transformers' Trainer on packed batches, early stopping on dev chrF, resumable."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import (
    EarlyStoppingCallback,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PrinterCallback,
    TrainerState,
)

from seedcorn.bfloat16 import bf16_pays
from seedcorn.corpus.pairs import PairCorpus, SentencePair
from seedcorn.errors import DataError, SeedcornError
from seedcorn.files import naming_the_place
from seedcorn.pretrained import quiet_transformers
from seedcorn.progress import say
from seedcorn.torch_threads import one_torch_thread
from seedcorn.translation.batching import (
    CausalBatches,
    EncoderDecoderBatches,
    PackedBatches,
    TokenisedPairs,
    only_item,
    pack,
    tokenise,
)
from seedcorn.translation.bilingual_embeddings import bilingual_embeddings
from seedcorn.translation.checkpoints import (
    checkpoints_by_step,
    has_ended,
    last_checkpoint,
    refuse_another_budget,
)
from seedcorn.translation.network import (
    hold_padding_at_zero,
    keep_logits_narrow,
    new_network,
    pretrained,
    start_embeddings_at,
)
from seedcorn.translation.prompts import padding_of
from seedcorn.translation.regularisation import average_checkpoints, drop_words
from seedcorn.translation.settings import Schedule, TrainingSettings
from seedcorn.translation.smoothed_loss import smoothed_loss
from seedcorn.translation.subwords import train_subwords
from seedcorn.translation.trainer import ShowProgress, TranslationTrainer, training_arguments
from seedcorn.translation.translator import convert
from seedcorn.translation.vocabulary import trim_vocabulary


@dataclass(frozen=True, kw_only=True)
class TrainedTranslator:
    """A finished training: where the translator is, and what it took."""

    folder: Path
    dev_chrf: float
    n_steps: int
    n_target_tokens: int
    dev_chrf_by_step: Mapping[int, float]


@one_torch_thread()
def train_translator(
    pairs: PairCorpus,
    dev: Sequence[SentencePair],
    folder: Path | str,
    *,
    settings: TrainingSettings,
    checkpoints: Path | str,
    random_seed: int,
) -> TrainedTranslator:
    """Train on ``pairs``, save the best translator on ``dev`` into ``folder``, and return what it took.

    Interrupted, the same call goes on from the last of the ``checkpoints`` and ends with the same network as an
    uninterrupted one. Raises DataError when there are no pairs or no dev pairs, and ConfigError when the checkpoints
    were made for another budget and the schedule would raise the learning rate again.
    """
    folder, checkpoints = Path(folder), Path(checkpoints)
    if not dev:
        raise DataError(wanted="dev pairs for early stopping", found="none")
    model, tokenizer, tokenised = _starting_point(pairs, settings, random_seed=random_seed)
    trainer = _trainer(model, tokenizer, tokenised, dev, settings, checkpoints, random_seed)
    with quiet_transformers(), naming_the_place(folder):
        _train(trainer, checkpoints, settings)
        history = {int(log["step"]): float(log["eval_chrf"]) for log in trainer.state.log_history if "eval_chrf" in log}
        best_chrf = _average(trainer, settings.n_averaged, float(trainer.state.best_metric or 0.0))
        _save_whole(model, tokenizer, folder)
    n_tokens_a_step = int(tokenised.target.lengths.sum()) / len(trainer.train_dataset)
    return TrainedTranslator(
        folder=folder,
        dev_chrf=best_chrf,
        n_steps=trainer.state.global_step,
        n_target_tokens=round(trainer.state.global_step * n_tokens_a_step),
        dev_chrf_by_step=history,
    )


def _trainer(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    pairs: TokenisedPairs,
    dev: Sequence[SentencePair],
    settings: TrainingSettings,
    checkpoints: Path,
    random_seed: int,
) -> "TranslationTrainer":
    """Return the Trainer over packed batches of ``pairs``, for as many steps as the budget allows."""
    if not torch.cuda.is_available():
        model.set_attn_implementation("eager")  # on short sentences 1.4 times as fast as the fused kernels for CPU
    hold_padding_at_zero(model)
    if settings.word_dropout:
        drop_words(model, tokenizer, probability=settings.word_dropout)
    if bf16_pays():
        keep_logits_narrow(model)
    rng = np.random.default_rng(random_seed)
    batches = pack(pairs, tokens_per_batch=settings.tokens_per_batch, rng=rng)
    n_steps = round(settings.n_target_tokens * len(batches) / int(pairs.target.lengths.sum()))
    n_steps = max(n_steps, settings.n_evaluations)
    dev_sample = np.sort(rng.permutation(len(dev))[: settings.n_dev_pairs])
    trainer = TranslationTrainer(
        model=model,
        args=training_arguments(settings, n_steps, checkpoints, random_seed),
        train_dataset=_as_read_by(model, pairs, batches, padding_id=padding_of(tokenizer)),
        eval_dataset=[dev[i] for i in dev_sample],
        processing_class=tokenizer,
        data_collator=only_item,
        compute_loss_func=smoothed_loss,
        callbacks=[ShowProgress(n_steps), EarlyStoppingCallback(settings.patience)],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _as_read_by(
    model: PreTrainedModel, pairs: TokenisedPairs, batches: list[NDArray[np.int64]], *, padding_id: int
) -> PackedBatches:
    if not model.config.is_encoder_decoder:
        return CausalBatches(pairs, batches, padding_id=padding_id)
    start = int(model.config.decoder_start_token_id)
    return EncoderDecoderBatches(pairs, batches, padding_id=padding_id, decoder_start_id=start)


def _starting_point(
    pairs: PairCorpus, settings: TrainingSettings, *, random_seed: int
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase, TokenisedPairs]:
    """Return the network and subwords that training starts from, and ``pairs`` in these subwords."""
    if settings.checkpoint:
        model, tokenizer = pretrained(
            str(settings.checkpoint), source_lang=settings.source_lang, target_lang=settings.target_lang
        )
        causal = not model.config.is_encoder_decoder
        tokenised = _tokenised(pairs, tokenizer, settings, causal=causal)
        if settings.trim_vocabulary:
            used = np.unique(np.concatenate([tokenised.source.tokens, tokenised.target.tokens]))
            tokenizer = trim_vocabulary(model, tokenizer, used.tolist())
            say(f"{len(tokenizer):,} subwords kept")
            tokenised = _tokenised(pairs, tokenizer, settings, causal=causal)
        return model, tokenizer, tokenised
    say(f"learning {settings.n_subwords:,} subwords")
    tokenizer = train_subwords(_both_sides(pairs), n_subwords=settings.n_subwords)
    tokenised = _tokenised(pairs, tokenizer, settings)
    model = new_network(tokenizer, settings.shape, random_seed=random_seed)
    rng = np.random.default_rng([random_seed, 0])
    say("placing the subwords of both languages")
    start_embeddings_at(model, partial(bilingual_embeddings, tokenised, rng=rng))
    return model, tokenizer, tokenised


def _tokenised(
    pairs: PairCorpus, tokenizer: PreTrainedTokenizerBase, settings: TrainingSettings, *, causal: bool = False
) -> TokenisedPairs:
    tokenised = tokenise(pairs, tokenizer, max_length=settings.max_length, causal=causal)
    if len(tokenised) == 0:
        raise DataError(wanted="sentence pairs to train the translator on", found="none")
    return tokenised


def _train(trainer: TranslationTrainer, checkpoints: Path, settings: TrainingSettings) -> None:
    last, state = last_checkpoint(checkpoints) or (None, None)
    n_steps = trainer.args.max_steps
    if last is not None and state is not None:
        if settings.schedule is Schedule.LINEAR:
            refuse_another_budget(last, state, n_steps=n_steps)
        if has_ended(state, n_steps=n_steps, patience=settings.patience):
            _take_its_best(trainer, last, state)
            return
    try:
        trainer.train(resume_from_checkpoint=last and str(last))
    except (RuntimeError, MemoryError) as error:
        # torch has a class of its own for a full GPU, none for full memory.
        if isinstance(error, RuntimeError) and not _is_out_of_memory(error):
            raise
        raise SeedcornError(
            wanted=f"memory for batches of {settings.tokens_per_batch:,} tokens",
            found="not enough",
            fix="Lower tokens_per_batch, or choose a smaller checkpoint or shape.",
        ) from error


def _take_its_best(trainer: TranslationTrainer, last: Path, state: TrainerState) -> None:
    """Give the Trainer the network and the state that it had when its training had ended at ``last``."""
    say(f"trained before, {state.global_step:,} steps, until the budget was spent or dev rose no more")
    trainer.state = state
    best = average_checkpoints([Path(state.best_model_checkpoint or last)])
    trainer.model.load_state_dict(best, strict=False)


def _average(trainer: TranslationTrainer, n_averaged: int, best_chrf: float) -> float:
    """Give the network the mean of the last ``n_averaged`` checkpoints if dev likes it better; return its chrF."""
    folders = checkpoints_by_step(Path(trainer.args.output_dir))
    if n_averaged < 2 or len(folders) < 2:
        return best_chrf
    best = {name: weight.clone() for name, weight in trainer.model.state_dict().items()}
    trainer.model.load_state_dict(average_checkpoints(folders[-n_averaged:]), strict=False)
    chrf_of_mean = trainer.evaluate()["eval_chrf"]
    say(f"mean of the last {min(n_averaged, len(folders))} checkpoints: chrf {chrf_of_mean:.3f}, best {best_chrf:.3f}")
    if chrf_of_mean <= best_chrf:
        trainer.model.load_state_dict(best)
    return max(chrf_of_mean, best_chrf)


def _is_out_of_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error)


def _save_whole(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Save the translator, converted too, so that ``folder`` appears whole; an earlier one in its place goes."""
    partial = folder.with_name(f".partial.{folder.name}")
    shutil.rmtree(partial, ignore_errors=True)
    model.save_pretrained(partial)
    tokenizer.save_pretrained(partial)
    convert(partial)
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def _both_sides(pairs: PairCorpus) -> Iterator[str]:
    for batch in pairs.batches():
        yield from batch.column("source").to_pylist()
        yield from batch.column("target").to_pylist()
