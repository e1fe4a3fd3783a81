"""What was fine-tuned of a pretrained encoder: the tensors that differ from its checkpoint, and what it tells apart."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from seedcorn.array_files import checked

if TYPE_CHECKING:
    from seedcorn.nlu.upper_half import UpperHalf


@dataclass(frozen=True, kw_only=True, eq=False)
class FineTuned:
    """The checkpoint that training began from, the names of the outputs, and every tensor that differs from it."""

    checkpoint: str
    outputs: tuple[str, ...]
    tensors: Mapping[str, NDArray[np.float32]]

    @cached_property
    def network(self) -> "UpperHalf":
        """The network, which is not trained further.

        Raises DataError for tensors of another checkpoint, ConfigError for an unknown one.
        """
        from seedcorn.nlu.upper_half import trained_network

        return trained_network(self.checkpoint, self.tensors, n_outputs=len(self.outputs))

    def __getstate__(self) -> dict[str, object]:
        """Send what was trained to another process, not the network over it."""
        return {name: value for name, value in self.__dict__.items() if name != "network"}

    def arrays(self, saved_as: str) -> dict[str, NDArray[np.generic]]:
        """Return the arrays that ``load`` reads, named after what the model is ``saved_as``.

        What is shared with the checkpoint is not among them.
        """
        named: dict[str, NDArray[np.generic]] = {f"{saved_as}/{name}": rows for name, rows in self.tensors.items()}
        return named | {f"{saved_as}-outputs": np.array(self.outputs)}

    @classmethod
    def load(cls, arrays: Mapping[str, NDArray[np.generic]], checkpoint: str | None, *, saved_as: str) -> Self | None:
        """Return the model over ``checkpoint`` that is ``saved_as`` among ``arrays``, None where there is none.

        Raises ValueError for arrays that are no such model.
        """
        if f"{saved_as}-outputs" not in arrays:
            return None
        if checkpoint is None:
            raise ValueError(f"{saved_as} without the encoder")
        names = {name: name.removeprefix(f"{saved_as}/") for name in arrays if name.startswith(f"{saved_as}/")}
        return cls(
            checkpoint=checkpoint,
            outputs=tuple(map(str, arrays[f"{saved_as}-outputs"].tolist())),
            tensors={
                short: checked(arrays, name, np.float32, shape=(None,) * arrays[name].ndim)
                for name, short in names.items()
            },
        )
