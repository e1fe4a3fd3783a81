"""A stage is its settings plus a call; what it returns is saved and loaded; it is given a context and no folders."""

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Generic, Protocol, Self, TypeVar, cast

import numpy as np

from seedcorn.config import Settings
from seedcorn.corpus.parallel import Mapper, map_in_order


class StageResult(Protocol):
    """What a stage returns: a frozen value that can be written into a folder and read back."""

    @property
    def counts(self) -> Mapping[str, int]:
        """How many rows came in, were kept and were rejected, as n_in, n_kept, n_rejected where they apply."""
        ...

    def save(self, folder: Path) -> None:
        """Write the value into ``folder``, an empty one."""
        ...

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the value that ``save`` wrote into ``folder``."""
        ...


T = TypeVar("T", bound=StageResult, covariant=True)


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a stage is given beside its settings and its inputs.

    ``checkpoints`` is a folder that survives an interruption of the stage; without one there is nothing to resume.
    ``mapper`` carries passes over a pool out, ``n_processes`` may train models at a time. No result depends on these
    or on ``n_threads``.
    """

    random_seed: int = 0
    checkpoints: Path | None = None
    n_threads: int = 1
    n_processes: int = 1
    mapper: Mapper = map_in_order

    def rng(self) -> np.random.Generator:
        """Return a new generator of the random seed."""
        return np.random.default_rng(self.random_seed)

    @contextlib.contextmanager
    def working_folder(self) -> Iterator[Path]:
        """Yield the folder of the checkpoints, or a temporary one that is gone afterwards."""
        if self.checkpoints is not None:
            self.checkpoints.mkdir(parents=True, exist_ok=True)
            yield self.checkpoints
            return
        with tempfile.TemporaryDirectory(prefix="seedcorn-") as folder:
            yield Path(folder)


class Stage(Settings, Generic[T]):
    """Base of all stages: the fields are the section of the configuration and the fingerprint, the call is the work.

    A subclass has ``def __call__(self, input, ..., *, context: Context) -> T``, where the inputs are the values of the
    results that ``Run.do`` is given. Its docstring's first line says what the stage does.
    """

    stage_name: ClassVar[str] = ""
    is_random: ClassVar[bool] = True
    """Whether the outcome depends on the random seed; a stage that is not random is shared by runs of all seeds."""

    @classmethod
    def result_type(cls) -> type[T]:
        """Return T, which reads the result back."""
        for base in cls.__mro__:
            generic = base.__dict__.get("__pydantic_generic_metadata__", {})
            if generic.get("origin") is Stage:
                return cast("type[T]", generic["args"][0])
        raise TypeError(f"{cls.__name__} does not say what it results in: derive it from Stage[...]")
