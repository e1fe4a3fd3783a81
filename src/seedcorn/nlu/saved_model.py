"""Saved NLU models: a folder that says which kind of model it holds."""

from pathlib import Path

from seedcorn.errors import DataError
from seedcorn.nlu.linear import LinearNlu, load_linear, save_linear
from seedcorn.nlu.model import NluModel

_LINEAR = "linear.npz"


def save_nlu(model: NluModel, folder: Path) -> None:
    """Write ``model`` into ``folder``. Raises DataError for a model of a kind that has no files."""
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(model, LinearNlu):
        save_linear(model, folder / _LINEAR)
        return
    from seedcorn.nlu.neural import NeuralNlu, save_neural

    if not isinstance(model, NeuralNlu):
        raise DataError(wanted="a linear or neural NLU model to save", found=type(model).__name__)
    save_neural(model, folder)


def load_nlu(folder: Path) -> NluModel:
    """Return the model that ``save_nlu`` wrote. Raises DataError when there is none, or a damaged one."""
    if not folder.is_dir():
        raise DataError(wanted="the folder of a saved NLU model", found="no folder", where=folder)
    if (folder / _LINEAR).exists():
        return load_linear(folder / _LINEAR)
    from seedcorn.nlu.neural import load_neural

    return load_neural(folder)
