"""Checkpoints of transformers' Trainer: the last one that is whole, and whether the training had ended there."""

import json
import shutil
from pathlib import Path

from transformers import TrainerState
from transformers.trainer import TRAINER_STATE_NAME
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from seedcorn.errors import ConfigError
from seedcorn.files import writing_whole


def checkpoints_by_step(folder: Path) -> list[Path]:
    """Return the checkpoints in ``folder``, first steps first."""
    found = folder.glob(f"{PREFIX_CHECKPOINT_DIR}-*")
    return sorted(found, key=lambda checkpoint: int(checkpoint.name.rsplit("-", 1)[1]))


def last_checkpoint(folder: Path) -> tuple[Path, TrainerState] | None:
    """Return the last whole checkpoint in ``folder`` and the Trainer's state there, None where there is none.

    What a kill or a full disk left of others is removed: the Trainer would go on from it without the optimiser. The
    best checkpoint is one of ``folder``, wherever that was when it was written.
    """
    whole = []
    for checkpoint in checkpoints_by_step(folder):
        try:  # the state is what is written last
            whole.append((checkpoint, TrainerState.load_from_json(str(checkpoint / TRAINER_STATE_NAME))))
        except (FileNotFoundError, json.JSONDecodeError, UnicodeDecodeError):
            shutil.rmtree(checkpoint)
    if not whole:
        return None
    last, state = whole[-1]
    best = state.best_model_checkpoint and str(folder / Path(state.best_model_checkpoint).name)
    if best != state.best_model_checkpoint:
        state.best_model_checkpoint = best
        with writing_whole(last / TRAINER_STATE_NAME) as partial:
            state.save_to_json(str(partial))
    return last, state


def has_ended(state: TrainerState, *, n_steps: int, patience: int) -> bool:
    """Return whether a training has no step left at ``state``; the Trainer would take one more."""
    stopping = state.stateful_callbacks.get("EarlyStoppingCallback", {})
    n_without_gain: int = stopping.get("attributes", {}).get("early_stopping_patience_counter", 0)
    return state.global_step >= n_steps or n_without_gain >= patience


def refuse_another_budget(checkpoint: Path, state: TrainerState, *, n_steps: int) -> None:
    """Raise ConfigError when the learning rate at ``checkpoint`` was on its way to another end than ``n_steps``."""
    if state.max_steps != n_steps:
        raise ConfigError(
            wanted=f"the budget of {state.max_steps:,} steps that these checkpoints were planned for",
            found=f"{n_steps:,} steps, for which the learning rate would jump",
            where=checkpoint,
            fix="Train on from the finished translator as checkpoint with a low learning rate, take the schedule "
            "'inverse_sqrt' from the start, or give another folder for checkpoints.",
        )
