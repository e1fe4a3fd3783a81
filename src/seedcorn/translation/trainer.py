"""transformers' Trainer as translators need it: arguments, evaluation by chrF of converted checkpoints, progress."""

import math
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from transformers import (
    Seq2SeqTrainer,
    Seq2SeqTrainingArguments,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from seedcorn.bfloat16 import bf16_pays
from seedcorn.errors import SeedcornError
from seedcorn.progress import say, track
from seedcorn.translation.settings import Schedule, TrainingSettings
from seedcorn.translation.translator import CONVERTED, dev_chrf, load_translator


class TranslationTrainer(Seq2SeqTrainer):
    """transformers' Trainer, evaluating by chrF of converted checkpoints: 10 times faster than ``generate``."""

    def evaluate(self, *args: object, **settings: object) -> dict[str, float]:
        """Return and log the chrF, on the dev pairs, of the network as it is now."""
        folder = Path(self.args.output_dir) / "evaluated"
        self.save_model(str(folder))
        shutil.rmtree(folder / CONVERTED, ignore_errors=True)  # of the network as it was before
        translator = load_translator(folder, n_threads=torch.get_num_threads())
        metrics = {"eval_chrf": dev_chrf(translator, self.eval_dataset)}
        self.log(metrics)
        self.control: TrainerControl = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics


class ShowProgress(TrainerCallback):
    """Shows the steps done and the time left, and each dev chrF."""

    def __init__(self, n_steps: int) -> None:
        self.n_steps = n_steps
        self.steps: Iterator[int] = iter(())

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **rest: object
    ) -> None:
        """Start the display where a resumed training goes on."""
        left = range(state.global_step, self.n_steps)
        self.steps = track(left, "training the translator, steps left", total=len(left))
        next(self.steps, None)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **rest: object
    ) -> None:
        """Count the step."""
        next(self.steps, None)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: Mapping[str, float] | None = None,
        **rest: object,
    ) -> None:
        """Say what the Trainer logged. Raises SeedcornError when the training has gone astray."""
        shown = {name: value for name, value in (logs or {}).items() if name in ("loss", "eval_chrf")}
        if not math.isfinite(shown.get("loss", 0.0)):
            raise SeedcornError(
                wanted=f"a loss that is a number, at step {state.global_step:,}",
                found=str(shown["loss"]),
                fix="Lower learning_rate, or give more n_warmup_steps.",
            )
        for name, value in shown.items():
            say(f"step {state.global_step:,} of {self.n_steps:,}: {name.removeprefix('eval_')} {value:.3f}")


def training_arguments(
    settings: TrainingSettings, n_steps: int, checkpoints: Path, random_seed: int
) -> Seq2SeqTrainingArguments:
    """Return what the Trainer is told: ``n_steps`` packed batches, evaluated and saved ``n_evaluations`` times."""
    steps_per_evaluation = max(n_steps // settings.n_evaluations, 1)
    return Seq2SeqTrainingArguments(
        output_dir=str(checkpoints),
        per_device_train_batch_size=1,  # an item of the dataset is a packed batch
        max_steps=n_steps,
        learning_rate=settings.learning_rate,
        warmup_steps=_n_warmup_steps(settings, n_steps),
        lr_scheduler_type=settings.schedule.value,
        adam_beta2=0.98,
        max_grad_norm=1.0,
        bf16=bf16_pays(),
        use_cpu=not torch.cuda.is_available(),
        eval_strategy="steps",
        eval_steps=steps_per_evaluation,
        save_strategy="steps",
        save_steps=steps_per_evaluation,
        save_total_limit=max(settings.n_averaged, 1) + 1,
        load_best_model_at_end=True,
        restore_callback_states_from_checkpoint=True,  # how long dev has not risen
        metric_for_best_model="eval_chrf",
        greater_is_better=True,
        logging_steps=max(steps_per_evaluation // 4, 1),
        report_to=[],
        logging_nan_inf_filter=False,  # it would show them as a loss of zero
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=torch.cuda.is_available(),
        seed=random_seed,
    )


def _n_warmup_steps(settings: TrainingSettings, n_steps: int) -> int:
    # A schedule without an end must not depend on the budget.
    endless = settings.schedule is Schedule.INVERSE_SQRT
    return settings.n_warmup_steps if endless else min(settings.n_warmup_steps, n_steps // 4)
