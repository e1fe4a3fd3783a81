"""The model that the pool has to beat, which labels the pool."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from seedcorn.intent.contamination import CleanPool
from seedcorn.intent.data import IntentData
from seedcorn.nlu.calibration import NluCalibration, load_calibration, save_calibration
from seedcorn.nlu.cross_fitting import CrossFitted
from seedcorn.nlu.model import NluModel
from seedcorn.nlu.pool_training import compare
from seedcorn.nlu.saved_model import load_cross_fitted, load_nlu, save_cross_fitted, save_nlu
from seedcorn.nlu.teacher import train_teacher
from seedcorn.nlu.training import NluKind, NluSettings, knowledge_of, train, trainer
from seedcorn.nlu.without_pool import BudgetSettings, labelled_of, train_each_without_pool
from seedcorn.progress import say
from seedcorn.runs import Context, Stage

_MODEL, _SEED_ONLY, _CROSS_VALIDATION = "model", "seed-only-model", "cross-validation"


@dataclass(frozen=True, kw_only=True)
class TrainedTeacher:
    """The model of seed and background with all that stands beside it, and the n-gram model of both.

    ``model`` is what the pool has to beat; ``seed_only`` knows nothing but the annotated utterances. A linear one comes
    with its cross-validation (``fitted``), any other with the calibration of its confidences.
    """

    model: NluModel
    seed_only: NluModel
    fitted: CrossFitted | None = None
    calibration: NluCalibration = NluCalibration()

    @property
    def counts(self) -> Mapping[str, int]:
        """How many models were cross-validated."""
        return {"n_folds": 0 if self.fitted is None else len(self.fitted.fold_models)}

    def save(self, folder: Path) -> None:
        """Write the models, their cross-validation and the calibration."""
        save_nlu(self.model, folder / _MODEL)
        save_nlu(self.seed_only, folder / _SEED_ONLY)
        save_calibration(self.calibration, folder / "calibration.npz")
        if self.fitted is not None:
            save_cross_fitted(self.fitted, folder / _CROSS_VALIDATION)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return what ``save`` wrote."""
        is_cross_fitted = (folder / _CROSS_VALIDATION).exists()
        return cls(
            model=load_nlu(folder / _MODEL),
            seed_only=load_nlu(folder / _SEED_ONLY),
            fitted=load_cross_fitted(folder / _CROSS_VALIDATION) if is_cross_fitted else None,
            calibration=load_calibration(folder / "calibration.npz"),
        )


class TrainTeacher(NluSettings, BudgetSettings, Stage[TrainedTeacher]):
    """Train the model that has to be beaten: on seed and background, with all that stands beside them but the pool."""

    stage_name: ClassVar[str] = "teacher"

    def __call__(self, data: IntentData, clean: CleanPool, *, context: Context) -> TrainedTeacher:
        """Return the teacher with its cross-validation, and the model that knows the annotated utterances alone."""
        random_seed = context.random_seed
        knowledge = knowledge_of(
            clean.pool.texts(),
            data.labelled,
            settings=self,
            random_seed=random_seed,
            n_processes=context.n_processes,
        )
        learn = trainer(self, intents=data.intents, knowledge=knowledge)
        if self.model is NluKind.NEURAL:
            teacher = train_teacher(data.seed, data.background, train=learn, random_seed=random_seed)
            seed_only = train(data.labelled, intents=data.intents, settings=self, random_seed=random_seed)
            return TrainedTeacher(model=teacher.model, calibration=teacher.calibration, seed_only=seed_only)
        plain, *further = train_each_without_pool(
            labelled_of(data.seed, data.background, data.dev),
            [trainer(self, intents=data.intents), *([learn] if any(part is not None for part in knowledge) else [])],
            settings=self,
            random_seed=random_seed,
            n_processes=context.n_processes,
        )
        fitted = further[0] if further else plain
        if further and not knowledge.encoder:
            fitted = _no_worse(plain, fitted, self.false_alarm_budget)
        return TrainedTeacher(
            model=fitted.at_budget(self.false_alarm_budget),
            seed_only=plain.at_budget(self.false_alarm_budget),
            fitted=fitted,
        )


def _no_worse(plain: CrossFitted, with_words: CrossFitted, budget: float) -> CrossFitted:
    """Return the model with the pool's words, or the plain one where that misses fewer held-out utterances."""
    change = compare(plain, with_words, budget=budget)
    say(f"words that the pool uses alike: missed at the budget {change.missed_before:.3f} -> {change.missed_after:.3f}")
    return plain if change.change > 0 else with_words
