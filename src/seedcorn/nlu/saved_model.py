"""Saved NLU models: a folder that says which kind of model it holds."""

from pathlib import Path
from typing import Protocol

import numpy as np

from seedcorn.array_files import read_arrays
from seedcorn.corpus.tables import read_utterances, write_utterances
from seedcorn.errors import DataError
from seedcorn.files import read_json, write_json
from seedcorn.nlu.cross_fitting import CrossFitted, Labelled
from seedcorn.nlu.linear import LinearNlu
from seedcorn.nlu.linear_file import load_linear, save_linear
from seedcorn.nlu.model import NluModel as AnyNluModel

_LINEAR, _NEURAL = "linear.npz", "neural.safetensors"
_LEFT_BY_RUNS = ("training/model", "current/model")  # of an intent run its last, of a growth run what is deployed


def save_nlu(model: AnyNluModel, folder: Path | str) -> None:
    """Write ``model`` into ``folder``. Raises DataError for a model of a kind that has no files."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(model, LinearNlu):
        save_linear(model, folder / _LINEAR)
        return
    from seedcorn.nlu.neural import NeuralNlu
    from seedcorn.nlu.neural_file import save_neural

    if not isinstance(model, NeuralNlu):
        raise DataError(wanted="a linear or neural NLU model to save", found=type(model).__name__)
    save_neural(model, folder / _NEURAL)


def load_nlu(folder: Path | str) -> AnyNluModel:
    """Return the model that ``save_nlu`` wrote. Raises DataError when there is none, or a damaged one."""
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(wanted="the folder of a saved NLU model", found="no folder", where=folder)
    if (folder / _LINEAR).exists():
        return load_linear(folder / _LINEAR)
    from seedcorn.nlu.neural_file import load_neural

    return load_neural(folder / _NEURAL)


def model_folder(folder: Path) -> Path:
    """Return where the model of ``folder`` is: itself, what the run that it holds leaves to be used, or the only one.

    Raises DataError when there is none, or more than one.
    """
    found = sorted({file.parent for name in (_LINEAR, _NEURAL) for file in folder.rglob(name)})
    for place in (folder, *(folder / left for left in _LEFT_BY_RUNS)):
        if place in found:
            return place
    if len(found) == 1:
        return found[0]
    shown = ", ".join(str(path.relative_to(folder)) for path in found) or "none"
    raise DataError(wanted="one saved NLU model", found=shown, where=folder, fix="Name the folder of the model.")


class NluModel(AnyNluModel, Protocol):
    """A model of intent and slots, whichever kind was saved: ``NluModel.load(folder).predict([text, ...])``."""

    @staticmethod
    def load(folder: Path | str) -> AnyNluModel:
        """Return the model saved in ``folder``, which may be that of a run: its last one, or what it deploys.

        Raises DataError when there is none, more than one, or a damaged one.
        """
        return load_nlu(model_folder(Path(folder)))


def save_cross_fitted(fitted: CrossFitted, folder: Path) -> None:
    """Write a model with its cross-validation into ``folder``."""
    save_linear(fitted.model, folder / "all.npz")
    for number, model in enumerate(fitted.fold_models):
        save_linear(model, folder / f"without-{number}.npz")
    write_utterances(fitted.labelled.rows, folder / "rows.parquet")
    write_utterances(fitted.labelled.dev, folder / "dev.parquet")
    np.savez_compressed(folder / "held-out.npz", folds=fitted.folds, log_odds=fitted.log_odds, allow_pickle=False)
    write_json(sorted(fitted.labelled.functionality), folder / "functionality.json")


def load_cross_fitted(folder: Path) -> CrossFitted:
    """Return what ``save_cross_fitted`` wrote."""
    arrays = read_arrays(folder / "held-out.npz", wanted="the cross-validation of a model")
    folds, log_odds = arrays["folds"].astype(np.int64), arrays["log_odds"].astype(np.float64)
    return CrossFitted(
        labelled=Labelled(
            rows=read_utterances(folder / "rows.parquet"),
            dev=read_utterances(folder / "dev.parquet"),
            functionality=frozenset(read_json(folder / "functionality.json", list[str])),
        ),
        model=load_linear(folder / "all.npz"),
        fold_models=tuple(load_linear(folder / f"without-{number}.npz") for number in range(int(folds.max()) + 1)),
        folds=folds,
        log_odds=log_odds,
    )
